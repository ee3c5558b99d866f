using OpenCvSharp;

namespace FaceDistill.Faces;

/// <summary>
/// Brings the most central large face of a picture onto a template (<see cref="DetectedFace.MostCentralLarge"/>), the right way up also where the picture
/// is turned by 90, 180 or 270 degrees. One instance serves one thread.
/// </summary>
public sealed class FaceAligner(FaceDetector detector, AlignmentTemplate template, AlignedFrame frame)
{
    /// <summary>Changes whenever the same photo would give other pixels; part of the alignment's hash.</summary>
    public const int Version = 2;

    private readonly Point2f[] _target = template.PointsIn(frame);

    /// <summary>Detects, picks and warps.</summary>
    /// <param name="picture">BGR 8-bit, any size.</param>
    /// <returns>BGR 8-bit, frame.Side x frame.Side, black outside the picture, which the caller disposes; null where there is no face.</returns>
    public Mat? Align(Mat picture) => Align(picture, out _);

    /// <summary>As <see cref="Align(Mat)"/>, with the number of faces that the picture shows.</summary>
    /// <param name="picture">BGR 8-bit, any size.</param>
    /// <param name="faces">How many faces the detector finds in it.</param>
    /// <returns>As <see cref="Align(Mat)"/>.</returns>
    public Mat? Align(Mat picture, out int faces)
    {
        ArgumentNullException.ThrowIfNull(picture);
        using var upright = UprightFaces.Of(detector, picture);
        faces = upright.Faces.Count;
        return faces == 0 ? null : Warp(upright.Picture, upright.Faces[0].Points, _target, frame.Side);
    }

    /// <summary>As <see cref="Align(Mat)"/>, and tells which face it is.</summary>
    internal Mat? AlignTold(Mat picture, out FaceInPhoto? face)
    {
        ArgumentNullException.ThrowIfNull(picture);
        using var upright = UprightFaces.Of(detector, picture);
        face = upright.Faces.Count == 0 ? null : FaceInPhoto.Of(upright);
        return face is null ? null : Warp(upright.Picture, upright.Faces[0].Points, _target, frame.Side);
    }

    /// <summary>Warps every face of a picture.</summary>
    /// <param name="picture">BGR 8-bit, any size.</param>
    /// <returns>Each as of <see cref="Align(Mat)"/>: the face that it picks, then the others from the largest to the smallest; the caller disposes
    /// them.</returns>
    public IReadOnlyList<Mat> AlignAll(Mat picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        using var upright = UprightFaces.Of(detector, picture);
        return [.. upright.Faces.Select(face => Warp(upright.Picture, face.Points, _target, frame.Side))];
    }

    /// <summary>Warps a picture so that its points come nearest to the target points.</summary>
    /// <param name="picture">BGR 8-bit.</param>
    /// <param name="points">Five points in the picture, pixels.</param>
    /// <param name="target">Where they should come to lie, pixels.</param>
    /// <param name="side">The result's side in pixels.</param>
    /// <returns>BGR 8-bit, side x side; the caller disposes it.</returns>
    public static Mat Warp(Mat picture, ReadOnlySpan<Point2f> points, ReadOnlySpan<Point2f> target, int side)
    {
        ArgumentNullException.ThrowIfNull(picture);
        var transform = SimilarityTransform.Fit(points, target);
        if (transform.Scale < 0.5)
        {
            // A linear warp that shrinks by more than two would skip pixels: shrink by area first.
            return WarpShrunk(picture, points, target, side, 2 * transform.Scale);
        }

        using var matrix = transform.ToMatrix();
        var aligned = new Mat();
        Cv2.WarpAffine(picture, aligned, matrix, new Size(side, side), InterpolationFlags.Linear, BorderTypes.Constant, Scalar.Black);
        return aligned;
    }

    private static Mat WarpShrunk(Mat picture, ReadOnlySpan<Point2f> points, ReadOnlySpan<Point2f> target, int side, double factor)
    {
        using var small = new Mat();
        var size = new Size(Math.Max(2, Math.Round(picture.Width * factor)), Math.Max(2, Math.Round(picture.Height * factor)));
        Cv2.Resize(picture, small, size, interpolation: InterpolationFlags.Area);
        double fx = size.Width / (double)picture.Width, fy = size.Height / (double)picture.Height;
        var moved = new Point2f[points.Length];
        for (int i = 0; i < moved.Length; i++)
        {
            // Pixel centres lie at whole numbers: (x + 0.5) f - 0.5.
            moved[i] = new Point2f((float)(((points[i].X + 0.5) * fx) - 0.5), (float)(((points[i].Y + 0.5) * fy) - 0.5));
        }

        var again = SimilarityTransform.Fit(moved, target);
        using var matrix = again.ToMatrix();
        var aligned = new Mat();
        Cv2.WarpAffine(small, aligned, matrix, new Size(side, side), InterpolationFlags.Linear, BorderTypes.Constant, Scalar.Black);
        return aligned;
    }
}

/// <summary>
/// The similarity (rotation, uniform scale, translation) that brings points nearest to others in the least-squares
/// sense: (x, y) to (a x - b y + tx, b x + a y + ty). Closed form in two dimensions of Umeyama, "Least-squares estimation
/// of transformation parameters between two point patterns", 1991, without reflections.
/// </summary>
/// <param name="A">Scale times the cosine of the angle.</param>
/// <param name="B">Scale times the sine of the angle.</param>
/// <param name="Tx">Translation in x, pixels.</param>
/// <param name="Ty">Translation in y, pixels.</param>
internal readonly record struct SimilarityTransform(double A, double B, double Tx, double Ty)
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
