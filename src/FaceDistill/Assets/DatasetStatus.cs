namespace FaceDistill.Assets;

/// <summary>What is on this machine of a data set.</summary>
/// <param name="Name">The card's name.</param>
/// <param name="Folder">The data set's folder; null when it is missing.</param>
/// <param name="Pictures">Files in its folder of pictures, all sub-folders included.</param>
/// <param name="Files">The further files of the card.</param>
/// <param name="Note">How to get the data set where it is missing; null otherwise.</param>
public sealed record DatasetStatus(string Name, string? Folder, int Pictures, IReadOnlyList<AssetStatus> Files, string? Note);
