using FaceDistill.Formats;

namespace FaceDistill.Teachers;

/// <summary>
/// Writes dlib's face recognition ResNet as ONNX: "input" float32 [batch, 3, 150, 150], RGB minus (122.782, 117.001, 104.298),
/// divided by 256, to "embedding" float32 [batch, 128], not of unit length.
/// </summary>
/// <remarks>
/// The network is dlib's dnn_face_recognition_resnet_model_v1 as face-api runs it: every convolution is followed by a scale
/// layer, y = scale * (conv(x) + bias) + shift, which is folded into the convolution here. The input's normalisation is not
/// part of the graph, because <c>FaceTensor</c> owns it.
/// </remarks>
public static class DlibResNetConverter
{
    /// <summary>Height and width of the input image in pixels.</summary>
    public const int InputSize = 150;

    /// <summary>The embedding's length.</summary>
    public const int EmbeddingSize = 128;

    /// <summary>What messages call the network.</summary>
    internal const string Network = "dlib's network";

    // Name in the weight file, output channels, whether it halves the image. dlib's residual stages in order.
    private static readonly (string Name, int Channels, bool Down)[] Blocks =
    [
        ("conv32_1", 32, false), ("conv32_2", 32, false), ("conv32_3", 32, false),
        ("conv64_down", 64, true), ("conv64_1", 64, false), ("conv64_2", 64, false), ("conv64_3", 64, false),
        ("conv128_down", 128, true), ("conv128_1", 128, false), ("conv128_2", 128, false),
        ("conv256_down", 256, true), ("conv256_1", 256, false), ("conv256_2", 256, false),
        ("conv256_down_out", 256, true),
    ];

    /// <summary>Reads the weight file and writes the ONNX file, whole or not at all.</summary>
    /// <exception cref="FaceDistillException">
    /// The weights cannot be read, are not those of this network, or the target cannot be written; the message names the file.
    /// </exception>
    public static void Convert(string manifestPath, string binPath, string onnxPath) =>
        OnnxWriter.Write(Build(TfjsWeights.Read(manifestPath, binPath, Network)), onnxPath);

    /// <summary>The network as a graph.</summary>
    /// <exception cref="FaceDistillException">The weights are not those of this network; the message names the manifest.</exception>
    public static OnnxGraph Build(TfjsWeights weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        var graph = new OnnxGraph("dlib_face_recognition_resnet")
        {
            DocString = "dlib's face recognition ResNet (public domain), converted from face-api's weights with the scale layers folded in.",
            ProducerName = "FaceDistill DlibResNetConverter",
            ProducerVersion = "1", // Of this converter, so that the file's hash changes only when the conversion does.
        };
        graph.Metadata["input"] = "float32 [batch, 3, 150, 150], RGB, (x - (122.782, 117.001, 104.298)) / 256";
        graph.Metadata["output"] = "float32 [batch, 128], not of unit length";

        string value = graph.Input("input", OnnxElementType.Float32, "batch", 3, InputSize, InputSize);
        var layers = new DlibResNetLayers(graph, weights, channels: 3, InputSize);
        value = layers.Stem(value, "conv32_down", 32);
        foreach ((string name, int channels, bool down) in Blocks)
        {
            value = down ? layers.DownBlock(value, name, channels) : layers.Block(value, name);
        }

        value = graph.Flatten("mean/flat", graph.GlobalAveragePool("mean", value));
        float[] matrix = weights.Get("fc", layers.Channels, EmbeddingSize).Values;
        graph.Initializer<float>("fc", matrix, layers.Channels, EmbeddingSize);
        graph.Output(graph.Gemm("embedding", value, "fc", bias: null), OnnxElementType.Float32, "batch", EmbeddingSize);
        RefuseOthers(weights);
        return graph;
    }

    // Every tensor of the network was found, so another number means tensors of some other network.
    private static void RefuseOthers(TfjsWeights weights)
    {
        int convolutions = 1 + (2 * Blocks.Length);
        int expected = (convolutions * 4) + 1; // filters, bias, scale and shift each; and the last matrix
        if (weights.Names.Count != expected)
        {
            throw new FaceDistillException($"{weights.Source} lists {weights.Names.Count} tensors, dlib's network has {expected}");
        }
    }
}
