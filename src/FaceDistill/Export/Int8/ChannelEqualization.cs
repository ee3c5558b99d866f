namespace FaceDistill.Export;

/// <summary>
/// Cross-layer equalisation (Nagel et al., "Data-free quantization through weight equalization and bias correction", 2019, section 4.1): channel c between two
/// layers is divided by s_c = sqrt(r1_c r2_c) / r2_c in the first and multiplied by it in the second, where r1 and r2 are the largest weights of the channel on either side.
/// ReLU(x / s) = ReLU(x) / s for s above 0, so that the network computes the same; its channels then fill a common range more evenly.
/// </summary>
public static class ChannelEqualization
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
