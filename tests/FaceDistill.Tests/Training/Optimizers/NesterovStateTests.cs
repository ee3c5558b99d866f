using FaceDistill.Students;
using FaceDistill.Training.Optimizers;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Training.Optimizers;

public sealed class NesterovStateTests
{
    [Fact]
    public void Steps_equal_torchs_own()
    {
        var architecture = new MobileNetV1Architecture(new StudentSpec(0.25, 64), HeadKind.Gap, 8);
        using var ours = new MobileNetV1(architecture, seed: 1);
        using var theirs = new MobileNetV1(architecture, seed: 1);
        using var own = new NesterovState(ours, weightDecay: 0.1);
        using var reference = optim.SGD(
        [
            new TorchSharp.Modules.SGD.ParamGroup(
                theirs.parameters().Where(p => p.dim() > 1), new TorchSharp.Modules.SGD.Options { momentum = 0.9, nesterov = true, weight_decay = 0.1 }),
            new TorchSharp.Modules.SGD.ParamGroup(
                theirs.parameters().Where(p => p.dim() <= 1), new TorchSharp.Modules.SGD.Options { momentum = 0.9, nesterov = true, weight_decay = 0 }),
        ], 0.01, momentum: 0.9, nesterov: true);
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        for (int step = 0; step < 5; step++)
        {
            own.ZeroGradients();
            foreach (var (a, b) in ours.parameters().Zip(theirs.parameters()))
            {
                b.grad = randn(b.shape, generator: generator);
                a.grad!.copy_(b.grad!);
            }

            own.Step(0.01);
            reference.step();
        }

        Assert.Equal(5, own.Steps);
        foreach (var (a, b) in ours.parameters().Zip(theirs.parameters()))
        {
            Assert.True((a - b).abs().max().item<float>() < 1e-5, "a weight differs");
        }
    }
}
