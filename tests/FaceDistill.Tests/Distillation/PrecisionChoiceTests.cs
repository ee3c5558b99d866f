using FaceDistill.Distillation;
using FaceDistill.Students;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Distillation;

public sealed class PrecisionChoiceTests
{
    private static readonly MobileNetV1Architecture Tiny = new(new StudentSpec(0.25, 64), HeadKind.Gap, 8);

    [Fact]
    public void Auto_becomes_one_of_the_two_and_a_choice_stays()
    {
        Assert.Equal(PrecisionMode.Fp32, PrecisionChoice.Resolve(PrecisionMode.Fp32, Tiny, 8, CPU));
        Assert.Equal(PrecisionMode.Bf16, PrecisionChoice.Resolve(PrecisionMode.Bf16, Tiny, 8, CPU));
        Assert.NotEqual(PrecisionMode.Auto, PrecisionChoice.Resolve(PrecisionMode.Auto, Tiny, 8, CPU));
        Assert.Throws<ArgumentOutOfRangeException>(() => PrecisionChoice.TypeOf(PrecisionMode.Auto));
    }

    [Fact]
    public void Gradients_in_bfloat16_point_where_those_in_float32_do()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        var input = randn([32, 64, 64, 3], generator: generator).permute(0, 3, 1, 2);
        var target = randn([32, 8], generator: generator);
        Tensor Gradient(PrecisionMode mode)
        {
            var model = new MobileNetV1(Tiny, seed: 1) { TrainingType = PrecisionChoice.TypeOf(mode) };
            using var weights = new FlatWeights(model);
            model.train();
            weights.ZeroGradients();
            SquaredDifference.Loss(model.forward(input), target).backward();
            return weights.Gradients.clone();
        }

        var (single, half) = (Gradient(PrecisionMode.Fp32), Gradient(PrecisionMode.Bf16));
        float cosine = nn.functional.cosine_similarity(single, half, dim: 0).item<float>();
        Assert.True(cosine is > 0.95f and < 1, $"cosine {cosine}");
    }
}
