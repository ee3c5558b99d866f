using FaceDistill.Distillation;
using FaceDistill.Formats;
using FaceDistill.Students;

namespace FaceDistill.Export;

/// <summary>
/// A trained student as an ONNX graph: input "input" float32 [batch, 3, r, r] (scaled as the contract in the metadata says),
/// output "embedding" float32 [batch, D] in the teacher's space. Batch norms are folded into the convolutions, the target
/// scaling into the last layer.
/// </summary>
public static class StudentOnnx
{
    /// <summary>The metadata key under which the input contract stands as JSON.</summary>
    public const string ContractKey = "facedistill.contract";

    /// <summary>The metadata key under which the student's name stands.</summary>
    public const string StudentKey = "facedistill.student";

    /// <summary>The metadata key under which the student's head stands.</summary>
    public const string HeadKey = "facedistill.head";

    /// <summary>The metadata key under which the embedding's length stands.</summary>
    public const string DimensionKey = "dimension";

    /// <summary>Builds the graph.</summary>
    /// <exception cref="FaceDistillException">The checkpoint lacks a tensor, or one has another shape.</exception>
    public static OnnxGraph Build(StudentCheckpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        var architecture = checkpoint.Description.Architecture();
        int resolution = architecture.Spec.Resolution;
        var graph = new OnnxGraph("student") { DocString = $"{checkpoint.Description.Student} distilled from {checkpoint.Description.Teacher} by FaceDistill" };
        StudentMetadata.Write(graph.Metadata, checkpoint.Description, new StudentEnds());
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
