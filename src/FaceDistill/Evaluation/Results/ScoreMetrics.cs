using System.Globalization;
using MathNet.Numerics.Statistics;

namespace FaceDistill.Evaluation.Results;

/// <summary>Metrics over all pairs that need every impostor score, not only the highest; none is rounded into bins.</summary>
/// <param name="Eer">Equal error rate, 0..1: where the ROC curve crosses false accept rate = false reject rate.</param>
/// <param name="Auc">Area under the ROC curve, 0..1 (Mann-Whitney, ties counted half).</param>
/// <param name="DPrime">Distance of the means of genuine and impostor scores, by the root of the mean of their variances
/// (Daugman 2000, "decidability"); null where neither varies.</param>
/// <param name="MinDcf">Least normalised detection cost, 0..1, with P_target 0.01 and both costs 1 (NIST 2016 Speaker
/// Recognition Evaluation Plan, section 3).</param>
/// <param name="Rank1">Of the faces of people with two faces or more, the share whose nearest other face of the whole set
/// is of the same person (closed set, leave-one-out); an impostor equally near counts as the nearest.</param>
/// <param name="Curves">What plots show.</param>
public sealed record ScoreMetrics(double Eer, double Auc, double? DPrime, double MinDcf, double Rank1, ScoreCurves Curves);

/// <summary>Curves for plots.</summary>
/// <param name="Roc">By rising false accept rate, evenly spaced in its logarithm from one impostor pair to 1.</param>
/// <param name="Scores">How the scores lie.</param>
public sealed record ScoreCurves(IReadOnlyList<RocPoint> Roc, ScoreHistogram Scores);

/// <summary>A point of a ROC curve.</summary>
/// <param name="Far">The permitted false accept rate, above 0 and at most 1.</param>
/// <param name="Tar">The true accept rate of the smallest threshold that holds it, 0..1.</param>
public readonly record struct RocPoint(double Far, double Tar);

/// <summary>Genuine and impostor scores in equal bins, for plots only.</summary>
/// <param name="Low">Where the first bin begins.</param>
/// <param name="High">Where the last one ends.</param>
/// <param name="Genuine">Genuine pairs in each bin.</param>
/// <param name="Impostor">Impostor pairs in each bin.</param>
public sealed record ScoreHistogram(float Low, float High, IReadOnlyList<long> Genuine, IReadOnlyList<long> Impostor);

/// <summary>What a model reaches at one permitted false accept rate.</summary>
/// <param name="Far">The permitted false accept rate, above 0 and below 1.</param>
/// <param name="Threshold">The smallest float threshold whose measured false accept rate is not above it; accept when score >= threshold.</param>
/// <param name="FalseAccepts">Impostor pairs at or above the threshold.</param>
/// <param name="TrueAccepts">Genuine pairs at or above the threshold.</param>
/// <param name="Tar">True accepts by genuine pairs, 0..1.</param>
public sealed record FarPoint(double Far, float Threshold, long FalseAccepts, long TrueAccepts, double Tar);

/// <summary>A 95% interval.</summary>
/// <param name="Low">Its lower end.</param>
/// <param name="High">Its upper end.</param>
public readonly record struct Interval(double Low, double High)
{
    /// <summary>
    /// The percentile interval of a bootstrap (Efron 1979): from the 2.5% to the 97.5% quantile of the resampled values,
    /// which MathNet interpolates (Hyndman and Fan's definition 8).
    /// </summary>
    /// <param name="resampled">The values, in any order; not changed.</param>
    public static Interval Percentile(IEnumerable<double> resampled)
    {
        double[] sorted = [.. resampled.Order()];
        return new Interval(SortedArrayStatistics.Quantile(sorted, 0.025), SortedArrayStatistics.Quantile(sorted, 0.975));
    }
}

/// <summary>The outcome of scoring every pair of a set of faces.</summary>
/// <param name="Images">N, the faces.</param>
/// <param name="Identities">How many people they show.</param>
/// <param name="GenuinePairs">Pairs of one person.</param>
/// <param name="ImpostorPairs">Pairs of two people.</param>
/// <param name="Fars">The false accept rates asked for.</param>
/// <param name="Points">One for each rate, in their order; null where the impostor pairs do not permit one false accept.</param>
public sealed record AllPairsResult(
    int Images,
    int Identities,
    long GenuinePairs,
    long ImpostorPairs,
    IReadOnlyList<double> Fars,
    IReadOnlyList<FarPoint?> Points)
{
    /// <summary>The point at a rate, or null where it was refused or not asked for.</summary>
    public FarPoint? At(double far) => Points.FirstOrDefault(point => point?.Far == far);
}

