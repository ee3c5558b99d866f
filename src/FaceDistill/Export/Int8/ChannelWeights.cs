namespace FaceDistill.Export;

/// <summary>Weights as 8-bit integers, symmetric about 0 with a step for each output channel: weight = scale[o] * level.</summary>
/// <param name="Levels">int8 [out, ...], row-major, within plus or minus 127.</param>
/// <param name="Scales">float32 [out], above 0.</param>
public sealed record ChannelWeights(sbyte[] Levels, float[] Scales)
{
    /// <summary>Rounds weights.</summary>
    /// <param name="weights">float32 [out, ...], row-major.</param>
    /// <param name="channels">The output channels.</param>
    /// <param name="reduceRange">Whether to use 7 bits: processors before AVX512-VNNI add two products of 8 bits in 16, which can overflow.</param>
    public static ChannelWeights Of(ReadOnlySpan<float> weights, int channels, bool reduceRange)
    {
        int each = weights.Length / channels, most = reduceRange ? 63 : 127;
        var levels = new sbyte[weights.Length];
        var scales = new float[channels];
        for (int o = 0; o < channels; o++)
        {
            var filter = weights.Slice(o * each, each);
            float largest = 0;
            foreach (float w in filter)
            {
                largest = Math.Max(largest, Math.Abs(w));
            }

            scales[o] = Math.Max(largest / most, 1e-12f);
            for (int i = 0; i < each; i++)
            {
                levels[(o * each) + i] = (sbyte)Math.Clamp(MathF.Round(filter[i] / scales[o]), -most, most);
            }
        }

        return new ChannelWeights(levels, scales);
    }

    /// <summary>What a level stands for.</summary>
    public float Value(int index) => Levels[index] * Scales[index / (Levels.Length / Scales.Length)];
}
