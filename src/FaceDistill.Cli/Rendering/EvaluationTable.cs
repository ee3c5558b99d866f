using System.Globalization;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Reports.Pages;
using Spectre.Console;

namespace FaceDistill.Cli.Rendering;

/// <summary>An evaluation as a table: models down, false-accept rates or a search's figures across; below it what else there is, in lines.</summary>
internal static class EvaluationTable
{
    private static readonly (string Name, Func<ModelResult, double?> Value, string Format)[] Metrics =
    [
        ("EER", m => m.Eer, "0.000%"),
        ("AUC", m => m.Auc, "0.000000"),
        ("d'", m => m.DPrime, "0.000"),
        ("minDCF", m => m.MinDcf, "0.0000"),
        ("rank-1", m => m.Rank1, "0.00%"),
    ];

    /// <param name="console">Where to.</param>
    /// <param name="result">The evaluation.</param>
    /// <param name="wide">Whether to show all there is.</param>
    /// <param name="asked">Whether to show all rates, because they were asked for.</param>
    public static void Render(IAnsiConsole console, EvaluationResult result, bool wide = false, bool asked = false)
    {
        var other = result.Models.Where(m => m.Identification is not null || m.Blufr is not null).ToList();
        if (other.Count > 0)
        {
            RenderSearches(console, result.Protocol, other);
        }
        else
        {
            RenderRates(console, result, wide, asked);
        }

        foreach (var m in result.Models)
        {
            console.WriteLine(Counts(m));
        }

        foreach (string words in IjbResult.Words(result.Models))
        {
            console.WriteLine(words);
        }

        Comparisons(console, result);
        RenderAgreements(console, result.Agreements ?? []);
        if (result is { Seconds: { } seconds, PeakMemoryBytes: { } bytes })
        {
            console.WriteLine(InvariantText.Of($"{seconds:0.0} s, at most {bytes / 1e9:0.00} GB of memory"));
        }
    }

    // What a decision is made by; --wide has the rest.
    private static readonly string[] Deciding = ["1e-3", "1e-4"];

    private static void RenderRates(IAnsiConsole console, EvaluationResult result, bool wide, bool asked)
    {
        string[] all = [.. result.Models.SelectMany(m => m.TarAtFar?.Keys ?? []).Distinct()];
        string[] measured = [.. all.Where(f => result.Models.Any(m => m.TarAtFar?.GetValueOrDefault(f) is not null))];
        string[] fars = wide || asked || all.Length == 0
            ? all
            : [.. all.Where(f => Deciding.Contains(f) || (f == measured.LastOrDefault() && !measured.Any(Deciding.Contains)))];
        bool intervals = result.Models.Any(m => m.TarInterval95AtFar is { Count: > 0 });
        console.WriteLine($"{result.Protocol}" + (all.Length == 0 ? "" : ": TAR, the part of genuine pairs accepted, at a false accept rate (FAR)"
            + (intervals ? ", with its 95% interval" : "")));
        var extra = Extra(result.Models).Where(e => wide || fars.Length == 0 || e.Deciding).ToList();
        var table = wide ? new FittedTable(["model", .. extra.Select(e => e.Name)])
            : new FittedTable(["model", .. fars.Select(f => $"TAR at {f}"), .. extra.Select(e => e.Name)]);
        if (wide && all.Length > 0)
        {
            RenderThresholds(console, result, all);
            console.WriteLine("");
        }

        foreach (var m in result.Models)
        {
            table.Add([m.Name, .. wide ? [] : fars.Select(f => Tar(m, f)), .. extra.Select(e => e.Cell(m))]);
        }

        if (!wide || extra.Count > 0)
        {
            table.Write(console);
        }
    }

    // A line for each rate and model, so that models stand below one another.
    private static void RenderThresholds(IAnsiConsole console, EvaluationResult result, string[] fars)
    {
        string score = (result.Score ?? ScoreKind.Cosine).ToString().ToLowerInvariant();
        var table = new FittedTable("model", "FAR", "TAR", $"{score} threshold", "false accepts");
        foreach (var (far, m) in fars.SelectMany(f => result.Models.Select(m => (f, m))))
        {
            bool known = m.TarAtFar?.GetValueOrDefault(far) is not null;
            table.Add(m.Name, far, Tar(m, far), known ? InvariantText.Of($"{m.ThresholdAtFar?[far]:0.0000}") : "-",
                known ? InvariantText.Of($"{m.FalseAcceptsAtFar?[far]}") : "-");
        }

        table.Write(console);
    }

    private static void Comparisons(IAnsiConsole console, EvaluationResult result)
    {
        foreach (var c in result.Comparisons ?? [])
        {
            console.WriteLine(InvariantText.Of(
                $"{c.A} less {c.B} at 1e-4: {100 * c.DifferenceAt1e4:+0.00;-0.00;0.00} points, 95% {100 * c.Interval95[0]:0.00} to "
                    + $"{100 * c.Interval95[1]:0.00}, p = {ReportFormat.PValue(c.PValue)}"));
        }
    }

