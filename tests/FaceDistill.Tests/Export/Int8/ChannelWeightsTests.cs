using FaceDistill.Export.Graphs;
using FaceDistill.Export.Int8;
using FaceDistill.Students;

namespace FaceDistill.Tests.Export.Int8;

public sealed class ChannelWeightsTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_weight_is_within_half_a_step_and_no_pair_overflows_where_pairs_are_added(bool pairs)
    {
        var random = new Random(1);
        float[] weights = [.. Enumerable.Range(0, 60).Select(i => (random.NextSingle() - 0.5f) * (i / 20 + 1))];
        var rounded = ChannelWeights.Of(weights, 3, pairs);
        for (int i = 0; i < 60; i++)
        {
            Assert.True(Math.Abs(rounded.Value(i) - weights[i]) <= (rounded.Scales[i / 20] / 2) + 1e-7);
        }

        Assert.All(Enumerable.Range(0, 3), o =>
        {
            int[] levels = [.. rounded.Levels.Skip(o * 20).Take(20).Select(l => (int)l).Order()];
            int most = pairs ? Math.Max(levels[^1] + levels[^2], -levels[0] - levels[1]) : levels.Max(Math.Abs);
            Assert.InRange(most, pairs ? 126 : 127, pairs ? 128 : 127);
        });
    }

    [Fact]
    public void A_filter_of_zeros_stays_zero() => Assert.All(ChannelWeights.Of(new float[8], 2, false).Levels, l => Assert.Equal(0, l));

    [Theory]
    [InlineData(1e-8f)]
    [InlineData(0f)]
    public void The_bias_of_a_filter_that_is_next_to_nothing_stays_within_32_bits_and_other_filters_as_they_were(float dead)
    {
        var shape = new ConvLayer("pw", 2, 2, 1, 1);
        var layer = new FoldedLayer(shape, [dead, -dead, 0.5f, -0.25f], [0.5f, -0.5f]);
        var (weights, bias, steps) = ChannelWeights.WithBias(layer, layer.Bias, 0.02f);
        Assert.All(Enumerable.Range(0, 2), o => Assert.Equal(layer.Bias[o], (double)bias[o] * steps[o], (double)steps[o]));
        Assert.All(bias, b => Assert.InRange(b, -(1 << 30) - 256, (1 << 30) + 256)); // the step is rounded to float32
        var alone = ChannelWeights.Of(layer);
        Assert.Equal((alone.Scales[1], alone.Levels[2], alone.Levels[3]), (weights.Scales[1], weights.Levels[2], weights.Levels[3]));
    }

    [Fact]
    public void Bias_correction_takes_back_the_mean_that_rounding_moved()
    {
        var shape = new ConvLayer("pw", 4, 2, 1, 1);
        float[] weights = [0.31f, -0.72f, 0.15f, 1, 0.5f, 0.26f, -0.9f, 0.4f];
        var layer = new FoldedLayer(shape, weights, [0.1f, -0.2f]);
        double[] mean = [1.5, 0.5, 2, 0.25];
        var rounded = ChannelWeights.Of(weights, 2, pairs: true);
        float[] bias = BiasCorrection.Corrected(layer, rounded, c => mean[c]);
        for (int o = 0; o < 2; o++)
        {
            double before = layer.Bias[o] + Enumerable.Range(0, 4).Sum(i => weights[(o * 4) + i] * mean[i]);
            double after = bias[o] + Enumerable.Range(0, 4).Sum(i => (double)rounded.Value((o * 4) + i) * mean[i]);
            Assert.Equal(before, after, 1e-6);
        }
    }

    [Fact]
    public void A_depthwise_filter_sees_its_own_channel_only()
    {
        var shape = new ConvLayer("dw", 2, 2, 3, 4) { Padding = 1, Groups = 2 };
        float[] weights = [.. Enumerable.Range(0, 18).Select(i => (i % 7) / 7f)];
        var layer = new FoldedLayer(shape, weights, new float[2]);
        var rounded = ChannelWeights.Of(weights, 2, pairs: true);
        float[] bias = BiasCorrection.Corrected(layer, rounded, c => c == 0 ? 0 : 3);
        Assert.Equal(0, bias[0]);
        Assert.Equal(-3 * Enumerable.Range(9, 9).Sum(i => (double)rounded.Value(i) - weights[i]), bias[1], 1e-6);
    }
}
