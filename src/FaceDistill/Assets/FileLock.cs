namespace FaceDistill.Assets;

/// <summary>Keeps two processes from fetching one thing at the same time; the second waits and then finds it there.</summary>
internal sealed class FileLock : IDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    // "Held by somebody else": Windows' sharing violation, EWOULDBLOCK of Linux and of macOS.
    private static readonly int[] Held = [unchecked((int)0x80070020), 11, 35];

    private readonly FileStream _file;

    private FileLock(FileStream file) => _file = file;

    /// <summary>Takes the lock of <paramref name="target"/> (a file TARGET.lock beside it), waiting for whoever holds it.</summary>
    /// <exception cref="FaceDistillException">It is still held after <paramref name="wait"/>, or the folder cannot be written.</exception>
    public static async Task<FileLock> TakeAsync(
        string target, TimeSpan wait, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        string path = target + ".lock";
        long start = Environment.TickCount64;
        for (bool told = false; ; told = true)
        {
            if (TryTake(path, target) is { } taken)
            {
                return taken;
            }

            if (Environment.TickCount64 - start >= wait.TotalMilliseconds)
            {
                throw new FaceDistillException($"another facedistill is fetching {target}; wait for it to end and run the command again");
            }

            if (!told)
            {
                progress?.Report(new WorkProgress($"waiting for another facedistill that fetches {Path.GetFileName(target)}", 0, 0, "bytes"));
            }

            await Task.Delay(Poll, cancellation).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static FileLock? TryTake(string path, string target)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
            if (File.Exists(path))
            {
                return new FileLock(file);
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
            throw new FaceDistillException($"cannot write {target}: {e.Message}", e);
        }
    }
}
