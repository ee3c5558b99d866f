namespace FaceDistill.Evaluation;

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
