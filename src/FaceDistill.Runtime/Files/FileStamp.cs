using System.Buffers.Binary;

namespace FaceDistill.Files;

/// <summary>What the system says of a file without reading it. While it stays the same, so does the file, unless somebody takes pains.</summary>
/// <param name="Size">Its bytes.</param>
/// <param name="Written">When its content was last written, nanoseconds since 1970; programs can set it.</param>
/// <param name="Changed">When anything of it last changed, its name or its dates too, likewise; the system alone sets it. On Windows when it was made.</param>
/// <param name="Number">The file's number in its file system; 0 on Windows.</param>
internal readonly record struct FileStamp(long Size, long Written, long Changed, ulong Number)
{
    private const int BasicStatus = 0x7ff; // STATX_BASIC_STATS

    /// <summary>That of a file, or of what a link leads to; null where there is none, or the system does not say.</summary>
    public static unsafe FileStamp? Of(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            var file = new FileInfo(path);
            static long Nanoseconds(DateTime time) => (time - DateTime.UnixEpoch).Ticks * 100;
            return !file.Exists || file.LinkTarget is not null ? null
                : new FileStamp(file.Length, Nanoseconds(file.LastWriteTimeUtc), Nanoseconds(file.CreationTimeUtc), 0);
        }

        byte* bytes = stackalloc byte[FileKinds.StatusBytes];
        if (FileKinds.Status(path, follow: true, BasicStatus, bytes) != 0)
        {
            return null;
        }

        // struct statx is the same on every Linux, struct stat (with 64-bit numbers) on every macOS: bytes of size, number, and seconds and nanoseconds of
        // times.
        var status = new ReadOnlySpan<byte>(bytes, FileKinds.StatusBytes);
        var (size, number, written, changed) = OperatingSystem.IsLinux() ? (40, 32, 112, 96) : (96, 8, 48, 64);
        return new FileStamp(BinaryPrimitives.ReadInt64LittleEndian(status[size..]), Time(status[written..]), Time(status[changed..]),
            BinaryPrimitives.ReadUInt64LittleEndian(status[number..]));
    }

    private static long Time(ReadOnlySpan<byte> time) =>
        (BinaryPrimitives.ReadInt64LittleEndian(time) * 1_000_000_000) + BinaryPrimitives.ReadInt32LittleEndian(time[8..]);
}
