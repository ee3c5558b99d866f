using FaceDistill.Kernels;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Kernels;

public sealed class FusedBatchNormReluTests
{
    // Rows that are no multiple of what the loops take together, few and many of them, and a map of one place.
    [Theory]
    [InlineData(3, 8, 5, true)]
    [InlineData(2, 24, 33, true)]
    [InlineData(16, 64, 1, false)]
    [InlineData(4, 128, 7, false)]
    public void Output_gradients_and_running_moments_equal_torchs(int batch, int channels, int side, bool relu)
    {
        TorchNative.EnsureLoaded();
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        Tensor Random(params long[] shape) => randn(shape, generator: generator);
        var values = Random(batch, side, side, channels).permute(0, 3, 1, 2).Times(3).Plus(7);
        var gradient = Random(batch, side, side, channels).permute(0, 3, 1, 2);
        using var ours = new BatchNorm(channels);
        using var theirs = new BatchNorm(channels); // used by torch
        foreach (var norm in new[] { ours, theirs })
        {
            using var same = new Generator(6);
            using (no_grad())
            {
                norm.Weight.uniform_(-1, 2, same);
                norm.Bias.uniform_(-1, 1, same);
            }
        }

        var (left, right) = (values.clone().requires_grad_(), values.clone().requires_grad_());
        var expected = relu ? theirs.Apply(right).relu() : theirs.Apply(right);
        expected.backward([gradient.clone()]);
        Assert.True(FusedBatchNormRelu.Takes(left));
        var actual = FusedBatchNormRelu.Apply(left, ours, relu);
        actual.backward([gradient.clone()]);

        Near(expected, actual);
        Near(right.grad!, left.grad!);
        Near(theirs.Weight.grad!, ours.Weight.grad!);
        Near(theirs.Bias.grad!, ours.Bias.grad!);
        Near(theirs.RunningMean, ours.RunningMean);
        Near(theirs.RunningVariance, ours.RunningVariance);
        Assert.Equal(1, ours.Batches.item<long>());
    }

    [Fact]
    public void Bfloat16_equals_float32_but_for_the_rounding()
    {
        TorchNative.EnsureLoaded();
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var values = randn([8, 6, 6, 16], generator: generator).permute(0, 3, 1, 2).to(ScalarType.BFloat16);
        var gradient = randn([8, 6, 6, 16], generator: generator).permute(0, 3, 1, 2).to(ScalarType.BFloat16);
        using var norm = new BatchNorm(16);
        using var same = new BatchNorm(16);
        var (half, single) = (values.clone().requires_grad_(), values.to(ScalarType.Float32).requires_grad_());
        var expected = FusedBatchNormRelu.Apply(single, norm, relu: true);
        expected.backward([gradient.to(ScalarType.Float32)]);
        Assert.True(FusedBatchNormRelu.Takes(half));
        var actual = FusedBatchNormRelu.Apply(half, same, relu: true);
        actual.backward([gradient.clone()]);

        // The rounding is torch's own: to the nearest, ties to even.
        Assert.True(actual.eq(expected.to(ScalarType.BFloat16)).all().item<bool>());
        Assert.True(half.grad!.eq(single.grad!.to(ScalarType.BFloat16)).all().item<bool>());
        Near(norm.Weight.grad!, same.Weight.grad!);
    }

    [Fact]
    public void Other_types_and_odd_channels_are_left_to_torch()
    {
        TorchNative.EnsureLoaded();
        using var scope = NewDisposeScope();
        Assert.False(FusedBatchNormRelu.Takes(zeros(1, 9, 2, 2)));
        Assert.False(FusedBatchNormRelu.Takes(zeros(1, 8, 2, 2, dtype: ScalarType.Float64)));
        Assert.True(FusedBatchNormRelu.Takes(zeros(1, 8, 2, 2)));
    }

    private static void Near(Tensor expected, Tensor actual)
    {
        double scale = Math.Max(1, expected.abs().max().item<float>());
        Assert.Equal(expected.shape, actual.shape);
        Assert.True((expected - actual).abs().max().item<float>() < 2e-5 * scale, "torch gives something else");
    }
}
