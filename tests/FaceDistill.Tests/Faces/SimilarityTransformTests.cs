using FaceDistill.Faces;
using MathNet.Numerics.LinearAlgebra;
using OpenCvSharp;

namespace FaceDistill.Tests.Faces;

public sealed class SimilarityTransformTests
{
    private static readonly Point2f[] Points = [new(10, 12), new(60, 14), new(33, 40), new(15, 70), new(55, 72)];

    [Theory]
    [InlineData(1, 0, 0, 0)]
    [InlineData(0.4, 0.3, 5, -7)]
    [InlineData(-2, 1.5, 100, 30)]
    public void A_known_transform_is_recovered(double a, double b, double tx, double ty)
    {
        var known = new SimilarityTransform(a, b, tx, ty);
        var fitted = SimilarityTransform.Fit(Points, [.. Points.Select(known.Apply)]);
        Assert.Equal(a, fitted.A, 5);
        Assert.Equal(b, fitted.B, 5);
        Assert.Equal(tx, fitted.Tx, 3);
        Assert.Equal(ty, fitted.Ty, 3);
        Assert.Equal(Math.Sqrt((a * a) + (b * b)), fitted.Scale, 5);
    }

    [Theory]
    [InlineData(1, 0.3)]
    [InlineData(2, 3)]
    [InlineData(3, 10)]
    [InlineData(4, 100)] // nothing left of the face: the solution is still the least-squares one
    public void Noisy_points_give_the_least_squares_solution(int seed, double noise)
    {
        var random = new Random(seed);
        float Noise() => (float)(noise * ((2 * random.NextDouble()) - 1));
        var known = new SimilarityTransform(0.8, -0.5, 20, 7);
        Point2f[] to = [.. Points.Select(known.Apply).Select(p => new Point2f(p.X + Noise(), p.Y + Noise()))];
        var fitted = SimilarityTransform.Fit(Points, to);

        // x' = a x - b y + tx and y' = b x + a y + ty as ten linear equations in a, b, tx, ty.
        var matrix = Matrix<double>.Build.Dense(10, 4, (row, column) =>
        {
            var p = Points[row / 2];
            double[] equation = row % 2 == 0 ? [p.X, -p.Y, 1, 0] : [p.Y, p.X, 0, 1];
            return equation[column];
        });
        var right = Vector<double>.Build.Dense(10, row => row % 2 == 0 ? to[row / 2].X : to[row / 2].Y);
        var solution = matrix.QR().Solve(right);
        Assert.Equal(solution[0], fitted.A, 6);
        Assert.Equal(solution[1], fitted.B, 6);
        Assert.Equal(solution[2], fitted.Tx, 4);
        Assert.Equal(solution[3], fitted.Ty, 4);
    }

    [Fact]
    public void One_point_does_not_decide_a_transform() =>
        Assert.ThrowsAny<ArgumentException>(() => SimilarityTransform.Fit([new(1, 1), new(1, 1)], [new(1, 1), new(2, 2)]));
}
