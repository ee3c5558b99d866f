using System.Security.Cryptography;

namespace FaceDistill.Files;

/// <summary>SHA-256 of files.</summary>
internal static class FileHash
{
    /// <summary>The file's SHA-256 as 64 lower-case hexadecimal digits.</summary>
    /// <exception cref="FaceDistillException">The file cannot be read.</exception>
    public static string Sha256(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read {path}: {e.Message}", e);
        }
    }
}
