using FaceDistill.Benchmark;
using Spectre.Console;

namespace FaceDistill.Cli.Rendering;

/// <summary>A benchmark as a table: models down.</summary>
internal static class BenchTable
{
    // What a choice between models is made by; the others with --wide.
    private static readonly string[] Deciding = ["provider", "p50 ms", "speed-up", "M mult-adds", "file MB", "TAR at 1e-4"];

    public static void Render(IAnsiConsole console, BenchmarkJson result, bool wide)
    {
        bool known = result.Models.Any(m => m.Tar is not null);
        var only = wide ? BenchmarkReport.Columns : Deciding;
        var table = new FittedTable([.. BenchmarkReport.Columns]) { Only = [.. only.Where(c => known || c != Deciding[^1])] };
        foreach (var model in result.Models)
        {
            table.Add([.. BenchmarkReport.Row(model)]);
        }

        table.Write(console);
        console.WriteLine(BenchmarkReport.Note(result));
    }
}
