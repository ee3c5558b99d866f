using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Export.Graphs;
using FaceDistill.Export.Int8;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Export;

/// <summary>Writes a prepared export to a path, with its thresholds in the file's metadata; may be called more than once.</summary>
/// <param name="path">The file.</param>
/// <param name="thresholds">Measured thresholds; empty for none.</param>
internal delegate void ExportWriter(string path, IReadOnlyList<StudentThreshold> thresholds);

/// <summary>An export that is ready to be written.</summary>
/// <param name="Write">Writes it.</param>
/// <param name="Int8">What was chosen, where it has 8 bits; null otherwise.</param>
internal sealed record PreparedExport(ExportWriter Write, Int8Report? Int8 = null);

/// <summary>A file format of students: one small class each.</summary>
public abstract class ExportFormat
{
    /// <summary>Every format, in the order of the help text.</summary>
    public static IReadOnlyList<ExportFormat> All { get; } =
        [new OnnxFormat(), new OnnxHalfFormat(), new OnnxInt8Format(), new OrtFormat(), new SafetensorsFormat(), new TfliteFormat(), new TfliteInt8Format(),
            new NcnnFormat()];

    /// <summary>The name on the command line.</summary>
    public abstract string Name { get; }

    /// <summary>How the file's name ends, for example ".onnx".</summary>
    public virtual string Ending => ".onnx";

    /// <summary>The file's name in the run folder where the user names none.</summary>
    public virtual string DefaultFile => "student" + Ending;

    private static readonly string[] Bits = ["int8", "fp16"];

    private string Tail => DefaultFile[DefaultFile.IndexOf('.', StringComparison.Ordinal)..];

    /// <summary>The files that are written beside one and belong to it; none for most formats.</summary>
    /// <param name="path">The file.</param>
    internal virtual IReadOnlyList<string> Companions(string path) => [];

    /// <summary>What the file takes and gives, for its model card.</summary>
    /// <param name="ends">What it does besides the student.</param>
    /// <param name="size">The picture's side.</param>
    /// <param name="dimension">The embedding's length.</param>
    internal virtual (string Input, string Output) Tensors(GraphPrePostprocessing ends, int size, int dimension)
    {
        ArgumentNullException.ThrowIfNull(ends);
        return (ends.Preprocess ? $"{GraphPrePostprocessing.ImageInput} uint8 [batch, {size}, {size}, 3]" : $"input float32 [batch, 3, {size}, {size}]",
            $"embedding float32 [batch, {dimension}]");
    }

    /// <summary>Whether the file can take the picture as it is and give embeddings of unit length.</summary>
    public virtual bool HasProcessing => true;

    /// <summary>The largest difference of an embedding value from TorchSharp's that the format may show; null for one that rounds.</summary>
    public virtual double? MaxAbsDifference => 1e-4;

    /// <summary>The smallest cosine to TorchSharp's embedding that is allowed of any face, unless the user names another.</summary>
    public abstract double MinCosine { get; }

    /// <summary>
    /// The smallest mean of the cosines less the common mean that a format which rounds may show; null for others, whose values are compared. The mean that all
    /// embeddings share brings any cosine near to 1: of a hardly trained student even a stranger's.
    /// </summary>
    internal virtual double? MinCentredCosine => null;

    /// <summary>Whether thresholds measured on the run's student hold for the file as well; otherwise only those measured on the file do.</summary>
    public virtual bool KeepsThresholds => true;

    /// <summary>What runs the file, as the end of a sentence.</summary>
    internal virtual string RunBy => "; ONNX Runtime runs it";

    /// <summary>Whether its ranges are measured on faces.</summary>
    public virtual bool IsCalibrated => false;

    /// <summary>Finds a format by its name.</summary>
    /// <exception cref="FaceDistillException">There is none of that name; the message lists those there are.</exception>
    public static ExportFormat Named(string name) => All.FirstOrDefault(f => f.Name == name)
        ?? throw new FaceDistillException($"no format '{name}'; there are {string.Join(", ", All.Select(f => f.Name))}");

    /// <summary>The format whose own file's name ends like this one (.int8.onnx before .onnx); fp32 ONNX where no file is named.</summary>
    /// <exception cref="FaceDistillException">No format's files end so, or the name speaks of bits that the format of its ending does not have.</exception>
    public static ExportFormat Of(string? path)
    {
        var meant = Meant(path) ?? throw new FaceDistillException(
            $"{path} ends like no format's files ({string.Join(", ", All.Select(f => f.Ending).Distinct())}); rename it or give --format");
        string? bits = Array.Find(Bits, b => Path.GetFileName(path)?.Split('.', '-', '_').Contains(b, StringComparer.OrdinalIgnoreCase) == true);
        return bits is null || meant.Name.EndsWith(bits, StringComparison.Ordinal) ? meant : throw new FaceDistillException(
            $"{path} says {bits}, and by its ending it would be {meant.Name}, in float32; give --format "
            + $"({string.Join(", ", All.Where(f => f.Name.EndsWith(bits, StringComparison.Ordinal)).Select(f => f.Name))} have it; {meant.Name} where the "
            + "name is to stay), or another name");
    }

    /// <summary>The same; null where no format's files end so.</summary>
    internal static ExportFormat? Meant(string? path) => path is null ? All[0]
        : All.Where(f => path.EndsWith(f.Tail, StringComparison.OrdinalIgnoreCase)).MaxBy(f => f.Tail.Length);

    /// <summary>Whether a file's name ends as this format's files do.</summary>
    public bool Fits(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return path.EndsWith(Ending, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Does the work that does not depend on the path, and returns what writes the file.</summary>
    /// <exception cref="FaceDistillException">The student cannot be written in this format.</exception>
    internal abstract PreparedExport Prepare(ExportContext context);
}

/// <summary>What a format makes a file of.</summary>
/// <param name="Checkpoint">The student.</param>
/// <param name="Processing">What the file's graph does besides the student.</param>
/// <param name="Faces">Aligned faces that the file is verified on; these may be test people.</param>
internal sealed record ExportContext(StudentCheckpoint Checkpoint, GraphPrePostprocessing Processing, AlignedFaces Faces)
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
