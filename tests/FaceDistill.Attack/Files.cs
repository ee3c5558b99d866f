using System.Diagnostics;
using System.Security.Cryptography;

namespace FaceDistill.Attack;

/// <summary>Files and folders.</summary>
internal static class Files
{
    /// <summary>The relative paths of all files below a folder, in order; a file is its own.</summary>
    public static string[] Under(string path) => Directory.Exists(path)
        ? [.. Directory.EnumerateFiles(path, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
            .Select(f => Path.GetRelativePath(path, f)).Order(StringComparer.Ordinal)]
        : File.Exists(path) ? [Path.GetFileName(path)] : [];

    /// <summary>A file's SHA-256.</summary>
    public static byte[] Hash(string path)
    {
        using var stream = File.OpenRead(path);
        return SHA256.HashData(stream);
    }

    /// <summary>Copies a file or a folder with its dates.</summary>
    public static void Copy(string source, string target)
    {
        if (File.Exists(source))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(source, target, overwrite: true);
            return;
        }

        Directory.CreateDirectory(target);
        foreach (string file in Under(source))
        {
            Copy(Path.Combine(source, file), Path.Combine(target, file));
        }
    }
}

/// <summary>A mounted folder: a small disk in memory, or a read-only view; needs the right to mount.</summary>
internal sealed class Disk : IDisposable
{
    private Disk(string folder) => Folder = folder;

    /// <summary>Where it is mounted.</summary>
    public string Folder { get; }

    private string Filler => Path.Combine(Folder, "filler");

    /// <summary>A path on it.</summary>
    public string this[string name] => Path.Combine(Folder, name);

    /// <summary>A disk of so many megabytes.</summary>
    public static Disk Memory(string folder, int megabytes)
    {
        Directory.CreateDirectory(folder);
        return Mounted(folder, "-t", "tmpfs", "-o", $"size={megabytes}m", "none", folder);
    }

    /// <summary>The folder, read-only.</summary>
    public static Disk ReadOnly(string folder)
    {
        var disk = Mounted(folder, "--bind", folder, folder);
        return Do("mount", "-o", "remount,ro,bind", folder) ? disk : throw new SkipException("a folder cannot be remounted read-only here");
    }

    /// <summary>Fills it up but for so many kilobytes.</summary>
    public void Fill(int leaving)
    {
        Free();
        long free = new DriveInfo(Folder).AvailableFreeSpace - (leaving * 1024L);
        using var stream = File.Create(Filler);
        byte[] block = new byte[4096];
        for (; free >= block.Length; free -= block.Length)
        {
            stream.Write(block);
        }
    }

    /// <summary>Takes the filling away.</summary>
    public void Free() => File.Delete(Filler);

    /// <inheritdoc/>
    public void Dispose() => Do("umount", "-l", Folder);

    private static Disk Mounted(string folder, params string[] arguments) =>
        Do("mount", arguments) ? new Disk(folder) : throw new SkipException("no right to mount a small file system (root has it)");

    private static bool Do(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
