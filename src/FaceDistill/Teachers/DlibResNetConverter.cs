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
internal static class DlibResNetConverter
{
    /// <summary>Height and width of the input image in pixels.</summary>
    public const int InputSize = 150;

    /// <summary>The embedding's length.</summary>
    public const int EmbeddingSize = 128;

    /// <summary>Grows when the same weights give another file.</summary>
    public const string Version = "1";

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
            ProducerVersion = Version, // Of this converter, so that the file's hash changes only when the conversion does.
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

/// <summary>
/// Adds the layers of dlib's ResNet to a graph, from the stem to the last residual block, and follows the number of
/// channels and the image's size, on which the padding of a halving block depends.
/// </summary>
internal sealed class DlibResNetLayers(OnnxGraph graph, TfjsWeights weights, int channels, int size)
{
    private const int BlockKernel = 3;
    private const int StemKernel = 7;
    private const int StemPool = 3;

    /// <summary>Channels after the layers added so far.</summary>
    public int Channels { get; private set; } = channels;

    private int Size { get; set; } = size;

    /// <summary>Convolution 7x7/2 and max-pool 3x3/2, both without padding.</summary>
    public string Stem(string input, string name, int outputs)
    {
        string x = graph.Relu($"{name}/relu", Conv(input, name, Channels, outputs, StemKernel, stride: 2));
        (Channels, Size) = (outputs, Halved(Halved(Size, StemKernel), StemPool));
        return graph.MaxPool("max_pool", x, StemPool, stride: 2);
    }

    /// <summary>relu(conv2(relu(conv1(x))) + x), both convolutions 3x3 with padding 1.</summary>
    public string Block(string input, string name)
    {
        string x = graph.Relu($"{name}/conv1/relu", Conv(input, $"{name}/conv1", Channels, Channels, BlockKernel, stride: 1));
        x = Conv(x, $"{name}/conv2", Channels, Channels, BlockKernel, stride: 1);
        return graph.Relu($"{name}/relu", graph.Add($"{name}/sum", x, input));
    }

    /// <summary>
    /// A block that halves the image: conv1 has stride 2 and no padding, the skip is average-pooled 2x2/2. The skip gets
    /// zero channels up to conv2's; where conv1 gives a smaller image than the pool, conv2's output gets zeros at bottom and right.
    /// </summary>
    public string DownBlock(string input, string name, int outputs)
    {
        string x = graph.Relu($"{name}/conv1/relu", Conv(input, $"{name}/conv1", Channels, outputs, BlockKernel, stride: 2));
        x = Conv(x, $"{name}/conv2", outputs, outputs, BlockKernel, stride: 1);
        string skip = graph.AveragePool($"{name}/skip", input, size: 2, stride: 2);
        (int convSize, int skipSize) = (Halved(Size, BlockKernel), Size / 2);
        if (skipSize > convSize)
        {
            x = graph.Pad($"{name}/conv2/padded", x, 0, 0, 0, 0, 0, 0, skipSize - convSize, skipSize - convSize);
        }

        if (outputs > Channels)
        {
            skip = graph.Pad($"{name}/skip/padded", skip, 0, 0, 0, 0, 0, outputs - Channels, 0, 0);
        }

        (Channels, Size) = (outputs, skipSize);
        return graph.Relu($"{name}/relu", graph.Add($"{name}/sum", x, skip));
    }

    private static int Halved(int size, int kernel) => (size - kernel) / 2 + 1;

    // scale * (conv(x, w) + b) + shift = conv(x, scale * w) + (scale * b + shift)
    private string Conv(string input, string name, int inputs, int outputs, int kernel, int stride)
    {
        float[] filters = weights.Get($"{name}/conv/filters", kernel, kernel, inputs, outputs).Values;
        float[] bias = weights.Get($"{name}/conv/bias", outputs).Values;
        float[] scale = weights.Get($"{name}/scale/weights", outputs).Values;
        float[] shift = weights.Get($"{name}/scale/biases", outputs).Values;

        int patch = kernel * kernel; // [patch, in, out] becomes [out, in, patch]
        float[] folded = new float[filters.Length];
        float[] foldedBias = new float[outputs];
        for (int o = 0; o < outputs; o++)
        {
            foldedBias[o] = scale[o] * bias[o] + shift[o];
            for (int i = 0; i < inputs; i++)
            {
                for (int p = 0; p < patch; p++)
                {
                    folded[(o * inputs + i) * patch + p] = scale[o] * filters[(p * inputs + i) * outputs + o];
                }
            }
        }

        graph.Initializer<float>($"{name}/weights", folded, outputs, inputs, kernel, kernel);
        graph.Initializer<float>($"{name}/bias", foldedBias, outputs);
        return graph.Conv(name, input, $"{name}/weights", $"{name}/bias", new ConvStep(stride, stride == 1 ? 1 : 0, 1)); // what halves has no padding
    }
}
