using FaceDistill.Reports;
using FaceDistill.Reports.Pages;
using Spectre.Console;

namespace FaceDistill.Cli.Rendering;

/// <summary>What a run came to, in a few lines; the report has the rest.</summary>
internal static class RunSummary
{
    public static void Render(IAnsiConsole console, RunReportData report)
    {
        string epochs = ReportFormat.Count(report.Epochs.Count, "epoch");
        console.WriteLine($"{report.Run.Options.Student.Name}: {epochs} in {ReportFormat.Time(report.TrainingSeconds)}");
        console.WriteLine(RunGuide.Exported(report));
        foreach (var evaluation in report.Evaluations)
        {
            EvaluationTable.Render(console, evaluation.Result);
        }

        foreach (string file in report.Export?.Files ?? [])
        {
            console.WriteLine($"exported: {file}");
        }

        console.WriteLine($"report: {Path.Combine(report.Folder, RunReport.PageFileName)}");
    }
}
