using System.Globalization;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Export.Graphs;

/// <summary>
/// A trained student as an ONNX graph: input "input" float32 [batch, 3, r, r] (scaled as the contract in the metadata says),
/// output "embedding" float32 [batch, D] in the teacher's space. Batch norms are folded into the convolutions, the target
/// scaling into the last layer.
/// </summary>
internal static class StudentOnnx
{
    /// <summary>Builds the graph.</summary>
    /// <exception cref="FaceDistillException">The checkpoint lacks a tensor, or one has another shape.</exception>
    public static OnnxGraph Build(StudentCheckpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        var architecture = checkpoint.Description.Architecture();
        int resolution = architecture.Spec.Resolution;
        var graph = new OnnxGraph("student") { DocString = $"{checkpoint.Description.Student} distilled from {checkpoint.Description.Teacher} by FaceDistill" };
        StudentMetadata.Write(graph.Metadata, checkpoint.Description, new GraphPrePostprocessing());
        string x = graph.Input("input", OnnxElementType.Float32, "batch", 3, resolution, resolution);
        var student = FoldedStudent.Of(checkpoint);
        foreach (var layer in student.Layers)
        {
            x = layer.AddTo(graph, x);
        }

        x = architecture.Head == HeadKind.Gap ? graph.GlobalAveragePool("pooled", x) : x;
        x = graph.Flatten("features", x);
        graph.Gemm(
            "embedding",
            x,
            graph.Initializer<float>("embedding.weight", student.EmbeddingWeights, architecture.Dimension, architecture.Features),
            graph.Initializer<float>("embedding.bias", student.EmbeddingBias, architecture.Dimension),
            transposed: true);
        graph.Output("embedding", OnnxElementType.Float32, "batch", architecture.Dimension);
        return graph;
    }
}

/// <summary>What an exported graph does at its two ends besides the student itself.</summary>
/// <param name="Preprocess">
/// Whether the graph takes the picture as it is, "image" uint8 [batch, r, r, 3] RGB, and scales it itself; otherwise "input" float32
/// [batch, 3, r, r], scaled by the caller.
/// </param>
/// <param name="Normalize">Whether the embedding is brought to unit length; otherwise it stays in the teacher's own space.</param>
public sealed record GraphPrePostprocessing(bool Preprocess = false, bool Normalize = false)
{
    /// <summary>The name of the picture's input where the graph preprocesses.</summary>
    public const string ImageInput = "image";

    /// <summary>
    /// What the graph wants to see. A preprocessing one takes 0..255 unscaled (mean 0, std 1), channels last; that its input is uint8
    /// the file's input type says.
    /// </summary>
    public ModelInputSpec Contract(ModelInputSpec student)
    {
        ArgumentNullException.ThrowIfNull(student);
        return Preprocess ? student with { Layout = TensorLayout.Nhwc, Mean = [0, 0, 0], Std = [1, 1, 1] } : student;
    }

    /// <summary>Puts the ends onto any student's graph, whatever the precision of its inside; the given graph is not changed.</summary>
    /// <param name="graph">One input float32 [batch, 3, r, r], one output float32 [batch, D].</param>
    /// <param name="student">The student that it computes; its contract gives the scaling.</param>
    internal OnnxGraph Attach(OnnxGraph graph, StudentDescription student)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(student);
        graph = Preprocess ? Preprocessed(graph, student.Contract) : graph.With();
        graph = Normalize ? Normalized(graph) : graph;
        StudentMetadata.Write(graph.Metadata, student, this);
        return graph;
    }

    private static OnnxGraph Preprocessed(OnnxGraph graph, ModelInputSpec contract)
    {
        var ends = new OnnxGraph(graph.Name);
        string image = ends.Input(ImageInput, OnnxElementType.UInt8, "batch", contract.Size, contract.Size, 3);
        // The bytes are turned before they are widened: a quarter of the memory to move.
        string planes = ends.Node("Transpose", "image.planes", [image], OnnxAttribute.Ints("perm", 0, 3, 1, 2));
        string wide = ends.Node("Cast", "image.float", [planes], OnnxAttribute.Int("to", (long)OnnxElementType.Float32));
        string centred = ends.Sub("image.centred", wide, ends.Initializer<float>("image.mean", contract.Mean, 1, 3, 1, 1));
        ends.Mul(graph.Inputs[0].Name, centred, ends.Initializer<float>("image.scale", [.. contract.Std.Select(s => 1 / s)], 1, 3, 1, 1));
        return graph.With(ends.Inputs, [.. ends.Initializers, .. graph.Initializers], [.. ends.Nodes, .. graph.Nodes]);
    }

    // The output keeps its name, so that callers need not know which kind of file they have.
    private static OnnxGraph Normalized(OnnxGraph graph)
    {
        string output = graph.Outputs[0].Name, raw = output + ".raw";
        var renamed = graph.Nodes.Select(
            n => n with { Outputs = [.. n.Outputs.Select(o => o == output ? raw : o)], Inputs = [.. n.Inputs.Select(i => i == output ? raw : i)] });
        var ends = new OnnxGraph(graph.Name);
        string length = ends.Node("ReduceL2", output + ".length", [raw], OnnxAttribute.Ints("axes", 1), OnnxAttribute.Int("keepdims", 1));
        ends.Node("Div", output, [raw, length]);
        return graph.With(nodes: [.. renamed, .. ends.Nodes]);
    }
}

