namespace FaceDistill.Assets;

/// <summary>The folder that an archive is unpacked into; checks each entry's name and keeps count.</summary>
internal sealed class UnpackFolder(
    string folder, string archive, UnpackLimits limits, IProgress<WorkProgress>? progress, CancellationToken cancellation)
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
        Directory.CreateDirectory(PathOf(name));
    }

    public void AddFile(string name, Stream content)
    {
        Count();
        string path = PathOf(name);
        if (path == _root || Directory.Exists(path) || File.Exists(path))
        {
            throw Refused(name, "is there twice or names no file");
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        int read;
        while ((read = content.Read(_buffer)) > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            _bytes += read;
            if (_bytes > limits.Bytes)
            {
                throw new FaceDistillException($"{archive} unpacks to more than {limits.Bytes} bytes; it was not unpacked");
            }

            file.Write(_buffer, 0, read);
        }
    }

    public FaceDistillException Refused(string name, string why) =>
        new($"{archive}: entry '{Printable(name)}' {why}; the archive was not unpacked");

    private void Count()
    {
        cancellation.ThrowIfCancellationRequested();
        if (++_entries > limits.Entries)
        {
            throw new FaceDistillException($"{archive} holds more than {limits.Entries} entries; it was not unpacked");
        }

        progress?.Report(new WorkProgress($"unpacking {archive}", _entries, Total, "files"));
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
