namespace FaceDistill.Evaluation;

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
