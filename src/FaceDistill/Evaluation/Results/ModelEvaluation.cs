using FaceDistill.Students;

namespace FaceDistill.Evaluation.Results;

/// <summary>What a protocol says about one model.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Images">Images whose pairs were scored.</param>
/// <param name="GenuinePairs">Pairs of one person.</param>
/// <param name="ImpostorPairs">Pairs of two people.</param>
/// <param name="AllPairs">Accuracy at false accept rates; null where the protocol gives none.</param>
/// <param name="TenFold">Accuracy over folds; null where the protocol gives none.</param>
/// <param name="MissingImages">Images that the protocol's files name and the set lacks.</param>
public sealed record ModelEvaluation(
    string Name,
    int Images,
    long GenuinePairs,
    long ImpostorPairs,
    AllPairsResult? AllPairs,
    TenFoldResult? TenFold,
    IReadOnlyList<string> MissingImages)
{
    /// <summary>Metrics over all pairs; null where they were not asked for, or the protocol gives none.</summary>
    public ScoreMetrics? Metrics { get; init; }

    /// <summary>Probes searched in a gallery; null where the protocol is another.</summary>
    public IdentificationResult? Identification { get; init; }

    /// <summary>BLUFR's trials; null where the protocol is another.</summary>
    public BlufrResult? Blufr { get; init; }

    /// <summary>How certain the accuracy is; null where it was not asked for, or the protocol or the set gives none.</summary>
    public TarUncertainty? Uncertainty { get; init; }

    /// <summary>The pairs it gets most wrong; null where they were not asked for, or the protocol scores no pairs.</summary>
    public WorstPairsResult? Worst { get; init; }

    /// <summary>What it costs; null where that is not known.</summary>
    public StudentCost? Cost { get; init; }

    /// <summary>
    /// The share of the reference's TAR at a rate that this model keeps; null where the protocol or the number of impostor
    /// pairs gives none, or the reference accepts no genuine pair.
    /// </summary>
    public double? Retention(ModelEvaluation reference, double far)
    {
        ArgumentNullException.ThrowIfNull(reference);
        return reference.AllPairs?.At(far) is { Tar: > 0 } of && AllPairs?.At(far) is { } own ? own.Tar / of.Tar : null;
    }
}

/// <summary>Two models of the same faces compared at one false accept rate, by a paired bootstrap over identities.</summary>
/// <param name="A">The first model's name.</param>
/// <param name="B">The second model's name.</param>
/// <param name="Far">The false accept rate.</param>
/// <param name="Difference">True accept rate of A less that of B, as measured.</param>
/// <param name="Interval95">The 95% interval of the difference.</param>
/// <param name="PValue">Two-sided, for a true difference of 0; never below 2 / (resamples + 1).</param>
public sealed record ModelComparison(string A, string B, double Far, double Difference, Interval Interval95, double PValue)
{
    /// <summary>Compares two models; null where one of them has no resampled rates, or they were not resampled alike.</summary>
    public static ModelComparison? Of(ModelEvaluation a, ModelEvaluation b, double far)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return a.Uncertainty is { } own && b.Uncertainty is { } other && own.Differences(other, far) is { } differences
            && a.AllPairs?.At(far) is { } first && b.AllPairs?.At(far) is { } second
            ? new ModelComparison(a.Name, b.Name, far, first.Tar - second.Tar, Interval.Percentile(differences), TwoSided(differences))
            : null;
    }

    /// <summary>
    /// Twice the smaller share of resamples on either side of 0, those at 0 on both sides; one is added to each count and to
    /// the resamples, so that it is never 0 (Davison and Hinkley 1997, section 4.2).
    /// </summary>
    internal static double TwoSided(IReadOnlyCollection<double> differences)
    {
        int fewer = Math.Min(differences.Count(d => d <= 0), differences.Count(d => d >= 0));
        return Math.Min(1, 2.0 * (fewer + 1) / (differences.Count + 1));
    }
}
