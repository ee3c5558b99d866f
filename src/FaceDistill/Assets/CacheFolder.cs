namespace FaceDistill.Assets;

/// <summary>
/// Where FaceDistill keeps what it downloads and derives: <c>$FACEDISTILL_CACHE</c>, else the platform's cache folder
/// (<c>$XDG_CACHE_HOME</c> or ~/.cache on Linux, ~/Library/Caches on macOS, %LOCALAPPDATA% on Windows).
/// </summary>
public static class CacheFolder
{
    /// <summary>The cache's root; it need not exist yet.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        if (Environment.GetEnvironmentVariable("FACEDISTILL_CACHE") is { Length: > 0 } named)
        {
            return Path.GetFullPath(named);
        }

        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string root = OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches")
            : Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg ? xdg
            : Path.Combine(home, ".cache");
        return Path.Combine(root, "facedistill");
    }
}
