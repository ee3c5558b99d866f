using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Export;
using FaceDistill.Formats;

namespace FaceDistill.Reporting;

/// <summary>An evaluation's report: report.html (one file that needs no network), report.json (what <c>evaluate --json</c> prints),
/// report.csv (one row a model and rate) and report.md.</summary>
/// <param name="Result">What was measured.</param>
/// <param name="Options">How.</param>
/// <param name="Data">The test faces' folder; null where it is not known.</param>
/// <param name="CommandLine">What was typed.</param>
/// <param name="Environment">Where it was made.</param>
/// <param name="Made">When, UTC.</param>
public sealed record EvaluationReport(
    EvaluationResult Result, EvaluationOptions Options, string? Data, string CommandLine, RunEnvironment Environment, DateTime Made)
{
    /// <summary>How many of the worst pairs of each kind a report names.</summary>
    public const int WorstPairs = 20;

    /// <summary>The aligned faces of each model, where the worst pairs are to be shown as pictures; null for paths alone. An entry
    /// is null where a model's faces are not at hand.</summary>
    public IReadOnlyList<AlignedFaces?>? Faces { get; init; }

    /// <summary>The document of <c>evaluate --json</c>.</summary>
    public EvaluationJson Document { get; } = Result.ToJson();

    /// <summary>The verdict.</summary>
    public string Verdict => EvaluationVerdict.Of(Document, Result.Reference);

    /// <summary>Refuses a folder that cannot take a report; asked before the models are run.</summary>
    /// <exception cref="FaceDistillException">It is a file, or a run folder, whose own report.md would be lost.</exception>
    public static void CheckFolder(string folder)
    {
        if (File.Exists(folder))
        {
            throw new FaceDistillException($"--report {folder} is a file; name a folder");
        }

        if (ModelArgument.IsRun(folder))
        {
            throw new FaceDistillException($"--report {folder} is a run folder, which has a report.md of its own; name another folder");
        }
    }

    /// <summary>Writes the four files, each whole or not at all; nothing before all of them are made.</summary>
    /// <exception cref="FaceDistillException">The folder cannot be written.</exception>
    public void Write(string folder)
    {
        string html = EvaluationReportHtml.Of(this);
        string markdown = EvaluationReportMarkdown.Of(this);
        string csv = EvaluationReportCsv.Of(Document);
        JsonFile.Write(Path.Combine(folder, "report.json"), Document);
        AtomicFile.WriteText(Path.Combine(folder, "report.csv"), csv);
        AtomicFile.WriteText(Path.Combine(folder, "report.md"), markdown);
        AtomicFile.WriteText(Path.Combine(folder, "report.html"), html);
    }

    /// <summary>How it was measured, for tables.</summary>
    internal IReadOnlyList<(string Name, string Value)> Configuration() =>
    [
        ("Command", CommandLine),
        ("Protocol", Result.Protocol),
        ("Faces", Data ?? "not known"),
        ("Score", Result.Score == ScoreKind.Cosine ? "cosine" : "Euclidean distance, negated"),
        ("Intervals", Options.Resamples == 0 ? "none (--resamples 0)" : FormattableString.Invariant($"95%, {Options.Resamples} bootstrap resamples of the people, seed {Options.Seed}")),
        ("Metrics and curves", Options.Metrics ? "yes" : "left out (--no-metrics)"),
        ("Teacher", Result.Reference is { } teacher ? Result.Models[teacher].Name : "none given"),
    ];

    /// <summary>Where it was made, for tables.</summary>
    internal IReadOnlyList<(string Name, string Value)> Machine() =>
    [
        ("FaceDistill", Environment.Version),
        ("System", Environment.System),
        ("Runtime", Environment.Framework),
        ("Processor cores", FormattableString.Invariant($"{Environment.Cores}")),
        ("Device", Environment.Device),
        ("Took", Document.Seconds is { } seconds ? FormattableString.Invariant($"{seconds:0.0} s{(Document.PeakMemoryBytes is { } peak ? FormattableString.Invariant($", at most {peak / 1048576.0:0} MiB of memory") : "")}") : "not known"),
        ("Made", FormattableString.Invariant($"{Made:yyyy-MM-dd HH:mm} UTC")),
    ];
}
