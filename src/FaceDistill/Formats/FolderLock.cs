namespace FaceDistill.Formats;

/// <summary>Keeps two processes from writing one folder.</summary>
public sealed class FolderLock : IDisposable
{
    /// <summary>The lock file's name; a leading dot, so that programs that read the folder's files skip it.</summary>
    public const string FileName = ".lock";

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    private readonly LockFile _file;

    private FolderLock(LockFile file) => _file = file;

    /// <summary>Whether the lock was let go.</summary>
    public bool IsDisposed { get; private set; }

    /// <summary>Takes a folder's lock; makes the folder where it is missing.</summary>
    /// <exception cref="FaceDistillException">Another process holds it, or the folder cannot be written.</exception>
    public static FolderLock Take(string folder) => new(LockFile.TryTake(Path.Combine(folder, FileName))
        ?? throw new FaceDistillException($"another facedistill is writing to {folder}; wait for it, or choose another --output"));

    /// <summary>Takes the lock of a folder of the cache, waiting for whoever holds it: that one makes what is wanted here too.</summary>
    /// <param name="folder">The folder; made where it is missing.</param>
    /// <param name="progress">Told once that there is somebody to wait for.</param>
    /// <param name="cancel">Ends the waiting.</param>
    /// <exception cref="FaceDistillException">The folder cannot be written.</exception>
    public static FolderLock Wait(string folder, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        for (bool told = false; ; told = true)
        {
            if (LockFile.TryTake(Path.Combine(folder, FileName)) is { } file)
            {
                return new FolderLock(file);
            }

            if (!told)
            {
                progress?.Report(new WorkProgress($"waiting for another facedistill that fills {folder}", 0, 0, "images"));
            }

            cancel.WaitHandle.WaitOne(Poll);
            cancel.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Lets go of the lock.</summary>
    public void Dispose()
    {
        IsDisposed = true;
        _file.Dispose();
    }
}
