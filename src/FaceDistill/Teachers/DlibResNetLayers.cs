using FaceDistill.Formats;

namespace FaceDistill.Teachers;

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
        string x = graph.Relu($"{name}/relu", Conv(input, name, Channels, outputs, StemKernel, stride: 2, pad: 0));
        (Channels, Size) = (outputs, Halved(Halved(Size, StemKernel), StemPool));
        return graph.MaxPool("max_pool", x, StemPool, stride: 2);
    }

    /// <summary>relu(conv2(relu(conv1(x))) + x), both convolutions 3x3 with padding 1.</summary>
    public string Block(string input, string name)
    {
        string x = graph.Relu($"{name}/conv1/relu", Conv(input, $"{name}/conv1", Channels, Channels, BlockKernel, stride: 1, pad: 1));
        x = Conv(x, $"{name}/conv2", Channels, Channels, BlockKernel, stride: 1, pad: 1);
        return graph.Relu($"{name}/relu", graph.Add($"{name}/sum", x, input));
    }

    /// <summary>
    /// A block that halves the image: conv1 has stride 2 and no padding, the skip is average-pooled 2x2/2. The skip gets
    /// zero channels up to conv2's; where conv1 gives a smaller image than the pool, conv2's output gets zeros at bottom and right.
    /// </summary>
    public string DownBlock(string input, string name, int outputs)
    {
        string x = graph.Relu($"{name}/conv1/relu", Conv(input, $"{name}/conv1", Channels, outputs, BlockKernel, stride: 2, pad: 0));
        x = Conv(x, $"{name}/conv2", outputs, outputs, BlockKernel, stride: 1, pad: 1);
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
    private string Conv(string input, string name, int inputs, int outputs, int kernel, int stride, int pad)
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
        return graph.Conv(name, input, $"{name}/weights", $"{name}/bias", stride, pad);
    }
}
