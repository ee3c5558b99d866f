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

    // libtorch's BatchNorm2d default, with which the students train.
    private const double BatchNormEpsilon = 1e-5;

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
        foreach (var layer in architecture.Convolutions)
        {
            x = AddConvolution(graph, x, layer, checkpoint);
        }

        x = architecture.Head == HeadKind.Gap ? graph.GlobalAveragePool("pooled", x) : x;
        x = graph.Flatten("features", x);
        AddEmbedding(graph, x, architecture, checkpoint);
        graph.Output("embedding", OnnxElementType.Float32, "batch", architecture.Dimension);
        return graph;
    }

    private static string AddConvolution(OnnxGraph graph, string input, ConvLayer layer, StudentCheckpoint checkpoint)
    {
        float[] weights = checkpoint.Weight($"{layer.Name}.weight", layer.Out, layer.In / layer.Groups, layer.Kernel, layer.Kernel);
        string norm = layer.Name + "_bn";
        float[] gamma = checkpoint.Weight($"{norm}.weight", layer.Out), beta = checkpoint.Weight($"{norm}.bias", layer.Out);
        float[] mean = checkpoint.Weight($"{norm}.running_mean", layer.Out), variance = checkpoint.Weight($"{norm}.running_var", layer.Out);
        var bias = new float[layer.Out];
        int perOutput = weights.Length / layer.Out;
        for (int o = 0; o < layer.Out; o++)
        {
            double factor = gamma[o] / Math.Sqrt(variance[o] + BatchNormEpsilon);
            bias[o] = (float)(beta[o] - (mean[o] * factor));
            foreach (ref float w in weights.AsSpan(o * perOutput, perOutput))
            {
                w = (float)(w * factor);
            }
        }

        string w4 = graph.Initializer<float>($"{layer.Name}.weight", weights, layer.Out, layer.In / layer.Groups, layer.Kernel, layer.Kernel);
        string b1 = graph.Initializer<float>($"{layer.Name}.bias", bias, layer.Out);
        string output = graph.Conv(layer.Name, input, w4, b1, layer.Stride, layer.Padding, layer.Groups);
        return layer.Relu ? graph.Relu($"{layer.Name}.relu", output) : output;
    }

    private static void AddEmbedding(OnnxGraph graph, string input, MobileNetV1Architecture architecture, StudentCheckpoint checkpoint)
    {
        float scale = checkpoint.Scaling.Scale;
        float[] weights = [.. checkpoint.Weight("embedding.weight", architecture.Dimension, architecture.Features).Select(w => w * scale)];
        float[] bias = [.. checkpoint.Weight("embedding.bias", architecture.Dimension).Zip(checkpoint.Scaling.Mean, (b, mean) => (b * scale) + mean)];
        graph.Gemm(
            "embedding",
            input,
            graph.Initializer<float>("embedding.weight", weights, architecture.Dimension, architecture.Features),
            graph.Initializer<float>("embedding.bias", bias, architecture.Dimension),
            transposed: true);
    }
}
