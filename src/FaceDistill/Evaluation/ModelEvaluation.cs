using FaceDistill.Students;

namespace FaceDistill.Evaluation;

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
