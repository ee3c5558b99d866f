namespace FaceDistill.Assets;

/// <summary>How patient a <see cref="Downloader"/> is.</summary>
/// <param name="Attempts">How often a file is asked for before giving up; each attempt goes on where the last was cut.</param>
/// <param name="BackOff">The pause before the second attempt; it doubles with each further one.</param>
/// <param name="Idle">A line that brings nothing for this long counts as cut.</param>
/// <param name="LockWait">How long to wait for another process that fetches the same file.</param>
public sealed record DownloadRules(int Attempts, TimeSpan BackOff, TimeSpan Idle, TimeSpan LockWait)
{
    /// <summary>Five attempts over some 15 s of pauses, 60 s of silence, half an hour for another process.</summary>
    public static DownloadRules Default { get; } =
        new(5, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60), TimeSpan.FromMinutes(30));
}
