namespace FaceDistill.Evaluation;

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
