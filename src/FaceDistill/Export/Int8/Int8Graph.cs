using FaceDistill.Export.Graphs;
using FaceDistill.Formats;
using FaceDistill.Students;

namespace FaceDistill.Export.Int8;

/// <summary>
/// A folded student as an 8-bit graph in QDQ form (QuantizeLinear and DequantizeLinear around each layer, which ONNX Runtime fuses into integer convolutions):
/// uint8
/// activations with one step a tensor, int8 weights with a step for each output channel, int32 biases. A ReLU is the lowest level's clipping. Input and
/// embedding are float32; the embedding layer has int8 weights and computes in float32, since it is a thousandth of the work and its rounding would be the
/// embedding's.
/// </summary>
internal sealed class Int8Graph
{
    private readonly OnnxGraph _graph = new("student");
    private readonly FoldedStudent _student;
    private readonly Int8Plan _plan;

    private Int8Graph(FoldedStudent student, Int8Plan plan) => (_student, _plan) = (student, plan);

    /// <summary>Builds the graph: "input" float32 [batch, 3, r, r] to "embedding" float32 [batch, D].</summary>
    /// <param name="student">The folded student.</param>
    /// <param name="plan">Ranges, biases and exceptions.</param>
    public static OnnxGraph Build(FoldedStudent student, Int8Plan plan)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(plan);
        return new Int8Graph(student, plan).Build();
    }

    private OnnxGraph Build()
    {
        var architecture = _student.Description.Architecture();
        int size = architecture.Spec.Resolution;
        string input = _graph.Input("input", OnnxElementType.Float32, "batch", 3, size, size), x = Rounded("input", input);
        string source = "input";
        foreach (var layer in _student.Layers)
        {
            x = !_plan.Float32Layers.Contains(layer.Layer.Name) ? In8Bits(layer, x, source)
                : Rounded(layer.Layer.Name, layer.AddTo(_graph, source == "input" ? input : Float32(x, source)));
            source = layer.Layer.Name;
        }

        x = architecture.Head == HeadKind.Gap ? _graph.GlobalAveragePool("pooled", x) : x;
        Embedding(_graph.Flatten("features", x), architecture);
        _graph.Output("embedding", OnnxElementType.Float32, "batch", architecture.Dimension);
        return _graph;
    }

    // What ends in a ReLU (every layer but the last) is as it was after another one. Right behind a DequantizeLinear ONNX Runtime (its WeightBiasQuantization)
    // rounds a layer's float32 weights to 8 bits, by one step for all its filters, and no float32 layer is left.
    private string Float32(string x, string source) => _graph.Relu($"{source}.float", x);

    // To the nearest of the 256 levels and back.
    private string Rounded(string name, string value)
    {
        var range = _plan.Ranges[name];
        string scale = _graph.Initializer<float>($"{name}.scale", [range.Scale]), zero = _graph.Initializer<byte>($"{name}.zero", [range.Zero]);
        return _graph.Node("DequantizeLinear", $"{name}.dq", [_graph.Node("QuantizeLinear", $"{name}.q", [value, scale, zero]), scale, zero]);
    }

    private string In8Bits(FoldedLayer layer, string input, string source)
    {
        var shape = layer.Layer;
        var (weights, bias, steps) = ChannelWeights.WithBias(layer, _plan.Biases[shape.Name], _plan.Ranges[source].Scale);
        string w = Weights(shape.Name, weights, shape.Out, shape.In / shape.Groups, shape.Kernel, shape.Kernel);
        string b = _graph.Node(
            "DequantizeLinear", $"{shape.Name}.b",
            [_graph.Initializer<int>($"{shape.Name}.bias", bias, shape.Out), _graph.Initializer<float>($"{shape.Name}.bias.scale", steps, shape.Out)],
            OnnxAttribute.Int("axis", 0));
        return Rounded(shape.Name, _graph.Conv($"{shape.Name}.conv", input, w, b, new ConvStep(shape.Stride, shape.Padding, shape.Groups)));
    }

    private void Embedding(string features, MobileNetV1Architecture architecture)
    {
        var weights = ChannelWeights.Of(_student.EmbeddingWeights, architecture.Dimension, pairs: false);
        string w = Weights("embedding", weights, architecture.Dimension, architecture.Features);
        _graph.Gemm("embedding", features, w, _graph.Initializer<float>("embedding.bias", _student.EmbeddingBias, architecture.Dimension), transposed: true);
    }

    private string Weights(string layer, ChannelWeights weights, params long[] shape) => _graph.Node("DequantizeLinear", $"{layer}.w",
        [_graph.Initializer<sbyte>($"{layer}.weight", weights.Levels, shape), _graph.Initializer<float>($"{layer}.weight.scale", weights.Scales, shape[0])],
            OnnxAttribute.Int("axis", 0));
}

