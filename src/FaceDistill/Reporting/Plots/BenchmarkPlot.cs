namespace FaceDistill.Reporting;

/// <summary>A benchmark's plot: accuracy against latency, each model a dot with its interval and its name.</summary>
internal static class BenchmarkPlot
{
    private static readonly int[] Digits = [1, 2, 5];

    /// <summary>The text of a whole SVG file.</summary>
    /// <param name="result">At least one of its models has an accuracy.</param>
    public static string Svg(BenchmarkJson result)
    {
        var known = result.Models.Select((model, series) => (model, series)).Where(e => e.model.Tar is not null).ToList();
        using var plot = new SvgPlot("Latency, ms (batch 1, one thread; logarithmic)", $"TAR at FAR 1e-4 ({result.Protocol})");
        // Room at the right for the names.
        double left = Math.Log10(known.Min(e => e.model.LatencyMs.P50) / 1.5), right = Math.Log10(known.Max(e => e.model.LatencyMs.P50) * 4);
        double top = Math.Min(1.02, known.Max(e => e.model.TarInterval95?[1] ?? e.model.Tar!.Value) * 1.15 + 0.01);
        plot.Limits(left, right, 0, top);
        double[] ticks = [.. Enumerable.Range(-3, 9).SelectMany(_ => Digits, (power, digit) => digit * Math.Pow(10, power))];
        plot.TicksX(ticks.Select(t => (At: Math.Log10(t), FormattableString.Invariant($"{t:0.###}"))).Where(t => t.At >= left && t.At <= right));
        double step = top > 0.5 ? 0.2 : top > 0.1 ? 0.05 : 0.01;
        plot.TicksY(Enumerable.Range(0, (int)(top / step) + 1).Select(i => (i * step, FormattableString.Invariant($"{100 * i * step:0.##}%"))));
        foreach (var (model, series) in known)
        {
            plot.Dot(series, Math.Log10(model.LatencyMs.P50), model.Tar!.Value, model.TarInterval95 is [var low, var high] ? (low, high) : null);
            plot.Label(Math.Log10(model.LatencyMs.P50), model.Tar.Value, model.Name);
        }

        string label = string.Join("; ", known.Select(e => FormattableString.Invariant($"{e.model.Name}: {ReportFormat.Percent(e.model.Tar)} in {e.model.LatencyMs.P50:0.00} ms")));
        return SvgFile.Of(plot.Render("bench", label));
    }
}
