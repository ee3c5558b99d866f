using OpenCvSharp;

namespace FaceDistill.Faces;

/// <summary>
/// The similarity (rotation, uniform scale, translation) that brings points nearest to others in the least-squares
/// sense: (x, y) to (a x - b y + tx, b x + a y + ty). Closed form in two dimensions of Umeyama, "Least-squares estimation
/// of transformation parameters between two point patterns", 1991, without reflections.
/// </summary>
/// <param name="A">Scale times the cosine of the angle.</param>
/// <param name="B">Scale times the sine of the angle.</param>
/// <param name="Tx">Translation in x, pixels.</param>
/// <param name="Ty">Translation in y, pixels.</param>
public readonly record struct SimilarityTransform(double A, double B, double Tx, double Ty)
{
    /// <summary>How many target pixels one source pixel becomes.</summary>
    public double Scale => Math.Sqrt((A * A) + (B * B));

    /// <summary>Fits the transform.</summary>
    /// <param name="from">Source points, at least two different ones.</param>
    /// <param name="to">As many target points.</param>
    public static SimilarityTransform Fit(ReadOnlySpan<Point2f> from, ReadOnlySpan<Point2f> to)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(to.Length, from.Length);
        var (fx, fy) = Mean(from);
        var (gx, gy) = Mean(to);
        double dot = 0, cross = 0, norm = 0;
        for (int i = 0; i < from.Length; i++)
        {
            double x = from[i].X - fx, y = from[i].Y - fy, u = to[i].X - gx, v = to[i].Y - gy;
            dot += (x * u) + (y * v);
            cross += (x * v) - (y * u);
            norm += (x * x) + (y * y);
        }

        ArgumentOutOfRangeException.ThrowIfZero(norm, nameof(from));
        double a = dot / norm, b = cross / norm;
        return new SimilarityTransform(a, b, gx - (a * fx) + (b * fy), gy - (b * fx) - (a * fy));
    }

    /// <summary>Moves one point.</summary>
    public Point2f Apply(Point2f p) => new((float)((A * p.X) - (B * p.Y) + Tx), (float)((B * p.X) + (A * p.Y) + Ty));

    /// <summary>The 2 x 3 matrix for OpenCV's warpAffine; the caller disposes it.</summary>
    public Mat ToMatrix()
    {
        var matrix = new Mat(2, 3, MatType.CV_64FC1);
        matrix.Set(0, 0, A);
        matrix.Set(0, 1, -B);
        matrix.Set(0, 2, Tx);
        matrix.Set(1, 0, B);
        matrix.Set(1, 1, A);
        matrix.Set(1, 2, Ty);
        return matrix;
    }

    private static (double X, double Y) Mean(ReadOnlySpan<Point2f> points)
    {
        double x = 0, y = 0;
        foreach (var p in points)
        {
            x += p.X;
            y += p.Y;
        }

        return (x / points.Length, y / points.Length);
    }
}
