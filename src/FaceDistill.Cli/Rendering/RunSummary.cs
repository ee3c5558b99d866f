using FaceDistill.Files;
using FaceDistill.Reports;
using FaceDistill.Training.Losses;
using Spectre.Console;

namespace FaceDistill.Cli.Rendering;

/// <summary>What a run came to, in a few lines; the report has the rest.</summary>
internal static class RunSummary
{
    public static void Render(IAnsiConsole console, RunReportData report)
    {
        var last = report.Epochs[^1];
        string held = last.ValidationCosine is null
            ? ""
            : InvariantText.Of($", cosine to the teacher on held-out faces {last.ValidationCosine:0.000}");
        string unit = report.Run.Options.Loss == new LossOptions() ? " (1 explains nothing)" : $" ({report.Run.Options.Loss})";
        console.WriteLine(InvariantText.Of(
            $"{report.Run.Options.Student.Name}: {report.Epochs.Count} epochs in {report.TrainingSeconds / 60:0.0} minutes, loss {last.Loss:0.000}{unit}"
                + $"{held}"));
        foreach (var evaluation in report.Evaluations)
        {
            EvaluationTable.Render(console, evaluation.Result);
        }

        foreach (string file in report.Export?.Files ?? [])
        {
            console.WriteLine($"exported: {file}");
        }

        console.WriteLine($"report: {Path.Combine(report.Folder, "report.md")}");
    }
}
