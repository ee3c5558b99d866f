using System.Formats.Tar;
using System.IO.Compression;

namespace FaceDistill.Assets;

/// <summary>
/// Unpacks .tgz, .tar.gz, .tar and .zip without trusting them: nothing leaves the folder, links and devices are refused,
/// number, size and headers are bounded, a file is never written twice, and a .zip's sizes and check sums hold. Permissions and times in the archive are
/// ignored.
/// </summary>
internal static class ArchiveUnpacker
{
    // Unix file type bits in a zip entry's external attributes (upper 16 bits): S_IFMT and S_IFREG, S_IFDIR of <sys/stat.h>.
    private const int TypeMask = 0xF000;
    private const int RegularType = 0x8000;
    private const int FolderType = 0x4000;

    /// <summary>Whether a file's name ends as an archive that can be unpacked.</summary>
    public static bool CanUnpack(string name) => IsZip(name) || IsGzip(name) || name.EndsWith(".tar", StringComparison.OrdinalIgnoreCase);

    /// <summary>Unpacks an archive into a folder that does not exist yet; it appears only when it is whole.</summary>
    /// <param name="archive">The archive.</param>
    /// <param name="target">The folder to make.</param>
    /// <param name="limits">Bounds; null for <see cref="UnpackLimits.Default"/>.</param>
    /// <param name="job">Entries unpacked; the number in all is known for .zip only.</param>
    /// <exception cref="FaceDistillException">
    /// The folder exists, the archive is damaged, hostile or above a bound, or the disk refuses; nothing is left.
    /// </exception>
    public static void Unpack(
        string archive, string target, UnpackLimits? limits, JobContext job) =>
        StagedFolder.Make(target, staged => UnpackInto(archive, staged, limits, job));

    /// <summary>Unpacks an archive into an existing empty folder that the caller throws away on any failure.</summary>
    internal static void UnpackInto(
        string archive, string folder, UnpackLimits? limits, JobContext job)
    {
        if (!File.Exists(archive))
        {
            throw new FaceDistillException($"no archive {archive}");
        }

        string name = Path.GetFileName(archive);
        var sink = new UnpackFolder(folder, name, limits ?? UnpackLimits.Default, job);
        try
        {
            using var file = File.OpenRead(archive);
            if (IsZip(archive))
            {
                UnpackZip(file, sink, name);
            }
            else
            {
                using Stream unpacked = IsGzip(archive) ? new GZipStream(file, CompressionMode.Decompress) : file;
                UnpackTar(unpacked, sink, limits ?? UnpackLimits.Default, name);
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or NotSupportedException or InvalidOperationException
            or ArgumentException)
        {
            throw new FaceDistillException($"{archive} is not a readable archive ({e.Message}); delete it and fetch it again", e);
        }
    }

    private static void UnpackTar(Stream stream, UnpackFolder sink, UnpackLimits limits, string name)
    {
        // Headers count too, so the bound of the raw stream allows a kilobyte of them an entry.
        using var bounded = new BoundedStream(stream, limits.Bytes + (limits.Entries * 1024L) + 10240, name);
        using var reader = new TarReader(bounded);
        while (reader.GetNextEntry() is { } entry)
        {
            switch (entry.EntryType)
            {
                case TarEntryType.Directory:
                    sink.AddFolder(entry.Name);
                    break;
                case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                    sink.AddFile(entry.Name, entry.DataStream ?? Stream.Null);
                    break;
                case TarEntryType.GlobalExtendedAttributes:
                    sink.Count();
                    break;
                default:
                    throw sink.Refused(entry.Name, $"is a {entry.EntryType}");
            }
        }
    }

    private static void UnpackZip(Stream stream, UnpackFolder sink, string name)
    {
        using var zip = new ZipArchive(stream, ZipArchiveMode.Read);
        sink.Total = zip.Entries.Count;
        foreach (var entry in zip.Entries)
        {
            int type = (entry.ExternalAttributes >> 16) & TypeMask;
            if (type is not (0 or RegularType or FolderType))
            {
                throw sink.Refused(entry.FullName, "is a link or a device");
            }

            if (entry.FullName.EndsWith('/') || type == FolderType)
            {
                sink.AddFolder(entry.FullName);
                continue;
            }

            using var content = new Crc32Stream(entry.Open());
            sink.AddFile(entry.FullName, content);
            if (content.Length != entry.Length || content.Crc != entry.Crc32)
            {
                throw sink.Refused(entry.FullName, "is damaged: its size or check sum (CRC-32) is another");
            }
        }
    }

    private static bool IsZip(string name) => name.EndsWith(".zip", StringComparison.OrdinalIgnoreCase);

    private static bool IsGzip(string name) =>
        name.EndsWith(".tgz", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".tar.gz", StringComparison.OrdinalIgnoreCase);
}

/// <summary>The folder that an archive is unpacked into; checks each entry's name and keeps count.</summary>
internal sealed class UnpackFolder(
    string folder, string archive, UnpackLimits limits, JobContext job)
{
    private readonly string _root = Path.GetFullPath(folder);
    private readonly byte[] _buffer = new byte[1 << 16];
    private long _bytes;
    private int _entries;

    /// <summary>Entries in all, where the archive tells.</summary>
    public int Total { get; set; }

    public void AddFolder(string name)
    {
        Count();
        string path = PathOf(name);
        if (Parents(path).Append(path).FirstOrDefault(File.Exists) is not null)
        {
            throw Refused(name, "is a folder where another entry is a file");
        }

        Written(name, () => Directory.CreateDirectory(path));
    }

    public void AddFile(string name, Stream content)
    {
        Count();
        string path = PathOf(name);
        if (path == _root || Directory.Exists(path) || File.Exists(path))
        {
            throw Refused(name, "is there twice or names no file");
        }

        if (Parents(path).FirstOrDefault(File.Exists) is not null)
        {
            throw Refused(name, "lies in another entry that is a file");
        }

        using var file = Written(name, () =>
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            return new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        });
        int read;
        while ((read = content.Read(_buffer)) > 0)
        {
            job.Cancel.ThrowIfCancellationRequested();
            _bytes += read;
            if (_bytes > limits.Bytes)
            {
                throw new FaceDistillException($"{archive} unpacks to more than {limits.Bytes} bytes; it was not unpacked");
            }

            Written(name, () => file.Write(_buffer, 0, read));
        }
    }

