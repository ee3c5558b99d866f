using FaceDistill.Embeddings;
using FaceDistill.Export.Graphs;
using FaceDistill.Export.Int8;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;
using OpenCvSharp;
using OpenCvSharp.Dnn;

namespace FaceDistill.Export;

/// <summary>float32 TensorFlow Lite (LiteRT), channels last, batch norms folded: see <see cref="StudentTflite"/>.</summary>
internal class TfliteFormat : ExportFormat
{
    /// <summary>How the files' names end.</summary>
    public const string FileEnding = ".tflite";

    /// <inheritdoc/>
    public override string Name => "tflite";

    /// <inheritdoc/>
    public override string Ending => FileEnding;

    internal override string RunBy => "; LiteRT (TensorFlow Lite) runs it";

    /// <inheritdoc/>
    public override double MinCosine => 0.9999;

    /// <inheritdoc/>
    internal override (string Input, string Output) Tensors(GraphPrePostprocessing ends, int size, int dimension)
    {
        var tensors = base.Tensors(ends, size, dimension);
        return ends.Preprocess ? tensors : ($"input float32 [batch, {size}, {size}, 3]", tensors.Output);
    }

    /// <inheritdoc/>
    internal override PreparedExport Prepare(ExportContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (graph, int8) = Graph(context);
        return new PreparedExport((path, thresholds) =>
        {
            if (thresholds.Count > 0)
            {
                graph.Metadata[StudentThreshold.MetadataKey] = StudentThreshold.Text(thresholds);
            }

            AtomicFile.Write(path, graph.ToBytes());
        }, int8);
    }

    /// <summary>The graph, and what was chosen where it has 8 bits.</summary>
    protected virtual (TfliteGraph Graph, Int8Report? Int8) Graph(ExportContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return (StudentTflite.Build(FoldedStudent.Of(context.Checkpoint), context.Processing), null);
    }
}

/// <summary>8-bit TensorFlow Lite: int8 activations, filters with a step a channel, by the ranges of <see cref="StudentInt8"/>.</summary>
internal sealed class TfliteInt8Format : TfliteFormat
{
    /// <inheritdoc/>
    public override string Name => "tflite-int8";

    /// <inheritdoc/>
    public override string DefaultFile => "student.int8.tflite";

    /// <inheritdoc/>
    public override double? MaxAbsDifference => null;

    /// <inheritdoc/>
    public override double MinCosine => 0.98;

    /// <inheritdoc/>
    internal override double? MinCentredCosine => 0.9;

    /// <inheritdoc/>
    public override bool KeepsThresholds => false;

    /// <inheritdoc/>
    public override bool IsCalibrated => true;

    /// <inheritdoc/>
    protected override (TfliteGraph Graph, Int8Report? Int8) Graph(ExportContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var quantiser = new StudentInt8(context.Checkpoint, context.Calibration?.Invoke() ?? context.Faces, context.Int8);
        var (student, plan, report) = quantiser.Choose(context.Cancel);
        return (StudentTflite.Build(student, context.Processing, plan), report);
    }
}

/// <summary>
/// A student's .tflite file: float32 is computed by OpenCV's reader of the format, which knows nothing of FaceDistill, 8 bits by <see cref="TfliteReference"/>.
/// One face at a time.
/// </summary>
internal sealed class TfliteEmbedder : IEmbedder
{
    private readonly Net? _net;
    private readonly TfliteReference? _reference;
    private readonly Lock _one = new();
    private readonly string _path;

    /// <summary>Loads a file that FaceDistill exported.</summary>
    /// <exception cref="FaceDistillException">It is missing, damaged, or does not say what it wants to see.</exception>
    public TfliteEmbedder(string path)
    {
        OpenCvNative.EnsureLoaded();
        var metadata = TfliteReader.Metadata(path);
        (_path, Contract) = (path, ExportedModel.InputSpec(metadata, path));
        Name = $"{metadata.GetValueOrDefault(ExportedModel.StudentKey)} ({Path.GetFileName(path)})";
        Hash = FileHash.Sha256(path);
        var graph = TfliteReader.Graph(path);
        try
        {
            if (graph.Tensors.Any(t => t.Steps is not null))
            {
                _reference = new TfliteReference(graph);
            }
            else
            {
                _net = CvDnn.ReadNet(path) ?? throw new FaceDistillException($"{path} is no network that OpenCV reads");
            }

            Dimension = Forward(new float[Contract.Values]).Length;
        }
        catch (Exception e) when (e is OpenCVException or OpenCvSharpException or IndexOutOfRangeException or InvalidCastException or KeyNotFoundException
            or ArgumentException)
        {
            _net?.Dispose();
            throw new FaceDistillException($"{path} is no network that runs here: {e.Message.Split('\n')[0]}", e);
        }
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Hash { get; }

    /// <inheritdoc/>
    public ModelInputSpec Contract { get; }

    /// <inheritdoc/>
    public int Dimension { get; }

    /// <inheritdoc/>
    public void Embed(float[] faces, int count, Span<float> embeddings)
    {
        ArgumentNullException.ThrowIfNull(faces);
        for (int i = 0; i < count; i++)
        {
            var row = embeddings.Slice(i * Dimension, Dimension);
            Forward(faces.AsSpan(i * Contract.Values, Contract.Values)).CopyTo(row);
            OnnxEmbedder.Finish(row, Dimension, Contract.NormalizeOutput, _path);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _net?.Dispose();

    private float[] Forward(ReadOnlySpan<float> face)
    {
        if (_reference is not null)
        {
            return _reference.Run(face);
        }

        int size = Contract.Size, plane = size * size;
        using var input = new Mat([1, 3, size, size], MatType.CV_32FC1); // channels first within OpenCV
        unsafe
        {
            var values = new Span<float>(input.DataPointer, 3 * plane);
            for (int i = 0; i < values.Length; i++)
            {
                values[((i % 3) * plane) + (i / 3)] = face[i];
            }
        }

        lock (_one)
        {
            _net!.SetInput(input);
            using var output = _net.Forward();
            output.GetArray(out float[] embedding);
            return embedding;
        }
    }
}