/// <summary>Everything that decides a quantised graph besides the student's weights.</summary>
/// <param name="Ranges">The levels of "input", and of each layer's output, by name.</param>
/// <param name="Biases">The bias of each layer, float32 [out], corrected or not, by the layer's name.</param>
/// <param name="Float32Layers">The layers that stay in float32.</param>
internal sealed record Int8Plan(
    IReadOnlyDictionary<string, ActivationRange> Ranges, IReadOnlyDictionary<string, float[]> Biases, IReadOnlySet<string> Float32Layers);

/// <summary>Weights as 8-bit integers, symmetric about 0 with a step for each output channel: weight = scale[o] * level.</summary>
/// <param name="Levels">int8 [out, ...], row-major, within plus or minus 127.</param>
/// <param name="Scales">float32 [out], above 0.</param>
internal sealed record ChannelWeights(sbyte[] Levels, float[] Scales)
{
    private const int Most = 127;
    private const float MostBias = 1 << 30; // half of what 32 bits hold: sums of products are added to it

    /// <summary>Rounds weights.</summary>
    /// <param name="weights">float32 [out, ...], row-major.</param>
    /// <param name="channels">The output channels.</param>
    /// <param name="pairs">
    /// Whether any two levels of one filter must add up to -128 to 128. Integer matrix products on x86 without VNNI (as of AVX2) add two products of
    /// an activation, 0 to 255, and a level in 16 bits and clip the sum (vpmaddubsw), and 255 * 128 is the most that fits. Which two meet, kernels decide.
    /// </param>
    /// <param name="least">The smallest step of each channel; null for any.</param>
    public static ChannelWeights Of(ReadOnlySpan<float> weights, int channels, bool pairs, float[]? least = null)
    {
        int each = weights.Length / channels;
        var levels = new sbyte[weights.Length];
        var scales = new float[channels];
        for (int o = 0; o < channels; o++)
        {
            var filter = weights.Slice(o * each, each);
            // The two largest of either sign; rounding adds half a level to each of two, hence 127 for their sum as well.
            var (up, nextUp, down, nextDown) = (0f, 0f, 0f, 0f);
            foreach (float w in filter)
            {
                (up, nextUp) = w > up ? (w, up) : (up, Math.Max(nextUp, w));
                (down, nextDown) = -w > down ? (-w, down) : (down, Math.Max(nextDown, -w));
            }

            float largest = pairs ? Math.Max(up + nextUp, down + nextDown) : Math.Max(up, down);
            scales[o] = Math.Max(largest / Most, Math.Max(1e-12f, least?[o] ?? 0));
            for (int i = 0; i < each; i++)
            {
                levels[(o * each) + i] = (sbyte)Math.Clamp(MathF.Round(filter[i] / scales[o]), -Most, Most);
            }
        }

        return new ChannelWeights(levels, scales);
    }

    /// <summary>Rounds a layer's weights; a depthwise layer is no matrix product and keeps all 8 bits; no overflow of it was seen.</summary>
    /// <param name="layer">The layer.</param>
    public static ChannelWeights Of(FoldedLayer layer) => Of(layer, null);

    /// <summary>
    /// The same, and its biases in steps of weight times input. The step of a filter that is next to nothing is as large as its bias needs to stay within 32
    /// bits: what that rounds away of a weight comes to a ten-millionth of the bias at most.
    /// </summary>
    /// <param name="layer">The layer.</param>
    /// <param name="biases">float32 [out], corrected or not.</param>
    /// <param name="inputScale">The step of what the layer takes.</param>
    /// <returns>The weights, the biases int32 [out], and the biases' steps float32 [out].</returns>
    public static (ChannelWeights Weights, int[] Bias, float[] Steps) WithBias(FoldedLayer layer, float[] biases, float inputScale)
    {
        var weights = Of(layer, [.. biases.Select(b => Math.Abs(b) / (inputScale * MostBias))]);
        float[] steps = [.. weights.Scales.Select(s => s * inputScale)];
        return (weights, [.. biases.Zip(steps, (b, step) => (int)Math.Round((double)b / step))], steps);
    }

    /// <summary>What a level stands for.</summary>
    public float Value(int index) => Levels[index] * Scales[index / (Levels.Length / Scales.Length)];

    private static ChannelWeights Of(FoldedLayer layer, float[]? least)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return Of(layer.Weights, layer.Layer.Out, pairs: layer.Layer.Groups == 1, least);
    }
}
