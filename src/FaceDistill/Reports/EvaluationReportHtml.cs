using FaceDistill.Evaluation.Protocols;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Reports.Pages;
using static FaceDistill.Reports.Pages.HtmlPage;
using static FaceDistill.Reports.Pages.ReportFormat;

namespace FaceDistill.Reports;

/// <summary>An evaluation's report as one HTML file that needs no script and no network.</summary>
public static partial class EvaluationReportHtml
{
    /// <summary>The text of report.html.</summary>
    public static string Of(EvaluationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return Page(
            $"{report.Result.Protocol}: {string.Join(", ", report.Result.Models.Select(m => m.Name))}",
            InvariantText.Of($"FaceDistill evaluation, {report.Result.Protocol}, {report.Made:yyyy-MM-dd}"), report.Verdict, Sections(report),
            HtmlText.Of($"The same figures for programs: <a href=\"report.json\">report.json</a> (what evaluate --json prints), <a "
                + $"href=\"report.csv\">report.csv</a> (one row a model and rate), <a href=\"report.md\">report.md</a>."));
    }

    /// <summary>What the report has, in its order; a part that the result lacks gives null.</summary>
    private static List<Section> Sections(EvaluationReport report)
    {
        Section?[] all =
        [
            Accuracy(report.Document),
            Metrics(report.Document),
            Comparisons(report.Document),
            Agreement(report.Document),
            CrossSearch(report.Document),
            Identification(report.Document),
            Blufr(report.Document),
            Curves(report),
            Histograms(report),
            Cost(report),
            Worst(report),
            Facts("configuration", "Configuration", "How the figures were made", report.Configuration()),
            Facts("environment", "Environment", "Where the figures were made", report.Machine()),
        ];
        return [.. all.OfType<Section>()];
    }

    private static string AtDeciding(ModelJson m) =>
        $"{m.Name} {Percent(m.TarAtFar?.GetValueOrDefault(DecidingFar))}{Bracket(m.TarInterval95AtFar?.GetValueOrDefault(DecidingFar))}";
}

/// <content>The plots.</content>
public static partial class EvaluationReportHtml
{
    private static Section? Curves(EvaluationReport report)
    {
        if (report.Result.Models.All(m => m.AllPairs is null))
        {
            return null;
        }

        var models = ReportPlots.Curves(report).Select(c => c.Series).ToList();
        if (models.Count == 0)
        {
            string why = report.Options.Metrics
                ? "this protocol gives the rates of the table alone"
                : "they need the second look at all pairs that --no-metrics leaves out";
            return new Section("curves", "Curves", HtmlText.Of($"<p>ROC, DET and histograms are left out: {why}.</p>\n"));
        }

        string names = string.Join("; ", models.Select(i => AtDeciding(report.Document.Models[i])));
        var legend = Legend(models.Select(i => (i, report.Document.Models[i].Name)));
        return new Section("curves", "Error trade-off", HtmlText.Of($"""
            {legend}<div class="grid">
            {Figure(ReportPlots.Roc(report, "roc", $"ROC curve. True accept rate at FAR 1e-4: {names}"), HtmlText.Of($"ROC. The vertical line is FAR 1e-4; dots are the rates of the table, bars their 95% intervals."))}
            {Figure(ReportPlots.Det(report, "det", $"DET curve. False reject rate is 1 less the true accept rate, which at FAR 1e-4 is: {names}"), HtmlText.Of($"DET. Lower is better; scores of normal distributions would give straight lines. The vertical line is FAR 1e-4."))}
            </div>

            """));
    }

    private static Section? Histograms(EvaluationReport report)
    {
        var models = ReportPlots.Curves(report).ToList();
        if (models.Count == 0)
        {
            return null;
        }

        var figures = HtmlText.Join(models.Select(model =>
        {
            var m = report.Document.Models[model.Series];
            float? threshold = m.ThresholdAtFar?.GetValueOrDefault(DecidingFar);
            string at = threshold is null
                ? "There is no threshold at FAR 1e-4: too few impostor pairs."
                : $"The vertical line is the threshold at FAR 1e-4, {Score(threshold)}; {Percent(m.TarAtFar?[DecidingFar])} of the genuine pairs lie to its "
                    + $"right.";
            return Figure(ReportPlots.Histogram(
                model.Curves.Scores, threshold, InvariantText.Of($"scores{model.Series}"), $"Scores of {m.Name}. {at}"),
                HtmlText.Of($"<strong>{m.Name}</strong> {at}"));
        }));
        return new Section("scores", "Scores",
            HtmlText.Of($"{Legend([(0, "genuine pairs"), (1, "impostor pairs")], "line")}<div class=\"grid\">\n{figures}</div>\n"));
    }

