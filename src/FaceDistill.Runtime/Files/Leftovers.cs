using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace FaceDistill.Files;

/// <summary>
/// Names what is written beside its target until it is whole, and clears what killed processes left: each process, before it first writes into a folder,
/// deletes from it what belongs to none that lives.
/// </summary>
/// <remarks>
/// A name says which process writes, by its number and its machine: TARGET.NUMBER-MACHINE(8 digits)RANDOM(24).part. Where a process of that number lives but
/// began after the last writing, it is another one, which was given the number again. What another machine wrote (a shared disk, another container) is left
/// for a day.
/// </remarks>
internal static partial class Leftovers
{
    private const int MostNameBytes = 64; // of the target's name; file systems give a name 255 bytes, 143 where they encrypt it
    private static readonly TimeSpan OtherMachines = TimeSpan.FromDays(1), Clock = TimeSpan.FromSeconds(2);
    private static readonly string Machine =
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Environment.MachineName)))[..8];

    private static readonly ConcurrentDictionary<string, bool> Swept = new(StringComparer.Ordinal);

    /// <summary>A new name beside a target, in whose folder nothing of dead processes is left; the folder is made where it is missing.</summary>
    public static string Beside(string target, bool hidden = false)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(target))!, name = Path.GetFileName(target);
        Directory.CreateDirectory(folder);
        if (Swept.TryAdd(folder, true))
        {
            Sweep(folder);
        }

        int length = name.Length;
        while (Encoding.UTF8.GetByteCount(name.AsSpan(0, length)) > MostNameBytes || (length > 0 && char.IsHighSurrogate(name[length - 1])))
        {
            length--;
        }

        string random = Guid.NewGuid().ToString("N")[..24];
        return Path.Combine(folder, InvariantText.Of($"{(hidden ? "." : "")}{name[..length]}.{Environment.ProcessId}-{Machine}{random}.part"));
    }

    /// <summary>Makes a folder of this process under the system's temporary ones, for its user alone.</summary>
    /// <param name="purpose">A word for its name.</param>
    /// <param name="all">The folder of temporary ones; null for the system's.</param>
    /// <exception cref="FaceDistillException">There is no folder of temporary files, or it cannot be written.</exception>
    public static string TemporaryFolder(string purpose, string? all = null)
    {
        all ??= Path.GetTempPath();
        try
        {
            string folder = Beside(Path.Combine(all, "facedistill-" + purpose));
            if (OperatingSystem.IsWindows())
            {
                return Directory.CreateDirectory(folder).FullName;
            }

            return Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"the folder of temporary files {all} cannot be written: {e.Message}; set "
                + $"{(OperatingSystem.IsWindows() ? "TMP" : "TMPDIR")} to a folder that can", e);
        }
    }

    /// <summary>Deletes what dead processes left in a folder.</summary>
    public static void Sweep(string folder)
    {
        try
        {
            foreach (string entry in Directory.EnumerateFileSystemEntries(folder, "*.part*").Where(IsDead).ToList())
            {
                Delete(entry);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What cannot be listed is not written either; that says why.
        }
    }

    /// <summary>Deletes a file or a folder; where that fails, a later sweep has to do it.</summary>
    public static void Delete(string path)
    {
        try
        {
            if (Directory.Exists(path) && new FileInfo(path).LinkTarget is null)
            {
                Directory.Delete(path, recursive: true);
            }
            else
            {
                File.Delete(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The failure that brought us here is the one to report.
        }
    }

    /// <summary>Whether this is what a process left that no longer lives.</summary>
    internal static bool IsDead(string entry)
    {
        if (NamePattern().Match(Path.GetFileName(entry)) is not { Success: true } name)
        {
            return false;
        }

        var written = File.GetLastWriteTimeUtc(entry);
        if (name.Groups["machine"].Value != Machine)
        {
            return DateTime.UtcNow - written > OtherMachines;
        }

        if (!InvariantNumber.Count(name.Groups["process"].Value, out int number))
        {
            return true; // no process has such a number
        }

        try
        {
            using var process = Process.GetProcessById(number);
            return HasEnded(process.Id) || process.StartTime.ToUniversalTime() > written + Clock;
        }
        catch (ArgumentException)
        {
            return true; // nobody has that number
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception or NotSupportedException)
        {
            return false; // it lives, and does not say since when
        }
    }

    /// <summary>Whether a process has ended and only waits for its parent to ask how.</summary>
    private static bool HasEnded(int process)
    {
        string file = InvariantText.Of($"/proc/{process}/stat"); // number (name) state ...
        try
        {
            string text = OperatingSystem.IsLinux() ? File.ReadAllText(file) : "";
            return text.LastIndexOf(')') is >= 0 and var end && text[end + 2] is 'Z' or 'X';
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"^.+\.(?<process>[0-9]{1,9})-(?<machine>[0-9a-f]{8})[0-9a-f]{24}\.part(\.onnx)?\z", RegexOptions.Singleline)]
    private static partial Regex NamePattern();
}

/// <summary>Whether a folder can be written, asked before something that can do without.</summary>
internal static class WritableFolder
{
    private const int ReadOnlyFileSystem = 30; // EROFS of Linux and of macOS

    /// <summary>Why a folder, or the nearest one above it, takes no file; null where it takes one, or where only writing itself can tell.</summary>
    public static string? WhyNot(string folder)
    {
        string? place = Path.GetFullPath(folder);
        while (place is not null && !Directory.Exists(place) && !File.Exists(place))
        {
            place = Path.GetDirectoryName(place);
        }

        try
        {
            using var probe = new FileStream(Leftovers.Beside(Path.Combine(place ?? folder, "probe"), hidden: true), FileMode.CreateNew, FileAccess.Write,
                FileShare.None, 1, FileOptions.DeleteOnClose);
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return "access is denied";
        }
        catch (IOException e)
        {
            return File.Exists(place) ? $"{place} is a file" : e.HResult == ReadOnlyFileSystem ? "the file system is read-only" : null;
        }
    }
}
