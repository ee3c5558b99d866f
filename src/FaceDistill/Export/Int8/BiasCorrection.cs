namespace FaceDistill.Export;

/// <summary>
/// Bias correction (Nagel et al., 2019, section 4.2): rounding a filter changes its mean output by sum(dw E[x]), where dw is the weights' error and E[x] the mean of the
/// input channel, measured on the calibration faces; the bias takes that back. The zero padding at the borders is not accounted for.
/// </summary>
public static class BiasCorrection
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
