using static TorchSharp.torch;

namespace FaceDistill.Tests.Training.Losses;

/// <summary>Random embeddings in float64, and a loss's gradient against central differences of its values.</summary>
internal static class Gradients
{
    private const double Small = 1e-6;

    public static double[,] Embeddings(int faces, int dimension, int seed)
    {
        var random = new Random(seed);
        var values = new double[faces, dimension];
        for (int i = 0; i < faces; i++)
        {
            for (int d = 0; d < dimension; d++)
            {
                values[i, d] = (random.NextDouble() * 4) - 2;
            }
        }

        return values;
    }

    /// <summary>Compares the gradient in each value, after the loss itself was compared with an independent one.</summary>
    public static void Check(double[,] student, Func<Tensor, Tensor> loss, Func<double[,], double> plain)
    {
        using var scope = NewDisposeScope();
        var s = tensor(student, requires_grad: true);
        var value = loss(s);
        Assert.Empty(value.shape);
        Assert.Equal(plain(student), value.item<double>(), 1e-9);
        value.backward();
        for (int i = 0; i < student.GetLength(0); i++)
        {
            for (int d = 0; d < student.GetLength(1); d++)
            {
                double At(double change)
                {
                    var moved = (double[,])student.Clone();
                    moved[i, d] += change;
                    return plain(moved);
                }

                Assert.Equal((At(Small) - At(-Small)) / (2 * Small), s.grad![i, d].item<double>(), 1e-6);
            }
        }
    }

    public static double Huber(double a, double b) => Math.Abs(a - b) <= 1 ? (a - b) * (a - b) / 2 : Math.Abs(a - b) - 0.5;

    public static double Cosine(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum() / Math.Sqrt(a.Sum(x => x * x) * b.Sum(x => x * x));

    public static double[] Row(double[,] m, int i) => [.. Enumerable.Range(0, m.GetLength(1)).Select(d => m[i, d])];

    public static double[] Less(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x - y)];
}
