using System.Globalization;
using System.Text;
using FaceDistill.Formats;

namespace FaceDistill.Reporting;

/// <summary>A benchmark's files: bench.json (what <c>bench --json</c> prints), bench.csv, bench.md, and bench.svg where an accuracy is known.</summary>
public static class BenchmarkReport
{
    /// <summary>The columns of tables for people.</summary>
    public static IReadOnlyList<string> Columns { get; } =
        ["model", "p50 ms", "p95 ms", "speed-up", "images/s, all cores", "M mult-adds", "M parameters", "file MB", "TAR at 1e-4"];

    /// <summary>A model's row of such a table.</summary>
    public static IReadOnlyList<string> Row(BenchmarkModelJson model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return
        [
            model.Name, Number(model.LatencyMs.P50, "0.00"), Number(model.LatencyMs.P95, "0.00"), Number(model.Speedup, "0.00"), Number(model.ImagesPerSecond, "0.0"),
            Number(model.MultAdds / 1e6, "0.0"), Number(model.Parameters / 1e6, "0.00"), Number(model.FileBytes / 1e6, "0.00"),
            ReportFormat.Percent(model.Tar) + (model.TarInterval95 is null ? "" : $" ({ReportFormat.Range(model.TarInterval95)})"),
        ];
    }

    /// <summary>How the figures came about, in one sentence.</summary>
    public static string Note(BenchmarkJson result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return $"ONNX Runtime on the CPU, batch 1; latency on one thread, throughput on {result.Cores}; models took turns. Speed-up: median latency of {result.Reference} by the model's."
            + (result.Protocol is null ? "" : $" Accuracy: {result.Protocol}.");
    }

    /// <summary>Writes the files, each whole or not at all.</summary>
    /// <exception cref="FaceDistillException">The folder cannot be written.</exception>
    public static void Write(BenchmarkJson result, string folder)
    {
        ArgumentNullException.ThrowIfNull(result);
        JsonFile.Write(Path.Combine(folder, "bench.json"), result);
        AtomicFile.WriteText(Path.Combine(folder, "bench.csv"), CsvOf(result));
        AtomicFile.WriteText(Path.Combine(folder, "bench.md"), MarkdownOf(result));
        if (result.Models.Any(m => m.Tar is not null))
        {
            AtomicFile.WriteText(Path.Combine(folder, "bench.svg"), BenchmarkPlot.Svg(result));
        }
    }

    private static string CsvOf(BenchmarkJson result)
    {
        var text = new StringBuilder("model,name,latencyP50Ms,latencyP95Ms,runs,speedup,imagesPerSecond,cores,multAdds,parameters,fileBytes,protocol,tarAt1e-4,tarLow95,tarHigh95,impostorPairs\n");
        foreach (var m in result.Models)
        {
            object?[] row =
            [
                m.Model, m.Name, m.LatencyMs.P50, m.LatencyMs.P95, m.LatencyMs.Runs, m.Speedup, m.ImagesPerSecond, result.Cores, m.MultAdds, m.Parameters, m.FileBytes,
                m.Tar is null ? null : result.Protocol, m.Tar, m.TarInterval95?[0], m.TarInterval95?[1], m.ImpostorPairs,
            ];
            text.AppendJoin(',', row.Select(value => Csv.Field(Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""))).Append('\n');
        }

        return text.ToString();
    }

    private static string MarkdownOf(BenchmarkJson result)
    {
        static string Line(IEnumerable<string> cells) => $"| {string.Join(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)))} |\n";
        return "# Benchmark\n\n" + Line(Columns) + Line(Columns.Select(_ => "---")) + string.Concat(result.Models.Select(m => Line(Row(m)))) + $"\n{Note(result)}\n";
    }

    private static string Number(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";
}
