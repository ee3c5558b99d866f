using FaceDistill.Export.Graphs;

namespace FaceDistill.Export.Int8;

/// <summary>
/// Cross-layer equalisation (Nagel et al., "Data-free quantization through weight equalization and bias correction", 2019, section 4.1): channel c between two
/// layers is divided by s_c = sqrt(r1_c r2_c) / r2_c in the first and multiplied by it in the second, where r1 and r2 are the largest weights of the channel on
/// either side.
/// ReLU(x / s) = ReLU(x) / s for s above 0, so that the network computes the same; its channels then fill a common range more evenly.
/// </summary>
internal static class ChannelEqualization
{
    private const int Rounds = 20; // until factors hardly change: a layer is the second of one pair and the first of the next

    /// <summary>Equalises in place.</summary>
    /// <param name="student">The folded student.</param>
    public static void Apply(FoldedStudent student)
    {
        ArgumentNullException.ThrowIfNull(student);
        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i + 1 < student.Layers.Count; i++)
            {
                // Only across a ReLU, which scales with its input.
                if (student.Layers[i].Layer.Relu)
                {
                    Pair(student.Layers[i], student.Layers[i + 1]);
                }
            }
        }
    }

    private static void Pair(FoldedLayer first, FoldedLayer second)
    {
        for (int c = 0; c < first.Layer.Out; c++)
        {
            double r1 = Largest(first.Filter(c)), r2 = LargestInput(second, c);
            if (r1 > 0 && r2 > 0) // a dead channel stays as it is
            {
                float s = (float)(Math.Sqrt(r1 * r2) / r2);
                foreach (ref float w in first.Filter(c))
                {
                    w /= s;
                }

                first.Bias[c] /= s;
                ScaleInput(second, c, s);
            }
        }
    }

    private static double Largest(ReadOnlySpan<float> weights)
    {
        double largest = 0;
        foreach (float w in weights)
        {
            largest = Math.Max(largest, Math.Abs(w));
        }

        return largest;
    }

    private static double LargestInput(FoldedLayer layer, int channel)
    {
        if (layer.Layer.Groups > 1)
        {
            return Largest(layer.Filter(channel));
        }

        int kernel = layer.Layer.Kernel * layer.Layer.Kernel;
        return Enumerable.Range(0, layer.Layer.Out).Max(o => Largest(layer.Filter(o).Slice(channel * kernel, kernel)));
    }

    private static void ScaleInput(FoldedLayer layer, int channel, float factor)
    {
        int kernel = layer.Layer.Kernel * layer.Layer.Kernel;
        bool depthwise = layer.Layer.Groups > 1;
        for (int o = depthwise ? channel : 0; o < (depthwise ? channel + 1 : layer.Layer.Out); o++)
        {
            foreach (ref float w in depthwise ? layer.Filter(o) : layer.Filter(o).Slice(channel * kernel, kernel))
            {
                w *= factor;
            }
        }
    }
}

/// <summary>
/// Bias correction (Nagel et al., 2019, section 4.2): rounding a filter changes its mean output by sum(dw E[x]), where dw is the weights' error and E[x] the
/// mean of the
/// input channel, measured on the calibration faces; the bias takes that back. The zero padding at the borders is not accounted for.
/// </summary>
internal static class BiasCorrection
{
    /// <summary>The corrected bias of a layer.</summary>
    /// <param name="layer">The layer, before rounding.</param>
    /// <param name="rounded">Its weights, rounded.</param>
    /// <param name="inputMean">The mean of an input channel.</param>
    /// <returns>float32 [out].</returns>
    public static float[] Corrected(FoldedLayer layer, ChannelWeights rounded, Func<int, double> inputMean)
    {
        ArgumentNullException.ThrowIfNull(layer);
        ArgumentNullException.ThrowIfNull(rounded);
        ArgumentNullException.ThrowIfNull(inputMean);
        var shape = layer.Layer;
        int kernel = shape.Kernel * shape.Kernel, perOutput = layer.Weights.Length / shape.Out;
        var bias = new float[shape.Out];
        for (int o = 0; o < shape.Out; o++)
        {
            double shift = 0;
            for (int i = 0; i < perOutput; i++)
            {
                int at = (o * perOutput) + i, channel = shape.Groups > 1 ? o : i / kernel;
                shift += ((double)rounded.Value(at) - layer.Weights[at]) * inputMean(channel);
            }

            bias[o] = (float)(layer.Bias[o] - shift);
        }

        return bias;
    }
}
