using System.Globalization;
using System.Text.Json.Serialization;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Reports.Pages;

namespace FaceDistill.Benchmark;

/// <summary>A benchmark's files: bench.json (what <c>bench --json</c> prints), bench.csv, bench.md, bench.html, and bench.svg where an accuracy is
/// known.</summary>
internal static class BenchmarkReport
{
    private const string Accuracy = "TAR at 1e-4";

    /// <summary>The columns of tables for people.</summary>
    public static IReadOnlyList<string> Columns { get; } =
        ["model", "provider", "p50 ms", "p95 ms", "speed-up", "images/s, all cores", "M mult-adds", "M parameters", "file MB", Accuracy];

    /// <summary>A model's row of such a table.</summary>
    public static IReadOnlyList<string> Row(BenchmarkModelJson model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return
        [
            model.Name, model.Provider, Number(model.LatencyMs.P50, "0.00"), Number(model.LatencyMs.P95, "0.00"), Number(model.Speedup, "0.00"),
            Number(model.ImagesPerSecond, "0.0") + (model.ThroughputBatch > 1 ? InvariantText.Of($" (batch {model.ThroughputBatch})") : ""),
            Number(model.MultAdds / 1e6, "0.0"), Number(model.Parameters / 1e6, "0.00"), Number(model.FileBytes / 1e6, "0.00"),
            ReportFormat.Percent(model.Tar) + (model.TarInterval95 is null ? "" : $" ({ReportFormat.Range(model.TarInterval95)})"),
        ];
    }

    // Without an accuracy there is no column of it.
    private static IEnumerable<string> Shown(BenchmarkJson result, IEnumerable<string> cells) =>
        result.Models.Any(m => m.Tar is not null) ? cells : cells.SkipLast(1);

    /// <summary>How the figures came about, in one sentence.</summary>
    public static string Note(BenchmarkJson result)
    {
        ArgumentNullException.ThrowIfNull(result);
        string[] providers = [.. result.Models.Select(m => m.Provider).Distinct(StringComparer.Ordinal)];
        string how = providers is ["cpu"] ? $"ONNX Runtime on the CPU, batch 1; latency on one thread, throughput on {result.Cores}"
            : $"ONNX Runtime on {string.Join(" and ", providers)}; latency of batch 1 from one thread, the copies to and from the device in it; throughput "
                + $"on the CPU of batch 1 on {result.Cores} threads, elsewhere of large batches from one thread";
        return $"{how}; models took turns. Speed-up: median latency of {result.Reference} by the model's."
            + (result.Protocol is null ? "" : $" Accuracy: {result.Protocol}.");
    }

    private static bool Decides(string column) => column == Accuracy;

    /// <summary>The page (bench.html): one file that needs no script and no network.</summary>
    private static string PageOf(BenchmarkJson result)
    {
        string verdict = result.Models.Where((_, i) => i != result.ReferenceAt).MaxBy(m => m.Speedup) is { } fastest
            ? InvariantText.Of($"{fastest.Name} takes {fastest.LatencyMs.P50:0.00} ms a face: {fastest.Speedup:0.0} times as fast as {result.Reference}")
            : InvariantText.Of($"{result.Reference} takes {result.Models[result.ReferenceAt].LatencyMs.P50:0.00} ms a face");
        HtmlText Line(IReadOnlyList<string> cells) => HtmlText.Of(
            $"<tr><th scope=\"row\">{cells[0]}</th>{HtmlText.Join(Shown(result, cells).Skip(1)
                .Select((c, i) => HtmlPage.Cell(c, Decides(Columns[i + 1]))))}</tr>\n");
        var table = HtmlPage.Table("bench-table", HtmlText.Of($"{Note(result)}"),
            HtmlText.Join(Shown(result, Columns).Select(c => HtmlPage.Head(c, Decides(c)))),
            HtmlText.Join(result.Models.Select(m => Line(Row(m)))));
        List<HtmlPage.Section> sections = [new("bench", "Speed and cost", table)];
        if (result.Models.Any(m => m.Tar is not null))
        {
            sections.Insert(0, new("plot", "Accuracy and latency", HtmlText.Of($"<div class=\"grid\">{HtmlPage.Figure(BenchmarkPlot.Of(result),
                HtmlText.Of($"True accept rate at FAR 1e-4 against latency, with 95% intervals over people. Up and to the left is better."))}</div>\n")));
        }

        return HtmlPage.Page("FaceDistill: bench", $"FaceDistill bench, {result.System}", verdict, sections,
            HtmlText.Of($"The same figures for programs: <a href=\"bench.json\">bench.json</a>, <a href=\"bench.csv\">bench.csv</a>, <a "
                + $"href=\"bench.md\">bench.md</a>."));
    }

