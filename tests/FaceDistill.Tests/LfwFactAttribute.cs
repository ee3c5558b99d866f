namespace FaceDistill.Tests;

/// <summary>A test on the real LFW; where $FACEDISTILL_HOME/datasets/lfw is missing it is skipped and says so.</summary>
public sealed class LfwFactAttribute : FactAttribute
{
    public LfwFactAttribute()
    {
        if (Folder is null)
        {
            Skip = "not run: no datasets/lfw below $FACEDISTILL_HOME";
        }
    }

    /// <summary>The folder with the protocol files and "images"; null where there is none.</summary>
    public static string? Folder => RealData.Lfw;
}
