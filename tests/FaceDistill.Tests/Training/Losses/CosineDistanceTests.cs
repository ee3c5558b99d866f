using FaceDistill.Kernels;
using FaceDistill.Training.Losses;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Training.Losses;

public sealed class CosineDistanceTests
{
    public CosineDistanceTests() => TorchNative.EnsureLoaded();

    [Theory]
    [InlineData(1, 2)]
    [InlineData(5, 7)]
    public void Loss_and_gradient_are_those_of_a_plain_loop(int faces, int dimension)
    {
        var target = Gradients.Embeddings(faces, dimension, 1);
        Gradients.Check(Gradients.Embeddings(faces, dimension, 2), s => CosineDistance.Loss(s, tensor(target)),
            s => Enumerable.Range(0, faces).Average(i => 1 - Gradients.Cosine(Gradients.Row(s, i), Gradients.Row(target, i))));
    }

    [Fact]
    public void Length_does_not_count_and_the_opposite_direction_costs_two()
    {
        using var scope = NewDisposeScope();
        var target = tensor(Gradients.Embeddings(4, 6, 3));
        Assert.Equal(0, CosineDistance.Loss(target * 7, target).item<double>(), 1e-12);
        Assert.Equal(2, CosineDistance.Loss(-target, target).item<double>(), 1e-12);
    }
}
