using FaceDistill.Evaluation;
using static FaceDistill.Reporting.HtmlPage;
using static FaceDistill.Reporting.ReportFormat;

namespace FaceDistill.Reporting;

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
            string why = report.Options.Metrics ? "this protocol gives the rates of the table alone" : "they need the second look at all pairs that --no-metrics leaves out";
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
            string at = threshold is null ? "There is no threshold at FAR 1e-4: too few impostor pairs." : $"The vertical line is the threshold at FAR 1e-4, {Score(threshold)}; {Percent(m.TarAtFar?[DecidingFar])} of the genuine pairs lie to its right.";
            return Figure(ReportPlots.Histogram(model.Curves.Scores, threshold, FormattableString.Invariant($"scores{model.Series}"), $"Scores of {m.Name}. {at}"),
                HtmlText.Of($"<strong>{m.Name}</strong> {at}"));
        }));
        return new Section("scores", "Scores", HtmlText.Of($"{Legend([(0, "genuine pairs"), (1, "impostor pairs")], "line")}<div class=\"grid\">\n{figures}</div>\n"));
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
            string reason = report.Document.Models.Any(m => m.MultAdds > 0) ? " There are too few impostor pairs for FAR 1e-4." : " No model says its mult-adds; run folders and ONNX files that FaceDistill exported do.";
            return new Section("cost", "Accuracy and cost", HtmlText.Of($"<p>Accuracy against mult-adds is left out.{reason}</p>\n"));
        }

        string points = string.Join("; ", shown.Select(e => FormattableString.Invariant($"{AtDeciding(e.m)} at {e.m.MultAdds / 1e6:0.0} million mult-adds")));
        var teacher = report.Result.Reference is { } of && report.Document.Models[of].TarAtFar?.GetValueOrDefault(DecidingFar) is not null ? models[of] : default;
        string line = teacher.m is null ? "" : $" The line is the teacher, {AtDeciding(teacher.m)}.";
        var entries = shown.Concat(teacher.m is null || shown.Contains(teacher) ? [] : [teacher]).Select(e => (e.i, e.m.Name));
        return new Section("cost", "Accuracy and cost", HtmlText.Of(
            $"{Legend(entries)}<div class=\"grid\">\n{Figure(ReportPlots.Cost(report, "cost-plot", $"Accuracy against mult-adds: {points}.{line}"), HtmlText.Of($"{points}.{line}{left}"))}</div>\n"));
    }
}
