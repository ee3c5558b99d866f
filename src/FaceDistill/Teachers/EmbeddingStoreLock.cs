namespace FaceDistill.Teachers;

/// <summary>Keeps a second process from writing to an embedding store; the system lets go of it when the process ends, however it ends.</summary>
internal sealed class EmbeddingStoreLock : IDisposable
{
    /// <summary>The file's name in the store's folder; a leading dot, so that pyarrow's folder reader skips it.</summary>
    public const string FileName = ".lock";

    private readonly FileStream _file;

    private EmbeddingStoreLock(FileStream file) => _file = file;

    /// <summary>Whether the lock was let go.</summary>
    public bool IsDisposed { get; private set; }

    /// <summary>Takes the lock; makes the folder where it is missing.</summary>
    /// <exception cref="FaceDistillException">Another writer holds it, or the folder cannot be written.</exception>
    public static EmbeddingStoreLock Take(string folder)
    {
        string path = Path.Combine(folder, FileName);
        try
        {
            Directory.CreateDirectory(folder);
            return new EmbeddingStoreLock(new FileStream(
                path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose));
        }
        catch (IOException e) when (IsHeldByAnother(e))
        {
            throw new FaceDistillException($"another facedistill is writing to {folder}; wait for it, or choose another --output", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot write to {folder}: {e.Message}", e);
        }
    }

    /// <summary>Lets go of the lock and deletes its file.</summary>
    public void Dispose()
    {
        IsDisposed = true;
        _file.Dispose();
    }

    // A sharing violation: ERROR_SHARING_VIOLATION on Windows, EWOULDBLOCK of flock on Linux (11) and macOS (35).
    private static bool IsHeldByAnother(IOException e) => e.HResult is unchecked((int)0x80070020) or 11 or 35;
}
