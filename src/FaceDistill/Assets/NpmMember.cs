namespace FaceDistill.Assets;

/// <summary>A file wanted from an npm package.</summary>
/// <param name="Path">Its path inside the package, with '/' between folders.</param>
/// <param name="Target">Where it goes.</param>
/// <param name="Sha256">64 hexadecimal digits.</param>
/// <param name="MaxBytes">The most bytes to take.</param>
public sealed record NpmMember(string Path, string Target, string Sha256, long MaxBytes);
