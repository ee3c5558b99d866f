using FaceDistill.Kernels;
using FaceDistill.Training.Losses;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Training.Losses;

public sealed class RelationalAngleTests
{
    public RelationalAngleTests() => TorchNative.EnsureLoaded();

    [Theory]
    [InlineData(3, 2, 2)]
    [InlineData(6, 4, 4)]
    [InlineData(5, 3, 8)] // a student of another dimension
    public void Loss_and_gradient_are_those_of_a_plain_loop(int faces, int dimension, int teacherDimension)
    {
        var target = Gradients.Embeddings(faces, teacherDimension, 1);
        Gradients.Check(Gradients.Embeddings(faces, dimension, 2), s => RelationalAngle.Loss(s, tensor(target)), s => Plain(s, target));
    }

    [Fact]
    public void The_teachers_space_turned_shifted_and_enlarged_costs_nothing_and_folded_it_costs()
    {
        using var scope = NewDisposeScope();
        var target = tensor(Gradients.Embeddings(6, 2, 4));
        var turned = stack([target[TensorIndex.Colon, 1], -target[TensorIndex.Colon, 0]], 1);
        Assert.Equal(0, RelationalAngle.Loss((turned * 3) + 5, target).item<double>(), 1e-12);
        Assert.True(RelationalAngle.Loss(target.abs(), target).item<double>() > 0.01);
    }

    [Fact]
    public void Two_equal_faces_give_a_finite_gradient()
    {
        using var scope = NewDisposeScope();
        var student = tensor(new double[,] { { 1, 2 }, { 1, 2 }, { 3, 5 } }, requires_grad: true);
        RelationalAngle.Loss(student, tensor(Gradients.Embeddings(3, 2, 5))).backward();
        Assert.True(student.grad!.isfinite().all().item<bool>());
    }

    private static double Plain(double[,] student, double[,] target)
    {
        int n = student.GetLength(0);
        double Angle(double[,] x, int i, int j, int k) =>
            Gradients.Cosine(Gradients.Less(Gradients.Row(x, i), Gradients.Row(x, j)), Gradients.Less(Gradients.Row(x, k), Gradients.Row(x, j)));
        return (from i in Enumerable.Range(0, n)
                from j in Enumerable.Range(0, n)
                from k in Enumerable.Range(0, n)
                where i != j && j != k && i != k
                select Gradients.Huber(Angle(student, i, j, k), Angle(target, i, j, k))).Average();
    }
}
