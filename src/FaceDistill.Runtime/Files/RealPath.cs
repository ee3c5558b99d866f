using System.Runtime.InteropServices;

namespace FaceDistill.Files;

/// <summary>What stands at a path.</summary>
internal enum FileKind
{
    /// <summary>Nothing, or a link that leads nowhere.</summary>
    Missing,

    /// <summary>A file with bytes in it.</summary>
    File,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>A symbolic link (or a junction), where links are not followed.</summary>
    Link,

    /// <summary>A pipe, a socket or a device: to open one may wait for ever, to read one may never end.</summary>
    Other,
}

/// <summary>Tells files from what only looks like one, without opening it.</summary>
internal static unsafe partial class FileKinds
{
    private const int AtCurrentFolder = -100, NoFollow = 0x100, TypeOnly = 1; // AT_FDCWD, AT_SYMLINK_NOFOLLOW, STATX_TYPE
    internal const int StatusBytes = 512; // more than either takes
    private const int NoEntry = 2, NoFolder = 20; // ENOENT, ENOTDIR
    private static readonly int s_loop = OperatingSystem.IsLinux() ? 40 : 62, s_tooLong = OperatingSystem.IsLinux() ? 36 : 63; // ELOOP, ENAMETOOLONG

    /// <summary>What stands at a path.</summary>
    /// <param name="path">The path.</param>
    /// <param name="follow">Whether a link stands for what it leads to.</param>
    /// <exception cref="IOException">The system does not tell, for example since a folder on the way may not be entered.</exception>
    public static FileKind Of(string path, bool follow = true)
    {
        if (OperatingSystem.IsWindows())
        {
            return OfWindows(path, follow);
        }

        // The file's type is in bits 12 to 15 of its mode. struct statx is the same on every Linux; macOS has st_mode behind a 32-bit st_dev.
        byte* status = stackalloc byte[StatusBytes];
        bool linux = OperatingSystem.IsLinux();
        if (Status(path, follow, TypeOnly, status) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            return error is NoEntry or NoFolder || error == s_loop ? FileKind.Missing
                : error == s_tooLong ? throw new PathTooLongException($"the path is too long: '{path}'")
                : throw new IOException($"{Marshal.GetPInvokeErrorMessage(error)}: '{path}'", error);
        }

        return (*(ushort*)(status + (linux ? 28 : 4)) & 0xf000) switch
        {
            0x8000 => FileKind.File,
            0x4000 => FileKind.Folder,
            0xa000 => FileKind.Link,
            _ => FileKind.Other,
        };
    }

    /// <summary>What Linux (struct statx) or macOS (struct stat) tells of a file; 0 where it does.</summary>
    internal static int Status(string path, bool follow, uint wanted, byte* status) => OperatingSystem.IsLinux()
        ? StatX(AtCurrentFolder, path, follow ? 0 : NoFollow, wanted, status)
        : follow ? Stat(path, status) : LStat(path, status);

    private static FileKind OfWindows(string path, bool follow)
    {
        FileSystemInfo info = Directory.Exists(path) ? new DirectoryInfo(path) : new FileInfo(path);
        if (info.LinkTarget is not null)
        {
            try
            {
                return !follow ? FileKind.Link : info.ResolveLinkTarget(returnFinalTarget: true) is { Exists: true } end
                    ? end is DirectoryInfo ? FileKind.Folder : FileKind.File : FileKind.Missing;
            }
            catch (IOException)
            {
                return FileKind.Missing; // a link to itself
            }
        }

        return !info.Exists ? FileKind.Missing : info is DirectoryInfo ? FileKind.Folder : FileKind.File;
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, byte* status);

    [LibraryImport("libc", EntryPoint = "stat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Stat(string path, byte* status);

    [LibraryImport("libc", EntryPoint = "lstat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int LStat(string path, byte* status);
}

/// <summary>Paths without links in them.</summary>
internal static class RealPath
{
    private const int MostLinks = 40; // as Linux follows

    /// <summary>The full path, every link on it followed; of what is not there yet, the part that is.</summary>
    /// <exception cref="FaceDistillException">Links lead in a circle.</exception>
    public static string Of(string path)
    {
        string full = Path.GetFullPath(path), real = Path.GetPathRoot(full)!;
        var ahead = new Stack<string>();
        Push(ahead, full[real.Length..]);
        for (int links = 0; ahead.TryPop(out string? part);)
        {
            if (part == "..")
            {
                real = Path.GetDirectoryName(real) ?? real;
                continue;
            }

            string next = Path.Combine(real, part);
            if (Target(next) is not { } target)
            {
                real = next;
                continue;
            }

            if (++links > MostLinks)
            {
                throw new FaceDistillException($"{path} leads through links without end; name the folder itself");
            }

            string root = Path.IsPathRooted(target) ? Path.GetPathRoot(target)! : "";
            real = root.Length > 0 ? Path.GetFullPath(root) : real;
            Push(ahead, target[root.Length..]);
        }

        return real;
    }

    /// <summary>Whether a place is a folder or lies in it, whatever links lead to either.</summary>
    /// <exception cref="FaceDistillException">Links lead in a circle.</exception>
    public static bool Within(string place, string folder) => RealWithin(Of(place), Of(folder));

    /// <summary>The same of paths without links.</summary>
    public static bool RealWithin(string place, string folder)
    {
        string within = Path.GetRelativePath(folder, place); // compares names as the system does
        return !Path.IsPathRooted(within) && within.Split(Path.DirectorySeparatorChar)[0] != "..";
    }

    private static void Push(Stack<string> ahead, string path)
    {
        foreach (string part in path.Split(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar).Reverse().Where(part => part is not ("" or ".")))
        {
            ahead.Push(part);
        }
    }

    private static string? Target(string path) => (Directory.Exists(path) ? (FileSystemInfo)new DirectoryInfo(path) : new FileInfo(path)).LinkTarget;
}
