using FaceDistill.Evaluation.Protocols;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using static FaceDistill.Reports.Pages.ReportFormat;

namespace FaceDistill.Reports;

/// <summary>An evaluation in one plain sentence.</summary>
public static class EvaluationVerdict
{
    /// <summary>The sentence: about the best model that is not the teacher, at FAR 1e-4 where the pairs permit it.</summary>
    /// <param name="result">What was measured.</param>
    /// <param name="reference">Which of the models is the teacher; null for none.</param>
    public static string Of(EvaluationJson result, int? reference)
    {
        ArgumentNullException.ThrowIfNull(result);
        return Sentence(result, reference) + string.Concat((result.Warnings ?? []).Select(w => $" Warning: {w}."));
    }

    private static string Sentence(EvaluationJson result, int? reference)
    {
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
    internal static string? Far(EvaluationJson result)
    {
        bool Measured(string far) => result.Models.Any(m => m.TarAtFar?.GetValueOrDefault(far) is not null);
        return Measured(DecidingFar) ? DecidingFar : Fars(result).LastOrDefault(Measured);
    }

    private static string Rate(ModelJson m, string far) =>
        $"{m.Name} accepts {Percent(m.TarAtFar![far])}{Bracket(m.TarInterval95AtFar?.GetValueOrDefault(far))} of genuine pairs at FAR {far} over "
            + $"{Count(m.ImpostorPairs, "impostor pair")}";

    private static string Limit(ModelJson m, string far) => far == DecidingFar ? ""
        : $"{Count(m.ImpostorPairs, "impostor pair")} do not permit FAR {DecidingFar}; ";

    private static string Lead(EvaluationJson result, ModelJson best, List<ModelJson> candidates, string far)
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
