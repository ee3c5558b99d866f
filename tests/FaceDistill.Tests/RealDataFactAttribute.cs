namespace FaceDistill.Tests;

/// <summary>A test on real photos with the real detector; where they are missing it is skipped and says so.</summary>
public sealed class RealDataFactAttribute : FactAttribute
{
    public RealDataFactAttribute()
    {
        string[] missing = [.. RealData.Lfw is null ? ["datasets/lfw"] : Array.Empty<string>(), .. RealData.Detector is null
            ? [$"models/{RealData.DetectorFile}"] : Array.Empty<string>()];
        if (missing.Length > 0)
        {
            Skip = $"not run: FACEDISTILL_HOME has no {string.Join(" and no ", missing)}";
        }
    }
}