    /// <summary>Writes the files, all or none.</summary>
    /// <exception cref="FaceDistillException">The folder cannot be written.</exception>
    public static void Write(BenchmarkJson result, string folder)
    {
        ArgumentNullException.ThrowIfNull(result);
        StagedFiles.WriteTexts(folder,
            ("bench.json", JsonFile.Serialize(result) + "\n"),
            ("bench.csv", CsvOf(result)),
            ("bench.md", MarkdownOf(result)),
            ("bench.html", PageOf(result)),
            ("bench.svg", result.Models.Any(m => m.Tar is not null) ? SvgFile.Of(BenchmarkPlot.Of(result)) : null));
    }

    private static string Cell(string text) =>
        ShownText.Of(text).Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "\\<", StringComparison.Ordinal);

    private static string CsvOf(BenchmarkJson result) => Csv.Text(
        "model,name,provider,latencyP50Ms,latencyP95Ms,runs,speedup,imagesPerSecond,cores,throughputBatch,multAdds,parameters,fileBytes,"
        + "protocol,tarAt1e-4,tarLow95,tarHigh95,impostorPairs",
        result.Models.Select(m => new object?[]
        {
            ShownText.Of(m.Model), ShownText.Of(m.Name), m.Provider, m.LatencyMs.P50, m.LatencyMs.P95, m.LatencyMs.Runs, m.Speedup, m.ImagesPerSecond,
            result.Cores, m.ThroughputBatch, m.MultAdds, m.Parameters, m.FileBytes, m.Tar is null
                ? null
                : result.Protocol, m.Tar, m.TarInterval95?[0], m.TarInterval95?[1], m.ImpostorPairs,
        }));

    private static string MarkdownOf(BenchmarkJson result)
    {
        string Line(IEnumerable<string> cells) =>
            $"| {string.Join(" | ", Shown(result, cells).Select(Cell))} |\n";
        return "# Benchmark\n\n" + Line(Columns) + Line(Columns.Select(_ => "---")) + string.Concat(result.Models.Select(m => Line(Row(m))))
            + $"\n{ShownText.Of(Note(result))}\n";
    }

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";
}

/// <summary>A benchmark's plot: accuracy against latency, each model a dot with its interval and its name.</summary>
internal static class BenchmarkPlot
{
    private static readonly int[] Digits = [1, 2, 5];