    private IEnumerable<string> Parents(string path)
    {
        for (string? parent = Path.GetDirectoryName(path); parent is not null && parent.Length > _root.Length; parent = Path.GetDirectoryName(parent))
        {
            yield return parent;
        }
    }

    // What the system refuses is the archive's doing as often as the disk's: a name too long, a file where a folder is to be.
    private T Written<T>(string name, Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without the path, of a folder that goes again.
            string reason = e is PathTooLongException
                ? "its name is too long for this system"
                : e.Message.Split(" : '")[0].Replace(_root, "", StringComparison.Ordinal);
            throw Refused(name, $"cannot be written: {reason}");
        }
    }

    private void Written(string name, Action write) => Written(name, () =>
    {
        write();
        return 0;
    });

    public FaceDistillException Refused(string name, string why) =>
        new($"{archive}: entry '{Printable(name)}' {why}; the archive was not unpacked");

    /// <summary>Counts an entry.</summary>
    /// <exception cref="FaceDistillException">There are more than allowed.</exception>
    public void Count()
    {
        job.Cancel.ThrowIfCancellationRequested();
        if (++_entries > limits.Entries)
        {
            throw new FaceDistillException($"{archive} holds more than {limits.Entries} entries; it was not unpacked");
        }

        job.Progress?.Report(new WorkProgress($"unpacking {archive}", _entries, Total, "files"));
    }

    // Refused on every platform, whatever it would mean on this one: an archive is made to be read anywhere. A ':' is a
    // drive or, on NTFS, a second stream of a file.
    private string PathOf(string name)
    {
        string[] parts = name.Split('/', '\\');
        bool leaves = name.Length == 0 || parts[0].Length == 0 || parts.Contains("..")
            || name.Any(c => c is ':' || char.IsControl(c));
        string path = leaves ? _root : Path.GetFullPath(Path.Combine([_root, .. parts]));
        return !leaves && (path + Path.DirectorySeparatorChar).StartsWith(_root + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? path.TrimEnd(Path.DirectorySeparatorChar)
            : throw Refused(name, "leaves the folder");
    }

    private static string Printable(string name) => string.Concat(name.Take(200).Select(c => char.IsControl(c) ? '?' : c));
}

/// <summary>What an archive may at most unpack to.</summary>
/// <param name="Entries">Files and folders.</param>
/// <param name="Bytes">Bytes of all files together.</param>
internal sealed record UnpackLimits(int Entries, long Bytes)
{
    /// <summary>A million entries and 64 GiB: above any face data set that comes in one archive, below most disks.</summary>
    public static UnpackLimits Default { get; } = new(1_000_000, 64L << 30);
}
