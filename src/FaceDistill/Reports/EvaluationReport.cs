using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Protocols;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Runs;
using static FaceDistill.Reports.Pages.ReportFormat;

namespace FaceDistill.Reports;

/// <summary>An evaluation's report: report.html (one file that needs no network), report.json (what <c>evaluate --json</c> prints),
/// report.csv (one row a model and rate) and report.md.</summary>
/// <param name="Result">What was measured.</param>
/// <param name="Options">How.</param>
/// <param name="Data">The test faces' folder; null where it is not known.</param>
/// <param name="CommandLine">What was typed.</param>
/// <param name="Environment">Where it was made.</param>
/// <param name="Made">When, UTC.</param>
internal sealed record EvaluationReport(
    EvaluationResult Result, EvaluationOptions Options, string? Data, string CommandLine, RunEnvironment Environment, DateTime Made)
{
    /// <summary>How many of the worst pairs of each kind a report names.</summary>
    public const int WorstPairs = 20;

    /// <summary>The aligned faces of each model, where the worst pairs are to be shown as pictures; null for paths alone. An entry
    /// is null where a model's faces are not at hand.</summary>
    public IReadOnlyList<AlignedFaces?>? Faces { get; init; }

    /// <summary>The verdict, without the warnings.</summary>
    public string Verdict => EvaluationVerdict.Sentence(Result, Result.Reference);

    /// <summary>Refuses a folder that cannot take a report; asked before the models are run.</summary>
    /// <exception cref="FaceDistillException">It is a file, or a run folder, whose own report.md would be lost, or cannot be written.</exception>
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

        if (WritableFolder.WhyNot(folder) is { } reason)
        {
            throw new FaceDistillException($"--report {folder} cannot be written ({reason}); name another folder");
        }
    }

    /// <summary>Writes the four files, all or none.</summary>
    /// <exception cref="FaceDistillException">The folder cannot be written.</exception>
    public void Write(string folder) => StagedFiles.WriteTexts(folder,
        ("report.html", EvaluationReportHtml.Of(this)),
        ("report.md", EvaluationReportMarkdown.Of(this)),
        ("report.csv", EvaluationReportCsv.Of(Result)),
        ("report.json", JsonFile.Serialize(Result) + "\n"));

    /// <summary>How it was measured, for tables.</summary>
    internal IReadOnlyList<(string Name, string Value)> Configuration() =>
    [
        ("Command", CommandLine),
        ("Protocol", Result.Protocol),
        ("Faces", Data ?? "not known"),
        ("Score", Result.Score is null ? "cosine" : "Euclidean distance, negated"),
        ("Intervals", Intervals),
        ("Metrics and curves", !Options.Metrics ? "left out (--no-metrics)"
            : Result.Models.Any(m => m.Eer is not null) ? "yes" : $"none: {Result.Protocol} gives none"),
        ("Teacher", Result.Reference is { } teacher ? Result.Models[teacher].Name : "none given"),
    ];

    // What was asked for is not always there.
    private string Intervals => Options.Resamples == 0 ? "none (--resamples 0)"
        : Result.Models.Any(m => m.TarInterval95AtFar is { Count: > 0 })
            ? InvariantText.Of($"95%, {Options.Resamples} bootstrap resamples of the people, seed {Options.Seed}")
        : Result.Protocol is (Evaluator.Ijbb or Evaluator.Ijbc) ? "none: the 1:N lists that name the subjects are not there, or too short"
        : !Evaluator.AllPairsProtocols.Contains(Result.Protocol) ? $"none: {Result.Protocol} gives none"
        : Result.Models.All(m => m.Uncertainty is null) ? $"none: they need {AllPairsEvaluation.FewestPeople} people with two images or more"
        : InvariantText.Of($"none: they need more than {AllPairsEvaluation.MostTail:N0} impostor pairs in memory");

    /// <summary>Where it was made, for tables.</summary>
    internal IReadOnlyList<(string Name, string Value)> Machine() =>
    [
        ("FaceDistill", Environment.Version),
        ("System", Environment.System),
        ("Runtime", Environment.Framework),
        ("Processor cores", InvariantText.Of($"{Environment.Cores}")),
        ("Device", Environment.Device),
        ("Took", Result.Seconds is not { } seconds ? "not known" : InvariantText.Of(
            $"{seconds:0.0} s{(Result.PeakMemoryBytes is { } peak ? InvariantText.Of($", at most {peak / 1048576.0:0} MiB of memory") : "")}")),
        ("Made", InvariantText.Of($"{Made:yyyy-MM-dd HH:mm} UTC")),
    ];
}

