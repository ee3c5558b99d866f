using FaceDistill.Evaluation.Agreement;
using FaceDistill.Export;
using FaceDistill.Files;
using FaceDistill.Runs;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Reports;

/// <summary>Everything a run's report says (report.json).</summary>
/// <param name="Folder">The run folder.</param>
/// <param name="Run">Configuration and environment.</param>
/// <param name="Dimension">The embedding's length.</param>
/// <param name="Cost">The student's mult-adds and parameters.</param>
/// <param name="Paper">The paper's row for this student; null where it has none.</param>
/// <param name="Finished">Whether all epochs were trained.</param>
/// <param name="TrainingSeconds">Time of all epochs.</param>
/// <param name="Epochs">The loss curve.</param>
/// <param name="Export">The exported files and how they agree with the student; null where nothing was exported.</param>
/// <param name="Evaluations">What was measured, one entry a protocol and data set.</param>
public sealed record RunReportData(
    string Folder,
    RunInfo Run,
    int Dimension,
    StudentCost Cost,
    PaperTableRow? Paper,
    bool Finished,
    double TrainingSeconds,
    IReadOnlyList<EpochLog> Epochs,
    ExportOutcome? Export,
    IReadOnlyList<RunEvaluation> Evaluations)
{
    /// <summary>The best epoch, with what chose it; null where nothing is held out.</summary>
    public BestEpoch? Best { get; init; }

    /// <summary>The audit of the training faces; null where none was made.</summary>
    public AuditSummary? Audit { get; init; }

    /// <summary>How fast the exported student is; null where it was not timed.</summary>
    public RunSpeed? Speed { get; init; }
}

/// <summary>
/// report.html, report.md and report.json of a run folder. They are made anew from what the folder holds (run.json, the checkpoint, export.json,
/// evaluation-*.json), so that they never say anything else than these.
/// </summary>
internal static class RunReport
{
    /// <summary>The name of the file that notes an export's outcome in a run folder.</summary>
    public const string ExportFileName = "export.json";

    /// <summary>The name of the page in a run folder.</summary>
    public const string PageFileName = "report.html";

    /// <summary>Writes the files, or none.</summary>
    /// <param name="folder">The run folder.</param>
    /// <returns>What they say.</returns>
    /// <exception cref="FaceDistillException">The folder is no run, or cannot be written.</exception>
    public static RunReportData Write(string folder)
    {
        var checkpoint = StudentCheckpoint.Read(Path.Combine(folder, StudentCheckpoint.FileName));
        string export = Path.Combine(folder, ExportFileName);
        var log = checkpoint.State.Log;
        var exported = File.Exists(export) ? JsonFile.Read<ExportOutcome>(export) : null;
        var data = new RunReportData(
            Path.GetFullPath(folder),
            // what a run decides at its beginning stands in its checkpoint
            RunInfo.Read(folder) with { Options = checkpoint.Options, Origins = checkpoint.Origins is { Count: > 0 } origins ? origins : null },
            checkpoint.Description.Dimension,
            StudentCost.Of(checkpoint.Description.Architecture()),
            PaperTable.Of(StudentSpec.Parse(checkpoint.Description.Student)),
            checkpoint.State.IsFinished(checkpoint.Options.Run.Epochs),
            log.Sum(e => e.Seconds),
            log,
            exported,
            NotesOf(folder))
        {
            Best = checkpoint.State.Best,
            Audit = AuditSummary.In(folder),
            Speed = RunSpeed.In(folder, RunGuide.Exported(folder, exported)),
        };
        StagedFiles.WriteTexts(folder, ("report.json", JsonFile.Serialize(data) + "\n"), ("report.md", RunReportMarkdown.Of(data)),
            (PageFileName, RunReportHtml.Of(data)));
        return data;
    }

    // Figures of earlier weights are not the student's.
    private static IReadOnlyList<RunEvaluation> NotesOf(string folder)
    {
        var notes = RunEvaluations.Read(folder);
        string? student = notes.Count == 0 ? null : RunStudent.Open(folder).Hash;
        return [.. notes.Where(n => n.StudentHash is null || n.StudentHash == student)];
    }
}