    /// <summary>The columns after those of the rates: those that some model has, and whether a decision is made by them.</summary>
    private static List<(string Name, Func<ModelResult, string> Cell, bool Deciding)> Extra(IReadOnlyList<ModelResult> models)
    {
        var columns = new List<(string Name, Func<ModelResult, string> Cell, bool Deciding)>();
        if (models.Any(m => m.RetentionAt1e4 is not null))
        {
            columns.Add(("kept of the teacher's", m => Percent(m.RetentionAt1e4) + Range(m.RetentionInterval95At1e4), true));
        }

        if (models.Any(m => m.TenFoldAccuracy is not null))
        {
            columns.Add(("10-fold accuracy", m => $"{Percent(m.TenFoldAccuracy)} ± {Percent(m.TenFoldStandardError)}", true));
        }

        columns.AddRange(Metrics.Where(metric => models.Any(m => metric.Value(m) is not null)).Select(metric => (metric.Name,
            (Func<ModelResult, string>)(m => metric.Value(m)?.ToString(metric.Format, CultureInfo.InvariantCulture) ?? "-"), false)));
        return columns;
    }

    private static string Counts(ModelResult m)
    {
        string images = ReportFormat.Count(m.Images, "image");
        string text = InvariantText.Of($"{m.Name}: {images}, {m.GenuinePairs:N0} genuine and {m.ImpostorPairs:N0} impostor pairs");
        text += m.SkippedPairs is > 0 and var skipped ? $"; {ReportFormat.Count(skipped, "pair")} of the protocol left out, an image is missing" : "";
        text += m.SeveralFaces is > 0 and var several
            ? $"; {ReportFormat.Count(several, "photo shows", "photos show")} several faces, the large one nearest the middle was measured" : "";
        text += m.RepeatedPairs is { } twice ? $"; {ReportFormat.Count(twice, "pair")} of the list stand there before and count once more" : "";
        return text + (m.MissingImages is > 0 and var missing
            ? $"; {ReportFormat.Count(missing, "image")} of the protocol {(missing == 1 ? "is" : "are")} missing" : "");
    }

    private static string Tar(ModelResult m, string far) =>
        m.TarAtFar?.GetValueOrDefault(far) is { } tar ? Percent(tar) + Range(m.TarInterval95AtFar?.GetValueOrDefault(far))
            : FarTargets.TooFew(far, m.ImpostorPairs);

    private static readonly string[] BlufrColumns = ["trials", "VR at FAR 0.1%", "mean - sd", "DIR at rank 1, FAR 1%", "mean - sd"];

    private static void RenderSearches(IAnsiConsole console, string protocol, List<ModelResult> models)
    {
        bool identification = models[0].Identification is not null;
        bool ten = models.Any(m => m.Identification?.Rank10 is not null);
        string[] fars = identification ? [.. models.SelectMany(m => m.Identification!.OpenSet.DirAtFar.Keys).Distinct()] : [];
        console.WriteLine(protocol);
        var table = new FittedTable(["model", .. identification
            ? ["gallery", "probes", "rank-1", "rank-5", .. ten ? ["rank-10"] : Array.Empty<string>(), "open set: known + unknown probes",
                .. fars.Select(f => $"DIR at FAR {f}")]
            : BlufrColumns]);
        foreach (var m in models)
        {
            table.Add([m.Name, .. identification ? Identification(m.Identification!, fars) : Blufr(m.Blufr!)]);
        }

        table.Write(console);
    }

    private static IEnumerable<string> Identification(IdentificationResult i, string[] fars) =>
    [
        InvariantText.Of($"{i.GalleryImages} images of {i.GalleryIdentities} people"), InvariantText.Of($"{i.Probes}"), Percent(i.Rank1), Percent(i.Rank5),
        .. i.Rank10 is { } rank10 ? [Percent(rank10)] : Array.Empty<string>(),
        InvariantText.Of($"{i.OpenSet.KnownProbes} + {i.OpenSet.UnknownProbes}"),
        .. fars.Select(f => i.OpenSet.DirAtFar.GetValueOrDefault(f) is { } dir ? Percent(dir) : "too few unknown probes"),
    ];

    private static IEnumerable<string> Blufr(BlufrResult b) =>
    [
        InvariantText.Of($"{b.PerTrial.Count}, {b.Trials}"), .. Rate(b.VerificationRate), .. Rate(b.IdentificationRate),
    ];

    private static IEnumerable<string> Rate(TrialRate rate) =>
        [$"{Percent(rate.Mean)} ± {Percent(rate.StandardDeviation)}", Percent(rate.MeanMinusDeviation)];

    private static void RenderAgreements(IAnsiConsole console, IReadOnlyList<AgreementResult> agreements)
    {
        foreach (var a in agreements)
        {
            console.WriteLine(InvariantText.Of(
                $"{a.Student} agrees with {a.Teacher}: cosine {a.Cosine.Mean:0.000} on average, median {a.Cosine.Median:0.000}, 5th percentile "
                    + $"{a.Cosine.Percentile5:0.000}, ")
                + InvariantText.Of($"least {a.Cosine.Minimum:0.000}; by chance (another image) {a.Cosine.OtherImages:0.000}; worst image {a.Worst[0].Path}"));
            foreach (var search in a.Search ?? [])
            {
                console.WriteLine(InvariantText.Of($"  gallery of {search.Gallery}, probes of {search.Probe}: TAR at {search.ToldFar}: ")
                    + search.Words(search.ToldFar, tar => InvariantText.Of($"{100 * tar:0.00}% ({search.ImpostorPairs:N0} impostor pairs)")));
            }
        }
    }

    private static string Range(IReadOnlyList<double>? interval) => interval is null ? ""
        : InvariantText.Of($" ({100 * interval[0]:0.00}-{100 * interval[1]:0.00})");

    private static string Percent(double? part) => part is null ? "-" : (100 * part.Value).ToString("0.00", CultureInfo.InvariantCulture) + "%";
}