/// <summary>An evaluation as comma-separated rows: one a model and rate (of false accepts, or of false alarms in identification); one a model where the
/// protocol has no rates.</summary>
internal static class EvaluationReportCsv
{
    private const string Header =
        "protocol,model,images,genuinePairs,impostorPairs,far,tar,tarLow95,tarHigh95,threshold,falseAccepts,retentionAt1e-4,tenFoldAccuracy,"
        + "tenFoldStandardError,multAdds,rank1,rank5,dir,verificationRate,verificationRateDeviation,identificationRate,identificationRateDeviation";

    /// <summary>The text of report.csv; rates are fractions, and what there is not is empty.</summary>
    public static string Of(EvaluationResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return Csv.Text(Header, result.Models.SelectMany(m => Rows(result.Protocol, m)));
    }

    private static IEnumerable<object?[]> Rows(string protocol, ModelResult m)
    {
        var keys = m.TarAtFar?.Keys ?? m.Identification?.OpenSet.DirAtFar.Keys ?? [];
        foreach (string? far in keys.Any() ? keys.Cast<string?>() : [null])
        {
            var interval = far is null ? null : m.TarInterval95AtFar?.GetValueOrDefault(far);
            var open = m.TarAtFar is null ? m.Identification?.OpenSet : null; // whose rates are of false alarms
            yield return
            [
                protocol, ShownText.Of(m.Name), m.Images, m.GenuinePairs, m.ImpostorPairs, far,
                far is null ? null : m.TarAtFar?.GetValueOrDefault(far), interval?[0], interval?[1],
                far is null ? null : (m.ThresholdAtFar ?? open?.ThresholdAtFar)?.GetValueOrDefault(far),
                far is null ? null : (m.FalseAcceptsAtFar ?? open?.FalseAlarmsAtFar)?.GetValueOrDefault(far),
                m.RetentionAt1e4, m.TenFoldAccuracy, m.TenFoldStandardError, m.MultAdds,
                m.Identification?.Rank1 ?? m.Rank1, m.Identification?.Rank5, far is null ? null : m.Identification?.OpenSet.DirAtFar.GetValueOrDefault(far),
                m.Blufr?.VerificationRate.Mean, m.Blufr?.VerificationRate.StandardDeviation,
                m.Blufr?.IdentificationRate.Mean, m.Blufr?.IdentificationRate.StandardDeviation,
            ];
        }
    }
}

/// <summary>An evaluation in one plain sentence.</summary>
internal static class EvaluationVerdict
{
    /// <summary>A sentence on each model.</summary>
    /// <param name="result">What was measured.</param>
    /// <param name="first">The name of the model that comes first; null for their own order.</param>
    public static IEnumerable<string> Each(EvaluationResult result, string? first)
    {
        ArgumentNullException.ThrowIfNull(result);
        return result.Models.OrderByDescending(m => m.Name == first).Select(m => Sentence(result with { Models = [m] }, null));
    }

