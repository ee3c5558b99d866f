using FaceDistill.Kernels;
using FaceDistill.Training.Losses;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Training.Losses;

public sealed class RelationalDistanceTests
{
    public RelationalDistanceTests() => TorchNative.EnsureLoaded();

    [Theory]
    [InlineData(2, 3, 3)]
    [InlineData(6, 4, 4)]
    [InlineData(5, 3, 8)] // a student of another dimension
    public void Loss_and_gradient_are_those_of_a_plain_loop(int faces, int dimension, int teacherDimension)
    {
        var target = Gradients.Embeddings(faces, teacherDimension, 1);
        target[0, 0] += 20; // distances beyond huber's bend
        Gradients.Check(Gradients.Embeddings(faces, dimension, 2), s => RelationalDistance.Loss(s, tensor(target)), s => Plain(s, target));
    }

    [Fact]
    public void The_teachers_space_turned_shifted_and_enlarged_costs_nothing()
    {
        using var scope = NewDisposeScope();
        var target = tensor(Gradients.Embeddings(6, 2, 4));
        var turned = stack([target[TensorIndex.Colon, 1], -target[TensorIndex.Colon, 0]], 1);
        Assert.Equal(0, RelationalDistance.Loss((turned * 3) + 5, target).item<double>(), 1e-12);
    }

    [Fact]
    public void Two_equal_faces_give_a_finite_gradient()
    {
        using var scope = NewDisposeScope();
        var student = tensor(new double[,] { { 1, 2 }, { 1, 2 }, { 3, 5 } }, requires_grad: true);
        RelationalDistance.Loss(student, tensor(Gradients.Embeddings(3, 2, 5))).backward();
        Assert.True(student.grad!.isfinite().all().item<bool>());
    }

    private static double Plain(double[,] student, double[,] target)
    {
        int n = student.GetLength(0);
        var pairs = (from i in Enumerable.Range(0, n) from j in Enumerable.Range(0, n) where i != j select (i, j)).ToList();
        double Distance(double[,] x, int i, int j) => Math.Sqrt(Gradients.Less(Gradients.Row(x, i), Gradients.Row(x, j)).Sum(v => v * v));
        double s = pairs.Average(p => Distance(student, p.i, p.j)), t = pairs.Average(p => Distance(target, p.i, p.j));
        return pairs.Average(p => Gradients.Huber(Distance(student, p.i, p.j) / s, Distance(target, p.i, p.j) / t));
    }
}