    /// <summary>The plot.</summary>
    /// <param name="result">At least one of its models has an accuracy.</param>
    public static HtmlText Of(BenchmarkJson result)
    {
        var known = result.Models.Select((model, series) => (model, series)).Where(e => e.model.Tar is not null).ToList();
        using var plot = new SvgPlot("Latency, ms (batch 1, one thread; logarithmic)", $"TAR at FAR 1e-4 ({result.Protocol})");
        double left = Math.Log10(known.Min(e => e.model.LatencyMs.P50) / 1.5), right = Math.Log10(known.Max(e => e.model.LatencyMs.P50) * 1.5);
        double top = Math.Min(1.02, known.Max(e => e.model.TarInterval95?[1] ?? e.model.Tar!.Value) * 1.15 + 0.01);
        plot.Limits(left, right, 0, top);
        double[] ticks = [.. Enumerable.Range(-3, 9).SelectMany(_ => Digits, (power, digit) => digit * Math.Pow(10, power))];
        plot.TicksX(ticks.Select(t => (At: Math.Log10(t), InvariantText.Of($"{t:0.###}"))).Where(t => t.At >= left && t.At <= right));
        double step = top > 0.5 ? 0.2 : top > 0.1 ? 0.05 : 0.01;
        plot.TicksY(Enumerable.Range(0, (int)(top / step) + 1).Select(i => (i * step, InvariantText.Of($"{100 * i * step:0.##}%"))));
        foreach (var (model, series) in known)
        {
            plot.Dot(series, Math.Log10(model.LatencyMs.P50), model.Tar!.Value, model.TarInterval95 is [var low, var high] ? (low, high) : null);
            plot.Label(Math.Log10(model.LatencyMs.P50), model.Tar.Value, model.Name);
        }

        string label = string.Join(
            "; ", known.Select(e => InvariantText.Of($"{e.model.Name}: {ReportFormat.Percent(e.model.Tar)} in {e.model.LatencyMs.P50:0.00} ms")));
        return plot.Render("bench-plot", label);
    }
}

/// <summary>The document of <c>bench --json</c>. Times are only comparable within one document: the models took turns.</summary>
/// <param name="Reference">The name of the model that the speed-ups refer to.</param>
/// <param name="Cores">How many threads the throughput used.</param>
/// <param name="System">The operating system.</param>
/// <param name="Models">One for each model.</param>
public sealed record BenchmarkJson(string Reference, int Cores, string System, IReadOnlyList<BenchmarkModelJson> Models)
{
    /// <summary>Which of the models that is: one may be given twice.</summary>
    [JsonIgnore]
    internal int ReferenceAt { get; init; }

    /// <summary>The protocol of the accuracies; left out where none is known.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Protocol { get; init; }
}

/// <summary>A model in <see cref="BenchmarkJson"/>.</summary>
/// <param name="Name">The model's name, as in evaluations.</param>
/// <param name="Model">The argument as given.</param>
/// <param name="FileBytes">The size of the model's file; of a run folder, that of its fp32 export.</param>
/// <param name="MultAdds">Multiply-accumulates of one picture.</param>
/// <param name="Parameters">Trained values of a FaceDistill student; of other models, the values of the file's constants; null where neither is known.</param>
/// <param name="LatencyMs">Batch 1, one thread.</param>
/// <param name="ImagesPerSecond">On the CPU all cores, batch 1 each; on any other provider one thread with batches of <see cref="ThroughputBatch"/>.</param>
/// <param name="Speedup">The reference's median latency by this model's.</param>
public sealed record BenchmarkModelJson(
    string Name, string Model, long FileBytes, long MultAdds, long? Parameters, Latency LatencyMs, double ImagesPerSecond, double Speedup)
{
    /// <summary>Where ONNX Runtime computed it: cpu, cuda, directml, openvino or coreml.</summary>
    public string Provider { get; init; } = "cpu";

    /// <summary>How many pictures at once <see cref="ImagesPerSecond"/> is of.</summary>
    public int ThroughputBatch { get; init; } = 1;

    /// <summary>True accept rate at FAR 1e-4; left out where it is not known.</summary>
    [JsonPropertyName("tarAt1e-4")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Tar { get; init; }

    /// <summary>Its 95% interval, [low, high].</summary>
    [JsonPropertyName("tarInterval95At1e-4")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<double>? TarInterval95 { get; init; }

    /// <summary>On how many impostor pairs.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? ImpostorPairs { get; init; }

    /// <summary>With the accuracy at 1e-4 that an evaluation found.</summary>
    public BenchmarkModelJson With(ModelResult? evaluated) => evaluated?.TarAtFar?.GetValueOrDefault(ReportFormat.DecidingFar) is not { } tar ? this : this with
    {
        Tar = tar,
        TarInterval95 = evaluated.TarInterval95AtFar?.GetValueOrDefault(ReportFormat.DecidingFar),
        ImpostorPairs = evaluated.ImpostorPairs,
    };
}
