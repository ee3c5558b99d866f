using FaceDistill.Kernels;
using FaceDistill.Training.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Training.Losses;

public sealed class ArcFaceTests
{
    public ArcFaceTests() => TorchNative.EnsureLoaded();

    [Theory]
    [InlineData(2, 2, 64, 0.5)]
    [InlineData(7, 5, 64, 0.5)]
    [InlineData(7, 5, 20, 0)]
    [InlineData(7, 5, 30, 0.2)]
    public void Loss_and_gradient_are_those_of_a_plain_loop(int faces, int people, double scale, double margin)
    {
        using var arcFace = new ArcFace(people, 4, seed: 1, scale, margin);
        arcFace.to(ScalarType.Float64);
        long[] labels = [.. Enumerable.Range(0, faces).Select(i => i == 1 ? -1L : i % people)];
        Gradients.Check(Gradients.Embeddings(faces, 4, 2), s => arcFace.Loss(s, tensor(labels)), s => Plain(s, Centres(arcFace), labels, scale, margin));

        // The people's centres train as well.
        const double small = 1e-6;
        var (student, centres) = (Gradients.Embeddings(faces, 4, 2), Centres(arcFace));
        for (int i = 0; i < people * 4; i++)
        {
            double At(double change)
            {
                var moved = (double[,])centres.Clone();
                moved[i / 4, i % 4] += change;
                return Plain(student, moved, labels, scale, margin);
            }

            Assert.Equal((At(small) - At(-small)) / (2 * small), arcFace.Centres.grad![i / 4, i % 4].item<double>(), 1e-6);
        }
    }

    [Fact]
    public void Beyond_pi_the_loss_still_falls_with_the_angle()
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var arcFace = new ArcFace(2, 3, seed: 1);
        arcFace.to(ScalarType.Float64);
        arcFace.Centres.copy_(tensor(new double[,] { { 1, 0, 0 }, { 0, 0, 1 } })); // the other person is at a right angle to all of it
        double At(double degrees) =>
            arcFace.Loss(tensor(new double[,] { { Math.Cos(degrees * Math.PI / 180), Math.Sin(degrees * Math.PI / 180), 0 } }),
            tensor(new long[] { 0 })).item<double>();
        double[] losses = [.. Enumerable.Range(3, 16).Select(i => At(i * 10.0))];
        Assert.All(Enumerable.Range(1, 15), i => Assert.True(losses[i] > losses[i - 1], $"{(i + 3) * 10} degrees: {losses[i]} after {losses[i - 1]}"));
    }

    [Fact]
    public void Faces_of_nobody_known_cost_nothing()
    {
        using var scope = NewDisposeScope();
        using var arcFace = new ArcFace(3, 4, seed: 1);
        var student = rand(2, 4, requires_grad: true);
        var loss = arcFace.Loss(student, tensor(new long[] { -1, -1 }));
        loss.backward();
        Assert.Equal(0, loss.item<float>());
        Assert.Equal(0, student.grad!.abs().sum().item<float>());
    }

    private static double[,] Centres(ArcFace arcFace)
    {
        using var scope = NewDisposeScope();
        var centres = new double[arcFace.Centres.shape[0], 4];
        Buffer.BlockCopy(arcFace.Centres.detach().data<double>().ToArray(), 0, centres, 0, centres.Length * 8);
        return centres;
    }

    private static double Plain(double[,] student, double[,] centres, long[] labels, double scale, double margin) =>
        Enumerable.Range(0, labels.Length).Where(i => labels[i] >= 0).Average(i =>
    {
        double[] logits = [.. Enumerable.Range(0, centres.GetLength(0)).Select(k =>
        {
            double cosine = Gradients.Cosine(Gradients.Row(student, i), Gradients.Row(centres, k)), angle = Math.Acos(cosine);
            return scale * (k != labels[i] ? cosine : angle + margin < Math.PI ? Math.Cos(angle + margin) : cosine - (margin * Math.Sin(margin)));
        })];
        return Math.Log(logits.Sum(l => Math.Exp(l - logits[labels[i]])));
    });
}
