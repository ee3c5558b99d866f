using FaceDistill.Formats;

namespace FaceDistill.Assets;

/// <summary>Keeps two processes from fetching one thing at the same time; the second waits and then finds it there.</summary>
internal static class FetchLock
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    /// <summary>Takes the lock of <paramref name="target"/> (a file TARGET.lock beside it), waiting for whoever holds it.</summary>
    /// <exception cref="FaceDistillException">It is still held after <paramref name="wait"/>, or the folder cannot be written.</exception>
    public static async Task<LockFile> TakeAsync(
        string target, TimeSpan wait, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        string path = target + ".lock";
        long start = Environment.TickCount64;
        for (bool told = false; ; told = true)
        {
            if (LockFile.TryTake(path) is { } taken)
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
}
