using FaceDistill.Datasets;
using FaceDistill.Distillation;

namespace FaceDistill.Export;

/// <summary>What a format makes a file of.</summary>
/// <param name="Checkpoint">The student.</param>
/// <param name="Ends">What the file's graph does besides the student.</param>
/// <param name="Faces">Aligned faces: a format that needs some, to calibrate on, takes them from here.</param>
public sealed record ExportContext(StudentCheckpoint Checkpoint, StudentEnds Ends, AlignedFaces Faces);
