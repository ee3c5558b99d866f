namespace FaceDistill.Evaluation;

/// <summary>How probes are searched in a gallery.</summary>
/// <param name="Gallery">Paths of the gallery's images, with or without extension; null for the first image of each identity.</param>
/// <param name="UnknownShare">The share of the gallery's identities that the open-set search takes out of it, at least 0 and below 1, to have
/// probes of unknown people; null for none where the gallery lacks people anyway, and otherwise a half.</param>
/// <param name="Seed">Decides who is taken out.</param>
/// <param name="Fars">The false alarm rates; null for 1e-2 and 1e-3.</param>
public sealed record IdentificationOptions(
    IReadOnlyList<string>? Gallery = null, double? UnknownShare = null, long Seed = 1, IReadOnlyList<double>? Fars = null)
{
    /// <summary>1e-2 and 1e-3.</summary>
    public static IReadOnlyList<double> DefaultFars { get; } = [1e-2, 1e-3];
}
