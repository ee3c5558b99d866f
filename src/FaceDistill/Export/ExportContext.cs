using FaceDistill.Datasets;
using FaceDistill.Distillation;

namespace FaceDistill.Export;

/// <summary>What a format makes a file of.</summary>
/// <param name="Checkpoint">The student.</param>
/// <param name="Ends">What the file's graph does besides the student.</param>
/// <param name="Faces">Aligned faces: a format that needs some, to calibrate on, takes them from here.</param>
public sealed record ExportContext(StudentCheckpoint Checkpoint, StudentEnds Ends, AlignedFaces Faces)
{
    /// <summary>How an 8-bit file is made.</summary>
    public Int8Options Int8 { get; init; } = new();

    /// <summary>Stops long preparations.</summary>
    public CancellationToken Cancel { get; init; }
}
