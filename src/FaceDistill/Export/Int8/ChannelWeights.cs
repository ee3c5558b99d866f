namespace FaceDistill.Export;

/// <summary>Weights as 8-bit integers, symmetric about 0 with a step for each output channel: weight = scale[o] * level.</summary>
/// <param name="Levels">int8 [out, ...], row-major, within plus or minus 127.</param>
/// <param name="Scales">float32 [out], above 0.</param>
public sealed record ChannelWeights(sbyte[] Levels, float[] Scales)
{
    private const int Most = 127;

    /// <summary>Rounds weights.</summary>
    /// <param name="weights">float32 [out, ...], row-major.</param>
    /// <param name="channels">The output channels.</param>
    /// <param name="pairs">
    /// Whether any two levels of one filter must add up to -128 to 128. Integer matrix products on x86 without VNNI (as of AVX2) add two products of
    /// an activation, 0 to 255, and a level in 16 bits and clip the sum (vpmaddubsw), and 255 * 128 is the most that fits. Which two meet, kernels decide.
    /// </param>
    public static ChannelWeights Of(ReadOnlySpan<float> weights, int channels, bool pairs)
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
            scales[o] = Math.Max(largest / Most, 1e-12f);
            for (int i = 0; i < each; i++)
            {
                levels[(o * each) + i] = (sbyte)Math.Clamp(MathF.Round(filter[i] / scales[o]), -Most, Most);
            }
        }

        return new ChannelWeights(levels, scales);
    }

    /// <summary>Rounds a layer's weights; a depthwise layer is no matrix product and keeps all 8 bits; no overflow of it was seen.</summary>
    /// <param name="layer">The layer.</param>
    public static ChannelWeights Of(FoldedLayer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return Of(layer.Weights, layer.Layer.Out, pairs: layer.Layer.Groups == 1);
    }

    /// <summary>What a level stands for.</summary>
    public float Value(int index) => Levels[index] * Scales[index / (Levels.Length / Scales.Length)];
}
