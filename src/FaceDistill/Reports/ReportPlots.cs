using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Reports.Pages;
using MathNet.Numerics.Distributions;
using static FaceDistill.Reports.Pages.HtmlPage;
using static FaceDistill.Reports.Pages.ReportFormat;

namespace FaceDistill.Reports;

/// <summary>The plots of an evaluation's report, in their sections.</summary>
internal static class ReportPlots
{
    private const double LeastRate = 1e-5;
    private static readonly double[] DetFars = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.5];
    private static readonly int[] Digits = [1, 2, 5];
    private static readonly double[] DetMisses = [1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999];

    /// <summary>ROC and DET of the models that have curves, or why there are none.</summary>
    public static Section? Curves(EvaluationReport report)
    {
        if (report.Result.Models.All(m => m.TarAtFar is null))
        {
            return null;
        }

        var models = Measured(report).Select(c => c.Series).ToList();
        if (models.Count == 0)
        {
            string why = report.Options.Metrics
                ? "this protocol gives the rates of the table alone"
                : "they need the second look at all pairs that --no-metrics leaves out";
            return new Section("curves", "Curves", HtmlText.Of($"<p>ROC, DET and histograms are left out: {why}.</p>\n"));
        }

        string names = string.Join("; ", models.Select(i => AtDeciding(report.Result.Models[i])));
        var legend = Legend(models.Select(i => (i, report.Result.Models[i].Name)));
        string roc = $"ROC curve. True accept rate at FAR 1e-4: {names}";
        string det = $"DET curve. False reject rate is 1 less the true accept rate, which at FAR 1e-4 is: {names}";
        var rocSays = HtmlText.Of($"ROC.{Drawn(RocLeft(report) <= Math.Log10(EvaluationResult.RetentionFar))} "
            + $"Dots are the rates of the table, bars their 95% intervals.");
        var detSays = HtmlText.Of($"DET. Lower is better; scores of normal distributions would give straight lines."
            + $"{Drawn(DetLeft(report) <= EvaluationResult.RetentionFar)}");
        return new Section("curves", "Error trade-off", HtmlText.Of($"""
            {legend}<div class="grid">
            {Figure(Roc(report, "roc", roc), rocSays)}
            {Figure(Det(report, "det", det), detSays)}
            </div>

            """));
    }

    /// <summary>Each model's scores.</summary>
    public static Section? Histograms(EvaluationReport report)
    {
        var models = Measured(report).ToList();
        if (models.Count == 0)
        {
            return null;
        }

        var figures = HtmlText.Join(models.Select(model =>
        {
            var m = report.Result.Models[model.Series];
            float? threshold = m.ThresholdAtFar?.GetValueOrDefault(DecidingFar);
            string at = threshold is null
                ? $"There is no threshold at FAR 1e-4: {Why(m)}."
                : $"The vertical line is the threshold at FAR 1e-4, {Score(threshold)}; {Percent(m.TarAtFar?[DecidingFar])} of the genuine pairs lie to its "
                    + "right.";
            return Figure(Histogram(
                model.Curves.Scores, threshold, InvariantText.Of($"scores{model.Series}"), $"Scores of {m.Name}. {at}"),
                HtmlText.Of($"<strong>{m.Name}</strong> {at}"));
        }));
        return new Section("scores", "Scores",
            HtmlText.Of($"{Legend([(0, "genuine pairs"), (1, "impostor pairs")], "line")}<div class=\"grid\">\n{figures}</div>\n"));
    }

    /// <summary>Accuracy against cost, or why there is no plot of it.</summary>
    public static Section? Cost(EvaluationReport report)
    {
        if (report.Result.Models.All(m => m.TarAtFar is null))
        {
            return null;
        }

        var models = report.Result.Models.Select((m, i) => (m, i)).ToList();
        var shown = models.Where(e => e.m.MultAdds > 0 && e.m.TarAtFar?.GetValueOrDefault(DecidingFar) is not null).ToList();
        string unknown = string.Join(", ", models.Where(e => e.m.MultAdds is null && e.i != report.Result.Reference).Select(e => e.m.Name));
        string left = unknown.Length > 0 ? $" Left out because their cost is not known: {unknown}." : "";
        if (shown.Count == 0)
        {
            string reason = report.Result.Models.Any(m => m.MultAdds > 0)
                ? $" There is no rate at FAR 1e-4: {Why(report.Result.Models[0])}."
                : " No model says its mult-adds; run folders and ONNX files that FaceDistill exported do.";
            return new Section("cost", "Accuracy and cost", HtmlText.Of($"<p>Accuracy against mult-adds is left out.{reason}</p>\n"));
        }

        string points = string.Join("; ", shown.Select(e => InvariantText.Of($"{AtDeciding(e.m)} at {e.m.MultAdds / 1e6:0.0} million mult-adds")));
        var teacher = report.Result.Reference is { } of && report.Result.Models[of].TarAtFar?.GetValueOrDefault(DecidingFar) is not null
            ? models[of]
            : default;
        string line = teacher.m is null ? "" : $" The line is the teacher, {AtDeciding(teacher.m)}.";
        var entries = shown.Concat(teacher.m is null || shown.Contains(teacher) ? [] : [teacher]).Select(e => (e.i, e.m.Name));
        var figure = Figure(CostPlot(report, "cost-plot", $"Accuracy against mult-adds: {points}.{line}"), HtmlText.Of($"{points}.{line}{left}"));
        return new Section("cost", "Accuracy and cost", HtmlText.Of($"{Legend(entries)}<div class=\"grid\">\n{figure}</div>\n"));
    }

    private static string Why(ModelResult m) =>
        FarTargets.Permitted(EvaluationResult.RetentionFar, m.ImpostorPairs) < 1 ? "too few impostor pairs" : "it was not asked for";

    private static string AtDeciding(ModelResult m) =>
        $"{m.Name} {Percent(m.TarAtFar?.GetValueOrDefault(DecidingFar))}{Bracket(m.TarInterval95AtFar?.GetValueOrDefault(DecidingFar))}";

    // Where the pairs are too few for the rate, the plot ends before it.
    private static string Drawn(bool line) => line ? " The vertical line is FAR 1e-4." : "";

    private static double RocLeft(EvaluationReport report) => Math.Floor(Measured(report).Min(c => Math.Log10(c.Curves.Roc[0].Far)));

    private static double DetLeft(EvaluationReport report) =>
        Math.Max(1e-9, Measured(report).SelectMany(c => DetPoints(c.Curves)).Select(p => p.Far).DefaultIfEmpty(1e-4).Min());

    private static IEnumerable<(double Far, double Miss)> DetPoints(ScoreCurves curves) =>
        curves.Roc.Where(p => p.Far <= 0.5 && p.Tar is > 0 and < 1).Select(p => (p.Far, 1 - p.Tar));

    /// <summary>True accept rate over the logarithm of the false accept rate, with the intervals at the rates of the table.</summary>
    private static HtmlText Roc(EvaluationReport report, string id, string label)
    {
        using var plot = new SvgPlot("False accept rate (logarithmic)", "True accept rate");
        double left = RocLeft(report);
        plot.Limits(left, 0, 0, 1.02); // room for dots at 100%
        plot.TicksX(Enumerable.Range((int)left, 1 - (int)left).Select(e => ((double)e, e == 0 ? "1" : FarTargets.Label(Math.Pow(10, e)))));
        plot.TicksY(Enumerable.Range(0, 6).Select(i => (i / 5.0, InvariantText.Of($"{20 * i}%"))));
        plot.MarkX(Math.Log10(EvaluationResult.RetentionFar));
        foreach (var (series, curves) in Measured(report))
        {
            plot.Curve(series, curves.Roc.Select(p => (Math.Log10(p.Far), p.Tar)));
            var model = report.Result.Models[series];
            foreach (var point in (model.Rates?.Points ?? []).OfType<FarPoint>())
            {
                plot.Dot(series, Math.Log10(point.Far), point.Tar, model.Uncertainty?.At(point.Far) is [var low, var high] ? (low, high) : null);
            }
        }

        return plot.Render(id, label);
    }

    /// <summary>Detection error trade-off (Martin et al. 1997): false reject over false accept rate, both on normal-deviate axes.</summary>
    private static HtmlText Det(EvaluationReport report, string id, string label)
    {
        static double Deviate(double rate) => Normal.InvCDF(0, 1, rate);
        using var plot = new SvgPlot("False accept rate (normal deviate)", "False reject rate (normal deviate)");
        var curves = Measured(report).Select(c => (c.Series, Points: DetPoints(c.Curves).ToList())).ToList();
        double left = DetLeft(report);
        double low = Math.Max(LeastRate, curves.SelectMany(c => c.Points).Select(p => p.Miss).DefaultIfEmpty(0.01).Min() / 2);
        double high = Math.Min(1 - LeastRate, curves.SelectMany(c => c.Points).Select(p => p.Miss).DefaultIfEmpty(0.5).Max());
        high = DetMisses.FirstOrDefault(rate => rate >= high, high);
        plot.Limits(Deviate(left), 0, Deviate(low), Deviate(high));
        plot.TicksX(DetFars.Where(f => f >= left).Select(f => (Deviate(f), f >= 0.1 ? InvariantText.Of($"{f}") : FarTargets.Label(f))));
        plot.TicksY(DetMisses.Where(m => m >= low && m <= high).Select(m => (Deviate(m), InvariantText.Of($"{100 * m:0.##}%"))));
        plot.MarkX(Deviate(EvaluationResult.RetentionFar));
        foreach (var (series, points) in curves.Where(c => c.Points.Count > 0))
        {
            plot.Curve(series, points.Select(p => (Deviate(p.Far), Deviate(p.Miss))));
        }

        return plot.Render(id, label);
    }

    /// <summary>How the genuine (first colour) and the impostor scores (second) of a model lie, each as shares of its own kind.</summary>
    private static HtmlText Histogram(ScoreHistogram scores, float? threshold, string id, string label)
    {
        const int together = 4; // bins: 64 of 256 are smoother, and as much as the eye tells apart
        using var plot = new SvgPlot("Score", "Share of the pairs of a kind");
        double[][] shares = [.. new[] { scores.Genuine, scores.Impostor }.Select(bins =>
            bins.Chunk(together).Select(chunk => chunk.Sum() / (double)bins.Sum()).ToArray())];
        double width = (scores.High - scores.Low) / shares[0].Length;
        double top = Math.Max(1e-9, shares.Max(kind => kind.Max()) * 1.05);
        plot.Limits(scores.Low, Math.Max(scores.High, scores.Low + 1e-6), 0, top);
        plot.TicksX(SvgPlot.Nice(scores.Low, scores.High).Select(v => (v, InvariantText.Of($"{v:0.###}"))));
        plot.TicksY(SvgPlot.Nice(0, top).Select(v => (v, InvariantText.Of($"{100 * v:0.##}%"))));
        for (int kind = shares.Length - 1; kind >= 0; kind--)
        {
            plot.Area(kind, [.. shares[kind]
                .SelectMany((share, bin) => new[] { (scores.Low + (bin * width), share), (scores.Low + ((bin + 1) * width), share) })]);
        }

        if (threshold is { } at)
        {
            plot.MarkX(at);
        }

        return plot.Render(id, label);
    }

    /// <summary>True accept rate at 1e-4 over the cost; the teacher, whose cost is not counted, as a line.</summary>
    private static HtmlText CostPlot(EvaluationReport report, string id, string label)
    {
        using var plot = new SvgPlot("Million mult-adds (logarithmic)", "True accept rate at FAR 1e-4");
        var known = report.Result.Models.Select((m, series) => (m, series))
            .Where(e => e.m.MultAdds > 0 && e.m.TarAtFar?.GetValueOrDefault(DecidingFar) is not null).ToList();
        double left = Math.Log10(known.Min(e => e.m.MultAdds!.Value) / 1e6 / 2), right = Math.Log10(known.Max(e => e.m.MultAdds!.Value) / 1e6 * 2);
        plot.Limits(left, right, 0, 1.02);
        double[] ticks = [.. Enumerable.Range(-2, 9).SelectMany(_ => Digits, (e, digit) => digit * Math.Pow(10, e))];
        plot.TicksX(ticks.Select(t => (At: Math.Log10(t), InvariantText.Of($"{t:0.##}"))).Where(t => t.At >= left && t.At <= right));
        plot.TicksY(Enumerable.Range(0, 6).Select(i => (i / 5.0, InvariantText.Of($"{20 * i}%"))));
        if (report.Result.Reference is { } teacher && report.Result.Models[teacher].TarAtFar?.GetValueOrDefault(DecidingFar) is { } reached)
        {
            plot.LineY(teacher, reached);
        }

        foreach (var (m, series) in known)
        {
            var range = m.TarInterval95AtFar?.GetValueOrDefault(DecidingFar);
            plot.Dot(series, Math.Log10(m.MultAdds!.Value / 1e6), m.TarAtFar![DecidingFar]!.Value, range is [var low, var high] ? (low, high) : null);
        }

        return plot.Render(id, label);
    }

    /// <summary>The models that have curves.</summary>
    private static IEnumerable<(int Series, ScoreCurves Curves)> Measured(EvaluationReport report) =>
        report.Result.Models.Select((m, series) => (series, m.Metrics?.Curves)).Where(e => e.Curves is not null).Select(e => (e.series, e.Curves!));
}
