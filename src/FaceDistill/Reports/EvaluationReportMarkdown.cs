using System.Text;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Reports.Pages;
using static FaceDistill.Reports.Pages.ReportFormat;

namespace FaceDistill.Reports;

/// <summary>An evaluation's report as Markdown.</summary>
internal static class EvaluationReportMarkdown
{
    /// <summary>The text of report.md.</summary>
    public static string Of(EvaluationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var text = new StringBuilder();
        text.Append($"# Evaluation: {Escape(report.Result.Protocol)}\n\n{Escape(report.Verdict)}\n\n");
        foreach (string warning in report.Result.Warnings ?? [])
        {
            text.Append($"**Warning:** {Escape(warning)}.\n\n");
        }

        Accuracy(text, report.Result);
        Metrics(text, report.Result);
        Comparisons(text, report.Result);
        Searches(text, report.Result);
        Agreements(text, report.Result);
        foreach (var m in report.Result.Models)
        {
            Pairs(text, $"{m.Name}: impostor pairs of the highest scores", m.WorstFalseAccepts);
            Pairs(text, $"{m.Name}: genuine pairs of the lowest scores", m.WorstFalseRejects);
        }

        Facts(text, "Configuration", report.Configuration());
        Facts(text, "Environment", report.Machine());
        return text.ToString();
    }

    private static void Accuracy(StringBuilder text, EvaluationResult result)
    {
        var fars = Fars(result);
        text.Append("## Accuracy\n\n");
        Row(text, ["model", "images", "genuine pairs", "impostor pairs", .. fars.Select(far => $"TAR at FAR {far}")], head: true);
        foreach (var m in result.Models)
        {
            Row(text, [m.Name, Count(m.Images), Count(m.GenuinePairs), Count(m.ImpostorPairs), .. fars.Select(far => Cell(m, far))]);
        }

        text.Append(fars.Count == 0 ? "\n"
            : "\nEach cell: true accept rate, 95% interval, threshold, false accepts.\n\n");
        foreach (string words in IjbResult.Words(result.Models).Concat(MissingWords(result)))
        {
            text.Append(Escape(words)).Append(".\n\n");
        }
    }

    private static string Cell(ModelResult m, string far) => m.TarAtFar?.GetValueOrDefault(far) is not { } tar ? FarTargets.TooFew(far, m.ImpostorPairs)
        : $"{Percent(tar)}{Bracket(m.TarInterval95AtFar?.GetValueOrDefault(far))}, {Score(m.ThresholdAtFar?[far])}, {Count(m.FalseAcceptsAtFar?[far] ?? 0)}";

    private static void Metrics(StringBuilder text, EvaluationResult result)
    {
        var metrics = ReportFormat.Metrics(result);
        if (metrics.Count > 0)
        {
            text.Append("## Other figures\n\n");
            Row(text, ["model", .. metrics.Select(metric => metric.Name)], head: true);
            foreach (var m in result.Models)
            {
                Row(text, [m.Name, .. metrics.Select(metric => metric.Text(m))]);
            }

            text.Append('\n');
        }
    }

    private static void Comparisons(StringBuilder text, EvaluationResult result)
    {
        if (result.Comparisons is { Count: > 0 } comparisons)
        {
            text.Append($"## Models compared\n\nDifferences of TAR at FAR {DecidingFar}, in percentage points; paired bootstrap over people.\n\n");
            Row(text, ["models", "difference", "95% interval", "p"], head: true);
            foreach (var c in comparisons)
            {
                Row(text, [$"{c.A} less {c.B}", InvariantText.Of($"{100 * c.DifferenceAt1e4:+0.00;-0.00;0.00}"),
                    InvariantText.Of($"{100 * c.Interval95[0]:0.00} to {100 * c.Interval95[1]:0.00}"), PValue(c.PValue)]);
            }

            text.Append('\n');
        }
    }