    private static Section? Cost(EvaluationReport report)
    {
        if (report.Document.Models.All(m => m.TarAtFar is null))
        {
            return null;
        }

        var models = report.Document.Models.Select((m, i) => (m, i)).ToList();
        var shown = models.Where(e => e.m.MultAdds > 0 && e.m.TarAtFar?.GetValueOrDefault(DecidingFar) is not null).ToList();
        string unknown = string.Join(", ", models.Where(e => e.m.MultAdds is null && e.i != report.Result.Reference).Select(e => e.m.Name));
        string left = unknown.Length > 0 ? $" Left out because their cost is not known: {unknown}." : "";
        if (shown.Count == 0)
        {
            string reason = report.Document.Models.Any(m => m.MultAdds > 0)
                ? " There are too few impostor pairs for FAR 1e-4."
                : " No model says its mult-adds; run folders and ONNX files that FaceDistill exported do.";
            return new Section("cost", "Accuracy and cost", HtmlText.Of($"<p>Accuracy against mult-adds is left out.{reason}</p>\n"));
        }

        string points = string.Join("; ", shown.Select(e => InvariantText.Of($"{AtDeciding(e.m)} at {e.m.MultAdds / 1e6:0.0} million mult-adds")));
        var teacher = report.Result.Reference is { } of && report.Document.Models[of].TarAtFar?.GetValueOrDefault(DecidingFar) is not null
            ? models[of]
            : default;
        string line = teacher.m is null ? "" : $" The line is the teacher, {AtDeciding(teacher.m)}.";
        var entries = shown.Concat(teacher.m is null || shown.Contains(teacher) ? [] : [teacher]).Select(e => (e.i, e.m.Name));
        return new Section("cost", "Accuracy and cost", HtmlText.Of(
            $"{Legend(entries)}<div class=\"grid\">\n{Figure(ReportPlots.Cost(report, "cost-plot", $"Accuracy against mult-adds: {points}.{line}"), HtmlText.Of($"{points}.{line}{left}"))}</div>\n"));
    }
}

/// <content>The pairs that a model gets most wrong.</content>
public static partial class EvaluationReportHtml
{
    private static Section? Worst(EvaluationReport report)
    {
        if (report.Result.Models.All(m => m.Worst is null))
        {
            return null;
        }

        string note = report.Faces is null ? "Faces are left out of this report; evaluate --report-faces puts small pictures in."
            : "The pictures are small copies of the aligned faces inside this file: share it only with those who may see them.";
        var models = report.Document.Models.Select((m, i) => Worst(report, m, i));
        return new Section("worst", "Worst pairs", HtmlText.Of($"<p class=\"note\">{note}</p>\n{HtmlText.Join(models)}"));
    }

    private static HtmlText Worst(EvaluationReport report, ModelJson m, int model)
    {
        if (m.WorstFalseAccepts is null || m.WorstFalseRejects is null)
        {
            return HtmlText.Empty;
        }

        using var faces = report.Faces?[model] is { } aligned ? new ReportFaces(aligned) : null;
        float? threshold = m.ThresholdAtFar?.GetValueOrDefault(DecidingFar);
        string accepted = threshold is null ? ""
            : $"; {Count(m.WorstFalseAccepts.Count(p => p.Score >= threshold))} of these lie at or above the threshold at FAR 1e-4, {Score(threshold)}";
        string rejected = threshold is null ? "" : $"; {Count(m.WorstFalseRejects.Count(p => p.Score < threshold))} of these lie below that threshold";
        string absent = report.Faces is not null && faces is null ? "The aligned faces of this model are not at hand, so its pairs are named only." : "";
        return HtmlText.Of($"""
            <h3>{m.Name}</h3>
            {(absent.Length > 0 ? HtmlText.Of($"<p class=\"note\">{absent}</p>") : HtmlText.Empty)}
            {Pairs($"accepts{model}", $"Two people, yet alike: the {Count(m.WorstFalseAccepts.Count, "impostor pair")} of the highest scores{accepted}", m.WorstFalseAccepts, faces)}
            {Pairs($"rejects{model}", $"One person, yet unlike: the {Count(m.WorstFalseRejects.Count, "genuine pair")} of the lowest scores{rejected}", m.WorstFalseRejects, faces)}

            """);
    }

    private static HtmlText Breakable(string path) => new(HtmlText.Of($"{path}").Html.Replace("/", "/<wbr>", StringComparison.Ordinal));

    private static HtmlText Pairs(string id, string caption, IReadOnlyList<ScoredPair> pairs, ReportFaces? faces)
    {
        HtmlText Face(string path, string identity)
        {
            var picture = faces?.DataUri(path) is { } uri
                ? HtmlText.Of($"<img src=\"{uri}\" width=\"{ReportFaces.Side}\" height=\"{ReportFaces.Side}\" alt=\"Face of {identity}\">")
                : HtmlText.Empty;
            return HtmlText.Of($"<td class=\"text\">{picture}<span class=\"path\">{Breakable(path)}</span>"
                + $"{(path.StartsWith(identity + "/", StringComparison.Ordinal) ? HtmlText.Empty : HtmlText.Of($"<span class=\"sub\">{identity}</span>"))}</td>");
        }

        var rows = HtmlText.Join(pairs.Select((pair, i) => HtmlText.Of(
            $"<tr><th scope=\"row\">{i + 1}</th><td data-cell=\"{id} {i}\">{Score(pair.Score)}</td>{Face(pair.A, pair.IdentityA)}"
                + $"{Face(pair.B, pair.IdentityB)}</tr>\n")));
        return Table($"{id}-table", HtmlText.Of($"{caption}"), Heads("No.", "Score", "One face", "Other face"), rows, faces is null ? "pairs" : "pairs faces");
    }
}