/// <summary>What every exported file says about itself, as text by key: in ONNX's metadata_props, in the header of safetensors.</summary>
internal static class StudentMetadata
{
    /// <summary>Writes the student's metadata, and what its file takes and gives.</summary>
    /// <param name="metadata">Receives them.</param>
    /// <param name="student">The student.</param>
    /// <param name="ends">What the file does besides.</param>
    /// <param name="layout">The order in which the format takes pictures in any case; null for ONNX's, which depends on the ends.</param>
    public static void Write(IDictionary<string, string> metadata, StudentDescription student, GraphPrePostprocessing ends, TensorLayout? layout = null)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(ends);
        var contract = ends.Contract(student.Contract);
        contract = contract with { Layout = layout ?? contract.Layout };
        string List(float[] values) => string.Join(", ", values.Select(v => v.ToString(CultureInfo.InvariantCulture)));
        metadata[ExportedModel.ContractKey] = JsonFile.Serialize(contract);
        metadata[ExportedModel.StudentKey] = student.Student;
        metadata["input_type"] = ends.Preprocess && contract.Layout == TensorLayout.Nhwc ? "uint8" : "float32"; // ncnn's pixels are floats
        metadata["input_size"] = contract.Size.ToString(CultureInfo.InvariantCulture);
        metadata["color_order"] = contract.ColorOrder.ToString().ToUpperInvariant();
        metadata["layout"] = contract.Layout.ToString().ToUpperInvariant();
        metadata["mean"] = List(contract.Mean);
        metadata["std"] = List(contract.Std);
        metadata["alignment_template"] = contract.Template;
        metadata["output_length"] = ends.Normalize ? "one" : "as the teacher's";
        metadata["teacher"] = student.Teacher;
        metadata[ExportedModel.TeacherHashKey] = student.TeacherHash;
        metadata["started_from"] = student.Origins is { } origins ? StudentOrigin.Short(origins) : "not noted";
        metadata[ExportedModel.HeadKey] = student.Head.ToString();
        metadata[ExportedModel.DimensionKey] = student.Dimension.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>The layers of the student in an exported file; null where the metadata do not tell them.</summary>
    /// <param name="metadata">The file's.</param>
    /// <param name="path">The file, for the message.</param>
    /// <exception cref="FaceDistillException">The student's name is malformed; the message names the file.</exception>
    public static MobileNetV1Architecture? Architecture(IReadOnlyDictionary<string, string> metadata, string path)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        return metadata.TryGetValue(ExportedModel.StudentKey, out string? student)
            && Enum.TryParse(metadata.GetValueOrDefault(ExportedModel.HeadKey), out HeadKind head) && Enum.IsDefined(head)
            && InvariantNumber.Count(metadata.GetValueOrDefault(ExportedModel.DimensionKey), out int dimension)
                && dimension is > 0 and <= 65536
            ? new MobileNetV1Architecture(Spec(student, $"{path}, metadata {ExportedModel.StudentKey}"), head, dimension) : null;
    }

    private static StudentSpec Spec(string student, string origin)
    {
        try
        {
            return StudentSpec.Parse(student);
        }
        catch (FaceDistillException e)
        {
            throw new FaceDistillException($"{origin}: {e.Message}", e);
        }
    }
}
