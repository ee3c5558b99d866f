using System.Text.RegularExpressions;

namespace FaceDistill.Assets;

/// <summary>One file that a card needs.</summary>
/// <param name="File">The local file name, without folders.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="Sha256">SHA-256 as 64 hexadecimal digits; null only for a file that each user has his own of.</param>
/// <param name="Bytes">No more bytes than this are fetched; null means <see cref="DefaultMaxBytes"/>.</param>
public sealed partial record Asset(string File, AssetSource Source, string? Sha256 = null, long? Bytes = null)
{
    /// <summary>The bound for an asset whose card names none: 2 GiB, above any model or data set at hand.</summary>
    public const long DefaultMaxBytes = 2L << 30;

    /// <summary>The most bytes that are fetched for this file.</summary>
    public long MaxBytes() => Bytes ?? DefaultMaxBytes;

    /// <summary>Checks every field.</summary>
    /// <param name="origin">The card, for the message.</param>
    /// <returns>The asset itself.</returns>
    /// <exception cref="FaceDistillException">A field is malformed; the message names origin, file and field.</exception>
    public Asset Validated(string origin)
    {
        string? wrong = !IsPlainName(File) ? "\"file\" is to be a plain file name of letters, digits, '.', '_' and '-'"
            : Sha256 is not null && !HexDigest().IsMatch(Sha256) ? "\"sha256\" is to be 64 hexadecimal digits"
            : Bytes <= 0 ? "\"bytes\" is to be positive"
            : Source.Problem()
            ?? (Sha256 is null && Source.IsDownloaded() ? "a file that is downloaded needs its \"sha256\"" : null);
        return wrong is null ? this : throw new FaceDistillException($"{origin}, asset '{File}': {wrong}");
    }

    /// <summary>Whether a file's SHA-256 is the card's; true where the card names none.</summary>
    /// <param name="actual">64 lower-case hexadecimal digits.</param>
    public bool Accepts(string actual) => Sha256 is null || string.Equals(Sha256, actual, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a name can stand as a file or folder name on every platform and leads nowhere else.</summary>
    internal static bool IsPlainName(string name) => PlainName().IsMatch(name);

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,127}(?<!\.)\z")]
    private static partial Regex PlainName();

    [GeneratedRegex(@"\A[0-9a-fA-F]{64}\z")]
    private static partial Regex HexDigest();
}
