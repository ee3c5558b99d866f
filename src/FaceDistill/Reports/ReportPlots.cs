using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Reports.Pages;
using MathNet.Numerics.Distributions;
using static FaceDistill.Reports.Pages.ReportFormat;

namespace FaceDistill.Reports;

/// <summary>The plots of an evaluation's report.</summary>
internal static class ReportPlots
{
    private const double LeastRate = 1e-5;
    private static readonly double[] DetFars = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 0.5];
    private static readonly int[] Digits = [1, 2, 5];
    private static readonly double[] DetMisses = [1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999];

    /// <summary>True accept rate over the logarithm of the false accept rate, with the intervals at the rates of the table.</summary>
    public static HtmlText Roc(EvaluationReport report, string id, string label)
    {
        using var plot = new SvgPlot("False accept rate (logarithmic)", "True accept rate");
        double left = Math.Floor(Curves(report).Min(c => Math.Log10(c.Curves.Roc[0].Far)));
        plot.Limits(left, 0, 0, 1.02); // room for dots at 100%
        plot.TicksX(Enumerable.Range((int)left, 1 - (int)left).Select(e => ((double)e, e == 0 ? "1" : FarTargets.Label(Math.Pow(10, e)))));
        plot.TicksY(Enumerable.Range(0, 6).Select(i => (i / 5.0, InvariantText.Of($"{20 * i}%"))));
        plot.MarkX(Math.Log10(EvaluationResult.RetentionFar));
        foreach (var (series, curves) in Curves(report))
        {
            plot.Curve(series, curves.Roc.Select(p => (Math.Log10(p.Far), p.Tar)));
            var model = report.Result.Models[series];
            foreach (var point in model.AllPairs?.Points.Where(p => p is not null) ?? [])
            {
                plot.Dot(series, Math.Log10(point!.Far), point.Tar, model.Uncertainty?.At(point.Far) is { } range ? (range.Low, range.High) : null);
            }
        }

        return plot.Render(id, label);
    }

    /// <summary>Detection error trade-off (Martin et al. 1997): false reject over false accept rate, both on normal-deviate axes.</summary>
    public static HtmlText Det(EvaluationReport report, string id, string label)
    {
        static double Deviate(double rate) => Normal.InvCDF(0, 1, rate);
        using var plot = new SvgPlot("False accept rate (normal deviate)", "False reject rate (normal deviate)");
        var curves = Curves(report)
            .Select(c => (c.Series, Points: c.Curves.Roc.Where(p => p.Far <= 0.5 && p.Tar is > 0 and < 1).Select(p => (p.Far, Miss: 1 - p.Tar)).ToList()))
            .ToList();
        double left = Math.Max(1e-9, curves.SelectMany(c => c.Points).Select(p => p.Far).DefaultIfEmpty(1e-4).Min());
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
    public static HtmlText Histogram(ScoreHistogram scores, float? threshold, string id, string label)
    {
        const int together = 4; // bins: 64 of 256 are smoother, and as much as the eye tells apart
        using var plot = new SvgPlot("Score", "Share of the pairs of a kind");
        double[][] shares = [.. new[] { scores.Genuine, scores.Impostor }.Select(bins =>
            bins.Chunk(together).Select(chunk => chunk.Sum() / (double)bins.Sum()).ToArray())];
        double width = (scores.High - scores.Low) / shares[0].Length;
        double top = Math.Max(1e-9, shares.Max(kind => kind.Max()) * 1.05);
        plot.Limits(scores.Low, Math.Max(scores.High, scores.Low + 1e-6), 0, top);
        plot.TicksX(Nice(scores.Low, scores.High).Select(v => (v, InvariantText.Of($"{v:0.###}"))));
        plot.TicksY(Nice(0, top).Select(v => (v, InvariantText.Of($"{100 * v:0.##}%"))));
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
    public static HtmlText Cost(EvaluationReport report, string id, string label)
    {
        using var plot = new SvgPlot("Million mult-adds (logarithmic)", "True accept rate at FAR 1e-4");
        var known = report.Document.Models.Select((m, series) => (m, series))
            .Where(e => e.m.MultAdds > 0 && e.m.TarAtFar?.GetValueOrDefault(DecidingFar) is not null).ToList();
        double left = Math.Log10(known.Min(e => e.m.MultAdds!.Value) / 1e6 / 2), right = Math.Log10(known.Max(e => e.m.MultAdds!.Value) / 1e6 * 2);
        plot.Limits(left, right, 0, 1.02);
        double[] ticks = [.. Enumerable.Range(-2, 9).SelectMany(_ => Digits, (e, digit) => digit * Math.Pow(10, e))];
        plot.TicksX(ticks.Select(t => (At: Math.Log10(t), InvariantText.Of($"{t:0.##}"))).Where(t => t.At >= left && t.At <= right));
        plot.TicksY(Enumerable.Range(0, 6).Select(i => (i / 5.0, InvariantText.Of($"{20 * i}%"))));
        if (report.Result.Reference is { } teacher && report.Document.Models[teacher].TarAtFar?.GetValueOrDefault(DecidingFar) is { } reached)
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
    public static IEnumerable<(int Series, ScoreCurves Curves)> Curves(EvaluationReport report) =>
        report.Result.Models.Select((m, series) => (series, m.Metrics?.Curves)).Where(e => e.Curves is not null).Select(e => (e.series, e.Curves!));

    /// <summary>Four to nine round numbers between two.</summary>
    private static IEnumerable<double> Nice(double low, double high)
    {
        double span = Math.Max(high - low, 1e-9), unit = Math.Pow(10, Math.Floor(Math.Log10(span)));
        double step = span / unit >= 4 ? unit : span / unit >= 2 ? unit / 2 : unit / 5;
        for (double i = Math.Ceiling(low / step); i * step <= high; i++)
        {
            yield return i * step;
        }
    }
}
