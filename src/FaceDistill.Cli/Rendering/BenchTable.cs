using FaceDistill.Benchmark;
using Spectre.Console;

namespace FaceDistill.Cli.Rendering;

/// <summary>A benchmark as a table: models down.</summary>
internal static class BenchTable
{
    public static void Render(IAnsiConsole console, BenchmarkJson result)
    {
        var table = new Table().AddColumns([.. BenchmarkReport.Columns]);
        foreach (var model in result.Models)
        {
            table.AddRow([.. BenchmarkReport.Row(model).Select(ShownOnTerminal.Cell)]);
        }

        console.Write(table);
        console.WriteLine(BenchmarkReport.Note(result));
    }
}
