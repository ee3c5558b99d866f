using FaceDistill.Datasets;
using FaceDistill.Distillation;

namespace FaceDistill.Export;

/// <summary>What a format makes a file of.</summary>
/// <param name="Checkpoint">The student.</param>
/// <param name="Ends">What the file's graph does besides the student.</param>
/// <param name="Faces">Aligned faces that the file is verified on; these may be test people.</param>
public sealed record ExportContext(StudentCheckpoint Checkpoint, StudentEnds Ends, AlignedFaces Faces)
{
    /// <summary>
    /// Opens the faces that a format may measure ranges on: training data, never test people. By default <see cref="Faces"/>; may throw a
    /// <see cref="FaceDistillException"/> where there are none at hand.
    /// </summary>
    public Func<AlignedFaces>? Calibration { get; init; }

    /// <summary>How an 8-bit file is made.</summary>
    public Int8Options Int8 { get; init; } = new();

    /// <summary>Stops a format that takes long.</summary>
    public CancellationToken Cancel { get; init; }
}
