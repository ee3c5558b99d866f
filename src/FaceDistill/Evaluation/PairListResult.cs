namespace FaceDistill.Evaluation;

/// <summary>The outcome of scoring a user's own list of pairs.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Images">Images that the scored pairs use.</param>
/// <param name="Identities">How many people the set names for them; 0 where it names none.</param>
/// <param name="GenuinePairs">Pairs of one person that were scored.</param>
/// <param name="ImpostorPairs">Pairs of two people that were scored.</param>
/// <param name="SkippedPairs">Pairs left out because an image is missing.</param>
/// <param name="MissingImages">The paths of those images, as the list has them.</param>
/// <param name="Fars">The false accept rates asked for.</param>
/// <param name="Points">One for each rate, in their order; null where the impostor pairs do not permit one false accept.</param>
/// <param name="TenFold">Accuracy over ten folds; null with fewer than 100 pairs, or fewer than ten of either kind.</param>
public sealed record PairListResult(
    string Name,
    int Images,
    int Identities,
    int GenuinePairs,
    int ImpostorPairs,
    int SkippedPairs,
    IReadOnlyList<string> MissingImages,
    IReadOnlyList<double> Fars,
    IReadOnlyList<FarPoint?> Points,
    TenFoldResult? TenFold)
{
    /// <summary>The point at a rate, or null where it was refused or not asked for.</summary>
    public FarPoint? At(double far) => Points.FirstOrDefault(point => point?.Far == far);

    /// <summary>The result as that of a model under a protocol.</summary>
    public ModelEvaluation ToModel() => new(
        Name, Images, GenuinePairs, ImpostorPairs, new AllPairsResult(Images, Identities, GenuinePairs, ImpostorPairs, Fars, Points), TenFold, MissingImages);
}
