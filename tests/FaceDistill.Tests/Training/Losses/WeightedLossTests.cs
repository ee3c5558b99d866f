using FaceDistill.Kernels;
using FaceDistill.Training.Losses;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Training.Losses;

public sealed class WeightedLossTests
{
    public WeightedLossTests() => TorchNative.EnsureLoaded();

    [Fact]
    public void The_sum_is_that_of_the_losses_times_their_weights()
    {
        using var scope = NewDisposeScope();
        using var loss = new WeightedLoss(
            new LossOptions { Squared = 2, Cosine = 0.5, Distance = 25, Angle = 50, ArcFace = 0.1 }, people: 3, dimension: 5, seed: 1, CPU);
        var (student, target, labels) = (rand(8, 5), rand(8, 5), tensor(new long[] { 0, 1, 2, 0, -1, 1, 2, 0 }));
        double expected = (2 * SquaredDifference.Loss(student, target).item<float>()) + (0.5 * CosineDistance.Loss(student, target).item<float>())
            + (25 * RelationalDistance.Loss(student, target).item<float>()) + (50 * RelationalAngle.Loss(student, target).item<float>())
            + (0.1 * loss.ClassCentres!.Loss(student, labels).item<float>());
        Assert.Equal(expected, loss.Of(student, target, labels).item<float>(), 1e-4);
    }

    // A weight that no line of the sum takes would train on nothing, or on less than was asked for.
    [Fact]
    public void Each_weight_has_a_loss()
    {
        using var scope = NewDisposeScope();
        var (student, target, labels) = (rand(8, 5), rand(8, 5), tensor(new long[] { 0, 1, 2, 0, -1, 1, 2, 0 }));
        string[] ranges = [nameof(LossOptions.ArcFaceScale), nameof(LossOptions.ArcFaceMargin)];
        foreach (var weight in typeof(LossOptions).GetProperties().Where(p => p.PropertyType == typeof(double) && !ranges.Contains(p.Name)))
        {
            var alone = new LossOptions { Squared = 0 };
            weight.SetValue(alone, 3.0);
            using var loss = new WeightedLoss(alone.Validated(), people: 3, dimension: 5, seed: 1, CPU);
            Assert.True(loss.Of(student, target, labels).item<float>() > 0, weight.Name);
            Assert.Contains("3 ", alone.ToString(), StringComparison.Ordinal);
        }
    }

    // Where it is said of a loss that looks at pairs, or counts known people, parts of a batch would be trained on something else.
    [Fact]
    public void What_is_of_each_face_is_the_mean_over_parts_of_a_batch_and_nothing_else_is()
    {
        using var scope = NewDisposeScope();
        var (student, target, labels) = (rand(8, 5), rand(8, 5), tensor(new long[] { 0, 1, 2, 0, -1, 1, 2, 0 }));
        foreach (var options in new LossOptions[]
            { new() { Cosine = 1 }, new() { Squared = 0, Cosine = 1 }, new() { Distance = 1 }, new() { Angle = 1 }, new() { ArcFace = 1 } })
        {
            using var loss = new WeightedLoss(options, people: 3, dimension: 5, seed: 1, CPU);
            float Of(int first, int count) =>
                loss.Of(student.narrow(0, first, count), target.narrow(0, first, count), labels.narrow(0, first, count)).item<float>();
            Assert.Equal(loss.IsOfEachFace, Math.Abs(Of(0, 8) - ((Of(0, 3) * 3 / 8) + (Of(3, 5) * 5 / 8))) < 1e-6);
        }
    }

    [Fact]
    public void By_default_it_is_the_squared_difference()
    {
        using var scope = NewDisposeScope();
        using var loss = new WeightedLoss(new LossOptions(), people: 0, dimension: 5, seed: 1, CPU);
        var (student, target) = (rand(4, 5), rand(4, 5));
        Assert.Null(loss.ClassCentres);
        Assert.Equal(SquaredDifference.Loss(student, target).item<float>(), loss.Of(student, target, tensor(new long[] { -1, -1, -1, -1 })).item<float>());
        Assert.Equal("squared", new LossOptions().ToString());
        Assert.Equal("0.5 squared + ArcFace", new LossOptions { Squared = 0.5, ArcFace = 1 }.ToString());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void ArcFace_without_people_is_refused(int people)
    {
        var e = Assert.Throws<FaceDistillException>(() => new WeightedLoss(new LossOptions { ArcFace = 1 }, people, dimension: 5, seed: 1, CPU));
        Assert.Contains($"the data have {people}", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_out_of_their_range_are_named()
    {
        string Says(LossOptions o) => Assert.Throws<FaceDistillException>(o.Validated).Message;
        Assert.Contains("cosine loss is 0 to 1000, not -1", Says(new LossOptions { Cosine = -1 }), StringComparison.Ordinal);
        Assert.Contains("angles is 0 to 1000, not NaN", Says(new LossOptions { Angle = double.NaN }), StringComparison.Ordinal);
        Assert.Contains("scale is 1 to 1000, not 0", Says(new LossOptions { ArcFaceScale = 0 }), StringComparison.Ordinal);
        Assert.Contains("margin is 0 to 1 radians, not 1.1", Says(new LossOptions { ArcFaceMargin = 1.1 }), StringComparison.Ordinal);
        Assert.Contains("every loss has the weight 0", Says(new LossOptions { Squared = 0 }), StringComparison.Ordinal);
        var most = new LossOptions { Squared = 1000, Cosine = 1000, Distance = 1000, Angle = 1000, ArcFace = 1000 };
        Assert.Same(most, most.Validated());
    }
}