/// <summary>The outcome of LFW's fold protocol.</summary>
/// <param name="Images">Images that the scored pairs use.</param>
/// <param name="GenuinePairs">Pairs of one person that were scored.</param>
/// <param name="ImpostorPairs">Pairs of two people that were scored.</param>
/// <param name="SkippedPairs">Pairs left out because an image is missing.</param>
/// <param name="MissingImages">The names of those images.</param>
/// <param name="FoldAccuracies">Of each fold, 0..1, with the threshold of the others.</param>
/// <param name="FoldThresholds">The thresholds so chosen, cosine.</param>
/// <param name="Accuracy">Mean of the folds, 0..1.</param>
/// <param name="StandardError">Sample standard deviation of the folds by the root of their number.</param>
public sealed record TenFoldResult(
    int Images,
    int GenuinePairs,
    int ImpostorPairs,
    int SkippedPairs,
    IReadOnlyList<string> MissingImages,
    IReadOnlyList<double> FoldAccuracies,
    IReadOnlyList<float> FoldThresholds,
    double Accuracy,
    double StandardError);

/// <summary>A scored pair of faces.</summary>
/// <param name="A">The one face's path.</param>
/// <param name="B">The other face's path.</param>
/// <param name="IdentityA">Who the one is.</param>
/// <param name="IdentityB">Who the other is.</param>
/// <param name="Score">Their score.</param>
public sealed record ScoredPair(string A, string B, string IdentityA, string IdentityB, float Score);

/// <summary>The pairs that a model gets most wrong, whatever the threshold.</summary>
/// <param name="FalseAccepts">The impostor pairs of the highest scores, the highest first.</param>
/// <param name="FalseRejects">The genuine pairs of the lowest scores, the lowest first.</param>
public sealed record WorstPairsResult(IReadOnlyList<ScoredPair> FalseAccepts, IReadOnlyList<ScoredPair> FalseRejects);

/// <summary>
/// How certain true accept rates are: their values on bootstrap resamples of the identities (not of the pairs: pairs that
/// share a person are not independent).
/// </summary>
public sealed class TarUncertainty
{
    private readonly double[]?[] _tars; // [fars][resamples]
    private readonly string _key;       // what two models must share to be resampled alike

    internal TarUncertainty(IReadOnlyList<double> fars, int resamples, double[]?[] tars, string key) =>
        (Fars, Resamples, _tars, _key) = (fars, resamples, tars, key);

    /// <summary>The false accept rates asked for.</summary>
    public IReadOnlyList<double> Fars { get; }

    /// <summary>How many resamples were drawn.</summary>
    public int Resamples { get; }

    /// <summary>The 95% interval of the true accept rate at a rate; null where the rate was refused, not asked for, or has a tail
    /// of more than 16 million impostor pairs, too many to keep with their identities.</summary>
    public Interval? At(double far) => Tars(far) is { } tars ? Interval.Percentile(tars) : null;

    /// <summary>The 95% interval of this model's rate by a reference's, resample by resample; null where either has none, they
    /// were not resampled alike, or the reference accepts nobody in some resample.</summary>
    public Interval? Ratio(TarUncertainty reference, double far)
    {
        ArgumentNullException.ThrowIfNull(reference);
        return Pairs(reference, far) is { } pairs && pairs.TrueForAll(pair => pair.Other > 0)
            ? Interval.Percentile(pairs.Select(pair => pair.Own / pair.Other)) : null;
    }

    /// <summary>This model's rate less another's in each resample; null where either has none, or they were not resampled alike.</summary>
    internal double[]? Differences(TarUncertainty other, double far) => Pairs(other, far)?.Select(pair => pair.Own - pair.Other).ToArray();

    private List<(double Own, double Other)>? Pairs(TarUncertainty other, double far) =>
        _key == other._key && Tars(far) is { } own && other.Tars(far) is { } theirs ? [.. own.Zip(theirs)] : null;

    private double[]? Tars(double far)
    {
        int at = Fars.ToList().IndexOf(far);
        return at < 0 ? null : _tars[at];
    }
}
