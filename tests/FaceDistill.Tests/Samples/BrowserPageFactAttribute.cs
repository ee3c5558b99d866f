using FaceDistill.Tests.Reports;

namespace FaceDistill.Tests.Samples;

/// <summary>A test of samples/browser in a real browser; where Chromium, the built page or LFW is missing it is skipped and says so.</summary>
public sealed class BrowserPageFactAttribute : FactAttribute
{
    public BrowserPageFactAttribute()
    {
        Skip = Chromium.Program is null ? "not run: no chromium on the PATH (Debian: apt-get install chromium)"
            : !File.Exists(Page) ? "not run: the page is not built (in samples/browser: npm ci && npm run build)"
            : RealData.Lfw is null || RealData.Detector is null ? "not run: no datasets/lfw and models/ below $FACEDISTILL_HOME"
            : null;
    }

    /// <summary>The sample's folder.</summary>
    public static string Folder { get; } = Path.Combine(RepositoryRoot.Path, "samples", "browser");

    /// <summary>The built page.</summary>
    public static string Page => Path.Combine(Folder, "dist", "compare.html");
}
