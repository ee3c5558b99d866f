using FaceDistill.Kernels;
using FaceDistill.Students;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Students;

public sealed class FlatWeightsTests
{
    private static readonly MobileNetV1Architecture Tiny = new(new StudentSpec(0.25, 64), HeadKind.Gap, 8);

    public FlatWeightsTests() => TorchNative.EnsureLoaded();

    [Fact]
    public void Parameters_keep_values_and_layout_and_share_the_block()
    {
        using var scope = NewDisposeScope();
        using var plain = new MobileNetV1(Tiny, seed: 4);
        using var model = new MobileNetV1(Tiny, seed: 4);
        using var flat = new FlatWeights(model);
        Assert.Equal(StudentCost.Of(Tiny).Parameters, flat.Count);
        foreach (var (before, after) in plain.parameters().Zip(model.parameters()))
        {
            Assert.True(before.eq(after).all().item<bool>());
            Assert.Equal(before.stride(), after.stride());
        }

        using (no_grad())
        {
            flat.Values.zero_();
        }

        Assert.All(model.parameters(), p => Assert.Equal(0, p.abs().max().item<float>()));
        long decayed = model.parameters().Where(p => p.dim() > 1).Sum(p => p.numel());
        Assert.Equal(decayed, flat.Decayed);
    }

    [Fact]
    public void A_backward_pass_fills_the_block_of_gradients_with_the_same_values()
    {
        using var scope = NewDisposeScope();
        using var plain = new MobileNetV1(Tiny, seed: 4);
        using var model = new MobileNetV1(Tiny, seed: 4);
        using var flat = new FlatWeights(model);
        using var generator = new Generator(1);
        var input = randn([4, 64, 64, 3], generator: generator).permute(0, 3, 1, 2);
        for (int pass = 0; pass < 2; pass++)
        {
            // The second pass begins from zero again.
            flat.ZeroGradients();
            model.zero_grad();
            plain.zero_grad();
            flat.ZeroGradients();
            model.forward(input).square().mean().backward();
            plain.forward(input).square().mean().backward();
        }

        var expected = plain.named_parameters().ToDictionary(p => p.name, p => p.parameter.grad!);
        foreach (var (name, view) in flat.Views(flat.Gradients))
        {
            Assert.True(view.allclose(expected[name], 1e-4, 1e-7), name);
        }
    }
}
