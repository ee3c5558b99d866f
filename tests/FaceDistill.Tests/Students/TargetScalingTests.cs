using FaceDistill.Kernels;
using FaceDistill.Stores;
using FaceDistill.Students;
using FaceDistill.Training.Losses;
using MathNet.Numerics.Statistics;
using TorchSharp;

namespace FaceDistill.Tests.Students;

public sealed class TargetScalingTests
{
    [Theory]
    [InlineData(0f, 1f)]
    [InlineData(5f, 0.05f)]   // as the embeddings of a face network: a large common mean, little around it
    [InlineData(300f, 0.01f)]
    public void Scaled_targets_have_mean_zero_and_variance_one_on_average(float mean, float spread)
    {
        const int Count = 500, Dimension = 6;
        float[] embeddings = Random(Count * Dimension, (value, i) => mean + (spread * (1 + (i % Dimension)) * value));
        var scaling = Measured(embeddings, Dimension);
        var scaled = new float[Count * Dimension];
        for (int i = 0; i < scaled.Length; i += Dimension)
        {
            scaling.Apply(embeddings.AsSpan(i, Dimension), scaled.AsSpan(i, Dimension));
        }

        double[] Column(float[] values, int d) => [.. Enumerable.Range(0, Count).Select(i => (double)values[(i * Dimension) + d])];
        double variance = Math.Sqrt(Enumerable.Range(0, Dimension).Average(d => Column(embeddings, d).PopulationVariance()));
        Assert.Equal(variance, scaling.Scale, variance * 1e-5);
        Assert.All(Enumerable.Range(0, Dimension), d => Assert.Equal(Column(embeddings, d).Mean(), scaling.Mean[d], Math.Max(1e-6, mean * 1e-6)));
        Assert.All(Enumerable.Range(0, Dimension), d => Assert.Equal(0, Column(scaled, d).Mean(), 1e-3));
        Assert.Equal(1, Enumerable.Range(0, Dimension).Average(d => Column(scaled, d).PopulationVariance()), 1e-3);
    }

    [Fact]
    public void Scaling_back_gives_the_embedding()
    {
        float[] embeddings = Random(300, (value, _) => 2 + value);
        var scaling = Measured(embeddings, 3);
        var target = new float[3];
        scaling.Apply(embeddings.AsSpan(30, 3), target);
        Assert.All(Enumerable.Range(0, 3), d => Assert.Equal(embeddings[30 + d], (target[d] * scaling.Scale) + scaling.Mean[d], 1e-5));
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(0.1f)]
    [InlineData(5.1f)] // whose one-pass variance comes out as 1e-12, not 0
    [InlineData(1e-12f)]
    public void Embeddings_that_do_not_vary_are_refused(float value)
    {
        float[] embeddings = [.. Enumerable.Range(0, 1000 * 4).Select(i => value * (1 + (i % 4)))];
        Assert.Contains("nothing to learn", Assert.Throws<FaceDistillException>(() => Measured(embeddings, 4)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_loss_equals_a_plain_loop_and_is_one_for_a_student_that_answers_the_mean()
    {
        float[] a = Random(35, (value, _) => value), b = Random(35, (value, i) => value + (i % 3));
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        }

        TorchNative.EnsureLoaded();
        using var scope = torch.NewDisposeScope();
        Assert.Equal(sum / 35, SquaredDifference.Loss(torch.tensor(a).reshape(5, 7), torch.tensor(b).reshape(5, 7)).item<float>(), 1e-5);

        var scaling = Measured(b, 7);
        var targets = new float[35];
        for (int i = 0; i < 35; i += 7)
        {
            scaling.Apply(b.AsSpan(i, 7), targets.AsSpan(i, 7));
        }

        Assert.Equal(1, SquaredDifference.Loss(torch.zeros(5, 7), torch.tensor(targets).reshape(5, 7)).item<float>(), 1e-5);
    }

    internal static TargetScaling Measured(float[] embeddings, int dimension)
    {
        string[] names = [.. Enumerable.Range(0, embeddings.Length / dimension).Select(i => $"{i}")];
        return TargetScaling.Measure(new EmbeddingSet("teacher", dimension, embeddings, names, names), [.. Enumerable.Range(0, names.Length)]);
    }

    private static float[] Random(int count, Func<float, int, float> value)
    {
        var random = new Random(count);
        return [.. Enumerable.Range(0, count).Select(i => value((float)((2 * random.NextDouble()) - 1), i))];
    }
}
