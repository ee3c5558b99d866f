namespace FaceDistill.Students;

/// <summary>
/// The layers of a MobileNet v1 student (Howard et al., "MobileNets", 2017, table 1): a 3x3/2 convolution, 13 depthwise-separable
/// blocks (or, as in table 4, full 3x3 convolutions; without blocks 7 to 11 in table 5's shallow one), a head and a linear embedding layer. Network, cost and
/// export all read this one description.
/// </summary>
internal sealed class MobileNetV1Architecture
{
    // Output channels and stride of the 13 blocks, at width 1.
    private static readonly (int Channels, int Stride)[] Blocks =
    [
        (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2),
        (512, 1), (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
    ];

    private const int FirstEqual = 6, LastEqual = 10; // the five of "5x Conv dw / s1, Conv / s1" in table 1

    /// <summary>Lays out a student.</summary>
    /// <param name="spec">Kind, width and resolution.</param>
    /// <param name="head">The head.</param>
    /// <param name="dimension">The embedding's length.</param>
    public MobileNetV1Architecture(StudentSpec spec, HeadKind head, int dimension)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        (Spec, Head, Dimension) = (spec, head, dimension);
        var layers = new List<ConvLayer> { new("conv0", 3, Channels(32, spec.Width), 3, spec.Resolution) { Stride = 2, Padding = 1 } };
        for (int i = 0; i < Blocks.Length; i++)
        {
            if (spec.Kind == MobileNetKind.Shallow && i is >= FirstEqual and <= LastEqual)
            {
                continue; // the blocks behind keep their numbers
            }

            var last = layers[^1];
            int channels = Channels(Blocks[i].Channels, spec.Width);
            if (spec.Kind == MobileNetKind.Conv)
            {
                layers.Add(new ConvLayer($"conv{i + 1}", last.Out, channels, 3, last.OutSize) { Stride = Blocks[i].Stride, Padding = 1 });
                continue;
            }

            var depthwise = new ConvLayer($"dw{i + 1}", last.Out, last.Out, 3, last.OutSize) { Stride = Blocks[i].Stride, Padding = 1, Groups = last.Out };
            layers.Add(depthwise);
            layers.Add(new ConvLayer($"pw{i + 1}", last.Out, channels, 1, depthwise.OutSize));
        }

        Backbone = [.. layers];
        Features = layers[^1].Out;
        if (head == HeadKind.Gdc)
        {
            int map = layers[^1].OutSize;
            HeadConvolution = new ConvLayer("gdc", Features, Features, map, map) { Groups = Features, Relu = false };
        }
    }

    /// <summary>Kind, width and resolution.</summary>
    public StudentSpec Spec { get; }

    /// <summary>The head.</summary>
    public HeadKind Head { get; }

    /// <summary>The embedding's length.</summary>
    public int Dimension { get; }

    /// <summary>The convolutions of the backbone, in order.</summary>
    public IReadOnlyList<ConvLayer> Backbone { get; }

    /// <summary>The head's convolution; null for global average pooling.</summary>
    public ConvLayer? HeadConvolution { get; }

    /// <summary>The length of the vector that the linear layer takes.</summary>
    public int Features { get; }

    /// <summary>Every convolution, in order.</summary>
    public IEnumerable<ConvLayer> Convolutions => HeadConvolution is null ? Backbone : Backbone.Append(HeadConvolution);

    // Rounded down, at least 8: the rule of the published implementation (TensorFlow-Slim, mobilenet_v1, min_depth = 8).
    private static int Channels(int full, double width) => Math.Max(8, (int)((full * width) + 1e-9));
}

/// <summary>A layer's type, as table 2 of the paper parts them.</summary>
internal enum LayerType
{
    /// <summary>A convolution of 1x1.</summary>
    Pointwise,

    /// <summary>A convolution of each channel by itself.</summary>
    Depthwise,

    /// <summary>A larger one that mixes channels.</summary>
    Full,

    /// <summary>The linear layer.</summary>
    Linear,
}

/// <summary>One convolution of a student, with the batch norm behind it.</summary>
/// <param name="Name">The name of its weights; its batch norm's is the name followed by "_bn".</param>
/// <param name="In">Input channels.</param>
/// <param name="Out">Output channels.</param>
/// <param name="Kernel">The square kernel's side.</param>
/// <param name="InSize">The input map's side.</param>
internal sealed record ConvLayer(string Name, int In, int Out, int Kernel, int InSize)
{
    /// <summary>The stride in both directions. Default 1.</summary>
    public int Stride { get; init; } = 1;

    /// <summary>Zeros added on each side. Default 0.</summary>
    public int Padding { get; init; }

    /// <summary>1, or the number of channels of a depthwise convolution. Default 1.</summary>
    public int Groups { get; init; } = 1;

    /// <summary>Whether a ReLU follows the batch norm. Default true.</summary>
    public bool Relu { get; init; } = true;

    /// <summary>Its type.</summary>
    public LayerType Type => Groups > 1 ? LayerType.Depthwise : Kernel == 1 ? LayerType.Pointwise : LayerType.Full;

    /// <summary>The output map's side.</summary>
    public int OutSize => ((InSize + (2 * Padding) - Kernel) / Stride) + 1;

    /// <summary>Weights of the convolution, without the batch norm.</summary>
    public long Weights => (long)Out * (In / Groups) * Kernel * Kernel;

    /// <summary>Multiply-accumulates of one picture, borders counted like the inside.</summary>
    public long MultAdds => Weights * OutSize * OutSize;
}
