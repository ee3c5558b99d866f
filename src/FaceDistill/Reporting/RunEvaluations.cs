using FaceDistill.Evaluation;
using FaceDistill.Formats;

namespace FaceDistill.Reporting;

/// <summary>One evaluation noted in a run folder.</summary>
/// <param name="Data">The test data's name.</param>
/// <param name="Result">The document of <c>evaluate --json</c>.</param>
public sealed record RunEvaluation(string Data, EvaluationJson Result)
{
    /// <summary>The run's student among the result's models; null where an earlier version noted it.</summary>
    public string? Student { get; init; }

    /// <summary>SHA-256 of that student's checkpoint, so that the figures of earlier weights are not taken for those of later ones.</summary>
    public string? StudentHash { get; init; }
}

/// <summary>The evaluations noted in a run folder: evaluation-PROTOCOL-DATA.json.</summary>
public static class RunEvaluations
{
    private const string Prefix = "evaluation-";

    /// <summary>Notes one; the same protocol on the same data replaces the earlier one.</summary>
    /// <exception cref="FaceDistillException">The folder cannot be written.</exception>
    public static void Write(string run, RunEvaluation evaluation)
    {
        ArgumentNullException.ThrowIfNull(evaluation);
        JsonFile.Write(Path.Combine(run, $"{Prefix}{evaluation.Result.Protocol}-{evaluation.Data}.json"), evaluation);
    }

    /// <summary>Reads all, in ordinal order of their file names.</summary>
    /// <exception cref="FaceDistillException">One is damaged.</exception>
    public static IReadOnlyList<RunEvaluation> Read(string run) =>
        [.. Directory.EnumerateFiles(run, Prefix + "*.json").Order(StringComparer.Ordinal).Select(JsonFile.Read<RunEvaluation>)];
}
