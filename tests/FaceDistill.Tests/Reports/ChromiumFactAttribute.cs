namespace FaceDistill.Tests.Reports;

/// <summary>A test in a real browser; where there is no Chromium it is skipped and says so.</summary>
public sealed class ChromiumFactAttribute : FactAttribute
{
    public ChromiumFactAttribute()
    {
        if (Chromium.Program is null)
        {
            Skip = "not run: no chromium on the PATH (Debian: apt-get install chromium)";
        }
    }
}