    private static void Searches(StringBuilder text, EvaluationResult result)
    {
        var searched = result.Models.Where(m => m.Identification is not null).ToList();
        if (searched.Count > 0)
        {
            string[] fars = [.. searched.SelectMany(m => m.Identification!.OpenSet.DirAtFar.Keys).Distinct()];
            text.Append("## Identification\n\n");
            Row(text, ["model", "gallery people", "probes", "rank-1", "rank-5", "rank-10", "known + unknown probes",
                .. fars.Select(far => $"DIR at FAR {far}")],
                head: true);
            foreach (var (name, i) in searched.Select(m => (m.Name, m.Identification!)))
            {
                Row(text, [name, Count(i.GalleryIdentities), Count(i.Probes), Percent(i.Rank1), Percent(i.Rank5), Percent(i.Rank10),
                    $"{Count(i.OpenSet.KnownProbes)} + {Count(i.OpenSet.UnknownProbes)}",
                    .. fars.Select(far => i.OpenSet.DirAtFar.GetValueOrDefault(far) is { } dir
                        ? $"{Percent(dir)}, {Score(i.OpenSet.ThresholdAtFar.GetValueOrDefault(far))}, "
                            + Count(i.OpenSet.FalseAlarmsAtFar.GetValueOrDefault(far) ?? 0)
                        : "-")]);
            }

            text.Append("\nEach DIR: detection and identification rate, threshold, false alarms.\n\n");
        }

        var trials = result.Models.Where(m => m.Blufr is not null).ToList();
        if (trials.Count > 0)
        {
            text.Append("## BLUFR\n\n");
            Row(text, ["model", "trials", "VR at FAR 0.1%: mean", "deviation", "mean - deviation", "DIR at rank 1, FAR 1%: mean", "deviation",
                "mean - deviation"], head: true);
            foreach (var (name, b) in trials.Select(m => (m.Name, m.Blufr!)))
            {
                Row(text, [name, $"{b.PerTrial.Count}, {b.Trials}", .. new[] { b.VerificationRate, b.IdentificationRate }
                    .SelectMany(rate => new[] { Percent(rate.Mean), Percent(rate.StandardDeviation), Percent(rate.MeanMinusDeviation) })]);
            }

            text.Append('\n');
        }
    }

    private static void Agreements(StringBuilder text, EvaluationResult result)
    {
        foreach (var a in result.Agreements ?? [])
        {
            text.Append($"## Agreement of {Escape(a.Student)} with {Escape(a.Teacher)}\n\n");
            Row(text, ["cosine of one image", "value"], head: true);
            foreach (var (name, value) in new (string, double?)[] { ("mean", a.Cosine.Mean), ("median", a.Cosine.Median),
                ("5th percentile", a.Cosine.Percentile5), ("least", a.Cosine.Minimum), ("of another image (by chance)", a.Cosine.OtherImages) })
            {
                Row(text, [name, value?.ToString("0.0000", System.Globalization.CultureInfo.InvariantCulture) ?? "-"]);
            }

            text.Append('\n');
            foreach (var search in a.Search ?? [])
            {
                text.Append($"- gallery of {Escape(search.Gallery)}, probes of {Escape(search.Probe)}: TAR at {search.ToldFar}: "
                    + $"{search.Words(search.ToldFar, tar => $"{Percent(tar)} over {Count(search.ImpostorPairs)} impostor pairs")}\n");
            }

            text.Append('\n');
        }
    }

    private static void Pairs(StringBuilder text, string title, IReadOnlyList<ScoredPair>? pairs)
    {
        if (pairs is { Count: > 0 })
        {
            text.Append($"## {Escape(title)}\n\n");
            Row(text, ["score", "one", "other"], head: true);
            foreach (var pair in pairs)
            {
                Row(text, [Score(pair.Score), pair.A, pair.B]);
            }

            text.Append('\n');
        }
    }

    private static void Facts(StringBuilder text, string title, IReadOnlyList<(string Name, string Value)> facts)
    {
        text.Append($"## {title}\n\n");
        Row(text, ["what", "value"], head: true);
        foreach (var (name, value) in facts)
        {
            Row(text, [name, value]);
        }

        text.Append('\n');
    }

    private static void Row(StringBuilder text, string[] cells, bool head = false)
    {
        text.Append("| ").AppendJoin(" | ", cells.Select(Escape)).Append(" |\n");
        if (head)
        {
            text.Append('|').Append(string.Concat(cells.Select(_ => "---|"))).Append('\n');
        }
    }

    // What a name or a path could break a table or begin a link or a tag with.
    private static string Escape(string value) =>
        string.Concat(ShownText.Of(value).Select(c => @"\`*_|<>[]".Contains(c, StringComparison.Ordinal) ? $"\\{c}" : $"{c}"));
}
