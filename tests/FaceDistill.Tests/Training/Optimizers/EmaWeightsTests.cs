using FaceDistill.Students;
using FaceDistill.Training.Optimizers;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Training.Optimizers;

public sealed class EmaWeightsTests
{
    [Theory]
    [InlineData(1, 2.0 / 11)]
    [InlineData(9, 10.0 / 19)]
    [InlineData(100_000, 0.999)]
    public void The_decay_rises_to_its_full_value(long steps, double decay) => Assert.Equal(decay, EmaWeights.DecayAt(0.999, steps), 12);

    [Fact]
    public void Weights_and_running_statistics_are_averaged_and_stay_the_models_own()
    {
        using var model = new MobileNetV1(new MobileNetV1Architecture(new StudentSpec(0.25, 64), HeadKind.Gap, 8), seed: 1);
        using var average = new EmaWeights(model, 0.5, CPU);
        using var scope = NewDisposeScope();
        string[] names = ["conv0.weight", "conv0_bn.running_mean", "conv0_bn.running_var", "embedding.bias"];
        var expected = names.ToDictionary(n => n, n => average.Model.state_dict()[n].clone());
        var now = model.state_dict();
        for (long step = 1; step <= 30; step++)
        {
            using (no_grad())
            {
                foreach (string name in names)
                {
                    now[name].copy_(full_like(now[name], (float)step));
                    double decay = Math.Min(0.5, (1.0 + step) / (10 + step));
                    expected[name] = (expected[name] * (float)decay) + (now[name] * (float)(1 - decay));
                }
            }

            average.Update(step);
        }

        Assert.All(names, name => Assert.True(expected[name].allclose(average.Model.state_dict()[name]), name));
        Assert.Equal(30, now["embedding.bias"][0].item<float>());
        average.Restart();
        Assert.All(names, name => Assert.Equal(30, average.Model.state_dict()[name].flatten()[0].item<float>()));
    }
}
