namespace FaceDistill.Formats;

/// <summary>Keeps two processes from writing one folder.</summary>
public sealed class FolderLock : IDisposable
{
    /// <summary>The lock file's name; a leading dot, so that programs that read the folder's files skip it.</summary>
    public const string FileName = ".lock";

    private readonly LockFile _file;

    private FolderLock(LockFile file) => _file = file;

    /// <summary>Whether the lock was let go.</summary>
    public bool IsDisposed { get; private set; }

    /// <summary>Takes a folder's lock; makes the folder where it is missing.</summary>
    /// <exception cref="FaceDistillException">Another process holds it, or the folder cannot be written.</exception>
    public static FolderLock Take(string folder) => new(LockFile.TryTake(Path.Combine(folder, FileName))
        ?? throw new FaceDistillException($"another facedistill is writing to {folder}; wait for it, or choose another --output"));

    /// <summary>Lets go of the lock.</summary>
    public void Dispose()
    {
        IsDisposed = true;
        _file.Dispose();
    }
}
