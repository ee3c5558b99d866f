namespace FaceDistill.Formats;

/// <summary>A file that one process at a time can hold; the system lets go of it when its holder ends, however it ends.</summary>
public sealed class LockFile : IDisposable
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
