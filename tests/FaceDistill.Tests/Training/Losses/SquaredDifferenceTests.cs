using FaceDistill.Kernels;
using FaceDistill.Tests.Students;
using FaceDistill.Training.Losses;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Training.Losses;

public sealed class SquaredDifferenceTests
{
    public SquaredDifferenceTests() => TorchNative.EnsureLoaded();

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 5)]
    [InlineData(64, 128)]
    public void Loss_and_gradient_are_those_of_a_plain_loop(int faces, int dimension)
    {
        var random = new Random(faces);
        float[] Values() => [.. Enumerable.Range(0, faces * dimension).Select(_ => random.NextSingle() - 0.5f)];
        float[] s = Values(), t = Values();
        double sum = 0;
        for (int i = 0; i < s.Length; i++)
        {
            sum += ((double)s[i] - t[i]) * ((double)s[i] - t[i]);
        }

        using var scope = NewDisposeScope();
        var student = tensor(s, [faces, dimension], requires_grad: true);
        var loss = SquaredDifference.Loss(student, tensor(t, [faces, dimension]));
        Assert.Equal(sum / s.Length, loss.item<float>(), 1e-6);
        Assert.Empty(loss.shape);
        loss.backward();
        float[] gradient = student.grad!.data<float>().ToArray();
        Assert.All(Enumerable.Range(0, s.Length), i => Assert.Equal(2.0 * (s[i] - t[i]) / s.Length, gradient[i], 1e-6));
    }

    [Fact]
    public void A_student_that_always_answers_the_mean_explains_nothing()
    {
        var random = new Random(1);
        float[] embeddings = [.. Enumerable.Range(0, 400).Select(_ => random.NextSingle())];
        var scaling = TargetScalingTests.Measured(embeddings, 4);
        var targets = new float[400];
        for (int i = 0; i < 400; i += 4)
        {
            scaling.Apply(embeddings.AsSpan(i, 4), targets.AsSpan(i, 4));
        }

        using var scope = NewDisposeScope();
        Assert.Equal(1, SquaredDifference.Loss(zeros(100, 4), tensor(targets, [100, 4])).item<float>(), 1e-4);
    }
}
