namespace FaceDistill.Files;

/// <summary>Keeps two processes from writing one folder.</summary>
internal sealed class FolderLock : IDisposable
{
    /// <summary>The lock file's name; a leading dot, so that programs that read the folder's files skip it.</summary>
    public const string FileName = ".lock";

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100), Patience = TimeSpan.FromHours(1);

    private readonly LockFile _file;
    private readonly string? _made; // the folder, where it was missing

    private FolderLock(LockFile file, string? made = null) => (_file, _made) = (file, made);

    /// <summary>Whether the lock was let go.</summary>
    public bool IsDisposed { get; private set; }

    /// <summary>Takes a folder's lock; makes the folder where it is missing, and deletes it again where nothing came into it.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="part">Whose part of the folder's work it is that only one does at a time; null for all of it.</param>
    /// <exception cref="FaceDistillException">Another process holds it, or the folder cannot be written.</exception>
    public static FolderLock Take(string folder, string? part = null)
    {
        string? made = Directory.Exists(folder) ? null : folder;
        return new(LockFile.TryTake(Of(folder, part)) ?? throw new FaceDistillException(
            $"another facedistill is writing {(part is null ? "" : $"part {part} ")}to {folder}; wait for it"
                + $"{(part is null ? ", or choose another --output" : "")}"),
            made);
    }

    /// <summary>The parts of a folder that are held; the locks of killed processes are deleted.</summary>
    public static IReadOnlyList<string> Parts(string folder)
    {
        var held = new List<string>();
        foreach (string file in Directory.GetFiles(folder, FileName + "-*").Order(StringComparer.Ordinal))
        {
            var free = LockFile.TryTake(file);
            free?.Dispose();
            if (free is null && File.Exists(file))
            {
                held.Add(Path.GetFileName(file)[(FileName.Length + 1)..]);
            }
        }

        return held;
    }

    private static string Of(string folder, string? part) => Path.Combine(folder, part is null ? FileName : $"{FileName}-{part}");

    /// <summary>Takes the lock of a folder of the cache, waiting for whoever holds it: that one makes what is wanted here too.</summary>
    /// <param name="folder">The folder; made where it is missing.</param>
    /// <param name="job">Told once, in a line, that there is somebody to wait for.</param>
    /// <param name="told">Whether there was.</param>
    /// <param name="patience">How long the holder may write nothing; null for an hour.</param>
    /// <param name="part">Whose part of the folder's work it is that only one does at a time: others' parts have locks of their own. Null for all of
    /// it.</param>
    /// <exception cref="FaceDistillException">The folder cannot be written, or its holder writes nothing any more.</exception>
    public static FolderLock Wait(string folder, JobContext job, out bool told, TimeSpan? patience = null, string? part = null)
    {
        var seen = DateTime.UtcNow;
        for (told = false; ; told = true)
        {
            if (LockFile.TryTake(Of(folder, part)) is { } file)
            {
                return new FolderLock(file);
            }

            string line = $"waiting for another facedistill that fills {folder}";
            if (!told && job.Say is { } say)
            {
                say(line);
            }
            else if (!told)
            {
                job.Progress?.Report(new WorkProgress(line, 0, 0, "images"));
            }

            if (DateTime.UtcNow - seen > (patience ?? Patience))
            {
                seen = LastWriting(folder) is var last && last > seen ? last : throw new FaceDistillException(InvariantText.Of(
                    $"another facedistill holds {folder} and has written nothing there for {(patience ?? Patience).TotalMinutes:0.#} minutes; end it, and "
                        + $"run again"));
            }

            job.Cancel.WaitHandle.WaitOne(Poll);
            job.Cancel.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Deletes the lock that a killed process left in a folder; one that is held stays.</summary>
    public static void Sweep(string folder)
    {
        if (File.Exists(Path.Combine(folder, FileName)))
        {
            LockFile.TryTake(Path.Combine(folder, FileName))?.Dispose();
        }
    }

    /// <summary>When something last came into a folder, or into one in it.</summary>
    private static DateTime LastWriting(string folder) => new DirectoryInfo(folder).EnumerateFileSystemInfos()
        .Select(entry => entry.LastWriteTimeUtc).Append(Directory.GetLastWriteTimeUtc(folder)).Max();

    /// <summary>Lets go of the lock.</summary>
    public void Dispose()
    {
        IsDisposed = true;
        _file.Dispose();
        try
        {
            if (_made is not null && !Directory.EnumerateFileSystemEntries(_made).Any())
            {
                Directory.Delete(_made); // of a work that was refused
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Somebody else's by now.
        }
    }
}

/// <summary>A file that one process at a time can hold; the system lets go of it when its holder ends, however it ends.</summary>
internal sealed class LockFile : IDisposable
{
    // "Held by somebody else": Windows' sharing violation, EWOULDBLOCK of Linux and of macOS.
    private static readonly int[] Held = [unchecked((int)0x80070020), 11, 35];

    private readonly FileStream _file;

    private LockFile(FileStream file) => _file = file;

    /// <summary>Takes the lock; makes its folder where it is missing.</summary>
    /// <returns>The lock, to be disposed; null where another holds it.</returns>
    /// <exception cref="FaceDistillException">The file cannot be written.</exception>
    public static LockFile? TryTake(string path)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
            if (File.Exists(path))
            {
                return new LockFile(file);
            }

            // The last holder deleted the file between our opening and our locking it: this lock keeps nobody out.
            file.Dispose();
            return null;
        }
        catch (IOException e) when (Held.Contains(e.HResult))
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot write to {Path.GetDirectoryName(Path.GetFullPath(path))}: {e.Message}", e);
        }
    }

    /// <summary>Lets go of the lock and deletes its file.</summary>
    public void Dispose() => _file.Dispose();
}
