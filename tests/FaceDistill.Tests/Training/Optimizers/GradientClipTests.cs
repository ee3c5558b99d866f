using FaceDistill.Kernels;
using FaceDistill.Training.Optimizers;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Training.Optimizers;

public sealed class GradientClipTests
{
    [Theory]
    [InlineData(1, new[] { 0.6f, -0.8f })]
    [InlineData(5, new[] { 3f, -4f })]
    [InlineData(10, new[] { 3f, -4f })]
    [InlineData(0, new[] { 3f, -4f })] // no limit
    public void A_norm_above_the_limit_becomes_the_limit(double limit, float[] expected)
    {
        TorchNative.EnsureLoaded();
        using var gradients = tensor([3f, -4f]);
        Assert.Equal(5, GradientClip.Apply(gradients, limit), 6);
        Assert.Equal(expected, gradients.data<float>().ToArray(), (a, b) => Math.Abs(a - b) < 1e-6);
    }

    [Fact]
    public void A_gradient_that_is_no_number_shows_in_the_norm()
    {
        TorchNative.EnsureLoaded();
        using var gradients = tensor([3f, float.NaN]);
        Assert.False(double.IsFinite(GradientClip.Apply(gradients, 1)));
    }
}