    /// <summary>The sentence: about the best model that is not the teacher, at FAR 1e-4 where the pairs permit it.</summary>
    /// <param name="result">What was measured.</param>
    /// <param name="reference">Which of the models is the teacher; null for none.</param>
    public static string Sentence(EvaluationResult result, int? reference)
    {
        ArgumentNullException.ThrowIfNull(result);
        string? far = Far(result);
        var others = result.Models.Where((_, i) => i != reference).ToList();
        var candidates = others.Count > 0 ? others : [.. result.Models];
        if (far is not null)
        {
            var best = candidates.OrderByDescending(m => m.TarAtFar?.GetValueOrDefault(far) ?? -1).First();
            return Limit(best, far) + Rate(best, far)
                + (best.RetentionAt1e4 is { } kept && far == DecidingFar ? $"; {Percent(kept)} of its teacher's." : Lead(result, best, candidates, far));
        }

        if (candidates.MaxBy(m => m.Identification?.Rank1 ?? -1) is { Identification: { } search } first)
        {
            return $"{first.Name} ranks the right person first for {Percent(search.Rank1)} of {Count(search.Probes, "probe")} in a gallery of "
                + $"{Count(search.GalleryIdentities)} people.";
        }

        if (candidates.MaxBy(m => m.Blufr?.VerificationRate.MeanMinusDeviation ?? -1) is { Blufr: { } blufr } leader)
        {
            return $"{leader.Name} accepts {Percent(blufr.VerificationRate.Mean)} of genuine pairs at FAR 0.1% over {Count(blufr.PerTrial.Count, "trial")} "
                + $"({Percent(blufr.VerificationRate.MeanMinusDeviation)} less one deviation), {blufr.Trials}.";
        }

        var folds = candidates.OrderByDescending(m => m.TenFoldAccuracy ?? -1).First();
        return folds.TenFoldAccuracy is not null
            ? $"{folds.Name} is right on {Percent(folds.TenFoldAccuracy)} (standard error {Percent(folds.TenFoldStandardError)}) of "
                + $"{Count(folds.GenuinePairs + folds.ImpostorPairs)} pairs in ten folds."
            : $"{string.Join(", ", result.Models.Select(m => m.Name))}: measured by {result.Protocol} on {Count(folds.Images, "image")}.";
    }

    /// <summary>The rate that the sentence is about: 1e-4, or the smallest that the pairs permit; null for none.</summary>
    internal static string? Far(EvaluationResult result)
    {
        bool Measured(string far) => result.Models.Any(m => m.TarAtFar?.GetValueOrDefault(far) is not null);
        return Measured(DecidingFar) ? DecidingFar : Fars(result).Where(Measured).MinBy(InvariantNumber.Of);
    }

    private static string Rate(ModelResult m, string far) =>
        $"{m.Name} accepts {Percent(m.TarAtFar![far])}{Bracket(m.TarInterval95AtFar?.GetValueOrDefault(far))} of genuine pairs at FAR {far} over "
            + $"{Count(m.ImpostorPairs, "impostor pair")}";

    private static string Limit(ModelResult m, string far) =>
        far == DecidingFar || FarTargets.Permitted(EvaluationResult.RetentionFar, m.ImpostorPairs) > 0 ? ""
        : $"{Count(m.ImpostorPairs, "impostor pair")} do not permit FAR {DecidingFar}; ";

    private static string Lead(EvaluationResult result, ModelResult best, List<ModelResult> candidates, string far)
    {
        var second = candidates.Where(m => m != best).OrderByDescending(m => m.TarAtFar?.GetValueOrDefault(far) ?? -1).FirstOrDefault();
        var comparison = far != DecidingFar || second is null
            ? null
            : result.Comparisons?.FirstOrDefault(c => (c.A, c.B) == (best.Name, second.Name) || (c.B, c.A) == (best.Name, second.Name));
        if (comparison is null)
        {
            return second is null ? "." : $"; the next best is {second.Name} with {Percent(second.TarAtFar?.GetValueOrDefault(far))}.";
        }

        double sign = comparison.A == best.Name ? 1 : -1;
        double[] range = [.. comparison.Interval95.Select(end => 100 * sign * end).Order()];
        return InvariantText.Of(
            $"; {100 * sign * comparison.DifferenceAt1e4:0.00} points (95%: {range[0]:0.00} to {range[1]:0.00}) more than {second!.Name}.");
    }
}
