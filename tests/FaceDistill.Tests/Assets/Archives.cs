using System.Formats.Tar;
using System.IO.Compression;

namespace FaceDistill.Tests.Assets;

/// <summary>Makes archives for the tests.</summary>
internal static class Archives
{
    /// <summary>Writes a .tar, or a compressed one where the name ends otherwise; a name that ends in '/' is a folder.</summary>
    public static void WriteTar(string path, params (string Name, byte[] Content)[] entries)
    {
        Stream file = File.Create(path);
        using var writer = new TarWriter(path.EndsWith(".tar", StringComparison.Ordinal) ? file : new GZipStream(file, CompressionLevel.Fastest));
        foreach (var (name, content) in entries)
        {
            bool folder = name.EndsWith('/');
            var entry = new PaxTarEntry(folder ? TarEntryType.Directory : TarEntryType.RegularFile, name);
            if (!folder)
            {
                entry.DataStream = new MemoryStream(content);
            }

            writer.WriteEntry(entry);
        }
    }
}
