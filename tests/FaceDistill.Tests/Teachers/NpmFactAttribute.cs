namespace FaceDistill.Tests.Teachers;

/// <summary>A test that fetches with the real npm program; where there is none it is skipped and says so.</summary>
public sealed class NpmFactAttribute : FactAttribute
{
    public NpmFactAttribute()
    {
        string program = OperatingSystem.IsWindows() ? "npm.cmd" : "npm";
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        if (!folders.Any(f => File.Exists(Path.Combine(f, program))))
        {
            Skip = "not run: npm is not installed";
        }
    }

    /// <summary>Whether the test also needs the real LFW and the detector.</summary>
    public bool NeedsRealData
    {
        get => false;
        set => Skip ??= value ? new RealDataFactAttribute().Skip : null;
    }
}
