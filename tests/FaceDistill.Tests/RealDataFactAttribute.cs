namespace FaceDistill.Tests;

/// <summary>A test on real photos with the real detector; where they are missing it is skipped and says so.</summary>
public sealed class RealDataFactAttribute : FactAttribute
{
    public RealDataFactAttribute()
    {
        if (RealData.Lfw is null || RealData.Detector is null)
        {
            Skip = "$FACEDISTILL_HOME has no datasets/lfw and models/face_detection_yunet_2026may.onnx";
        }
    }
}
