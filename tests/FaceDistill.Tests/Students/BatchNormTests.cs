using FaceDistill.Kernels;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Students;

public sealed class BatchNormTests
{
    [Fact]
    public void Values_names_and_moments_are_those_of_torchs()
    {
        TorchNative.EnsureLoaded();
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        using var ours = new BatchNorm(9);
        using var theirs = nn.BatchNorm2d(9);
        Assert.Equal(theirs.state_dict().Select(t => (t.Key, t.Value.dtype, string.Join(',', t.Value.shape))),
            ours.state_dict().Select(t => (t.Key, t.Value.dtype, string.Join(',', t.Value.shape))));
        Assert.Equal(["weight", "bias"], ours.named_parameters().Select(p => p.name));
        for (int step = 1; step <= 3; step++)
        {
            var batch = randn([4, 9, 5, 5], generator: generator).Plus(step);
            Assert.True(ours.Apply(batch).equal(theirs.forward(batch)).all().item<bool>());
            Assert.Equal(step, ours.Batches.item<long>());
        }

        ours.eval();
        theirs.eval();
        var face = randn([1, 9, 5, 5], generator: generator);
        Assert.True(ours.Apply(face).equal(theirs.forward(face)).all().item<bool>());
        Assert.Equal(3, ours.Batches.item<long>());
        Assert.All(theirs.state_dict(), t => Assert.True(ours.state_dict()[t.Key].equal(t.Value).all().item<bool>(), t.Key));
    }

    [Fact]
    public void It_outlives_the_scope_in_which_it_is_made()
    {
        TorchNative.EnsureLoaded();
        BatchNorm norm;
        using (NewDisposeScope())
        {
            norm = new BatchNorm(8);
        }

        using (norm)
        {
            Assert.Equal(8, norm.Weight.numel() + (int)norm.RunningMean.sum().item<float>());
        }
    }
}
