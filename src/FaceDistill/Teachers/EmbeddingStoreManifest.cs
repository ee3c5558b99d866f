using System.Reflection;
using FaceDistill.Formats;

namespace FaceDistill.Teachers;

/// <summary>What <c>store.json</c> says: the key and who wrote it.</summary>
/// <param name="FormatVersion">The layout's version; this FaceDistill reads and writes <see cref="CurrentVersion"/>.</param>
/// <param name="CreatedBy">The FaceDistill that made the store, for people.</param>
/// <param name="Key">What the store holds.</param>
internal sealed record EmbeddingStoreManifest(int FormatVersion, string CreatedBy, EmbeddingStoreKey Key)
{
    /// <summary>The layout's version.</summary>
    public const int CurrentVersion = 1;

    /// <summary>The file's name in the store's folder.</summary>
    public const string FileName = "store.json";

    /// <summary>Reads and checks the file.</summary>
    /// <exception cref="FaceDistillException">It is missing, damaged, of another version or holds an impossible key.</exception>
    public static EmbeddingStoreManifest Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw new FaceDistillException($"{folder} is no embedding store ({FileName} is missing); run embed first or name another folder");
        }

        var manifest = JsonFile.Read<EmbeddingStoreManifest>(path);
        if (manifest.FormatVersion != CurrentVersion)
        {
            throw new FaceDistillException(
                $"{path} has format version {manifest.FormatVersion}, this FaceDistill knows {CurrentVersion}; embed into another folder");
        }

        manifest.Key.Check(path);
        return manifest;
    }

    /// <summary>Writes the file of a new store.</summary>
    /// <exception cref="FaceDistillException">The file cannot be written.</exception>
    public static void Write(string folder, EmbeddingStoreKey key)
    {
        string version = typeof(EmbeddingStoreManifest).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
        JsonFile.Write(Path.Combine(folder, FileName), new EmbeddingStoreManifest(CurrentVersion, $"FaceDistill {version}", key));
    }
}
