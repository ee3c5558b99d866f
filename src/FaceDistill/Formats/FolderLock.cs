namespace FaceDistill.Formats;

/// <summary>Keeps two processes from writing one folder: a lock file that the system frees when its holder ends, however it ends.</summary>
public sealed class FolderLock : IDisposable
{
    /// <summary>The lock file's name.</summary>
    public const string FileName = ".facedistill.lock";

    private readonly FileStream _file;

    private FolderLock(FileStream file) => _file = file;

    /// <summary>Makes the folder where it is missing and takes its lock.</summary>
    /// <exception cref="FaceDistillException">Another process holds it, or the folder cannot be written.</exception>
    public static FolderLock Take(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            return new FolderLock(new FileStream(
                Path.Combine(folder, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose));
        }
        catch (UnauthorizedAccessException e)
        {
            throw new FaceDistillException($"{folder} cannot be written: {e.Message}", e);
        }
        catch (IOException e)
        {
            throw new FaceDistillException($"{folder} is in use by another facedistill, or cannot be written: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
