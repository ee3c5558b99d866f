using FaceDistill.Files;
using OpenCvSharp;

namespace FaceDistill.Faces;

/// <summary>Brings the most central large face of a picture onto a template. One instance serves one thread.</summary>
public sealed class FaceAligner(FaceDetector detector, AlignmentTemplate template, AlignedFrame frame)
{
    /// <summary>Changes whenever the same photo would give other pixels; part of the alignment's hash.</summary>
    public const int Version = 1;

    private readonly Point2f[] _target = template.PointsIn(frame);

    /// <summary>Detects, picks and warps.</summary>
    /// <param name="picture">BGR 8-bit, any size.</param>
    /// <returns>BGR 8-bit, frame.Side x frame.Side, black outside the picture, which the caller disposes; null where there is no face.</returns>
    public Mat? Align(Mat picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        var face = DetectedFace.MostCentralLarge(detector.Detect(picture), picture.Size());
        return face is null ? null : Warp(picture, face.Points, _target, frame.Side);
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

/// <summary>
/// Five reference points that an aligned face is brought onto: the eye at the image's left, the eye at its right,
/// the nose tip, the mouth corner at the left, the mouth corner at the right.
/// </summary>
public sealed class AlignmentTemplate
{
    private readonly Point2f[] _points;

    private AlignmentTemplate(string name, int referenceSize, params Point2f[] points)
    {
        (Name, ReferenceSize, _points) = (name, referenceSize, points);
    }

    /// <summary>The template of InsightFace's ArcFace models, for 112 x 112 pictures (InsightFace, arcface_dst).</summary>
    public static AlignmentTemplate ArcFace { get; } = new("arcface", 112,
        new(38.2946f, 51.6963f), new(73.5318f, 51.5014f), new(56.0252f, 71.7366f), new(41.5493f, 92.3655f), new(70.7299f, 92.2041f));

    /// <summary>
    /// dlib's face chip of 150 x 150 with padding 0.25: the eye, nose and mouth points of dlib's mean face
    /// (dlib, get_face_chip_details; reduced to five points in DESIGN.md section 4).
    /// </summary>
    public static AlignmentTemplate Dlib { get; } = new("dlib", 150,
        new(47.55f, 46.6f), new(100.45f, 46.6f), new(74.0f, 76.56f), new(50.41f, 103.02f), new(97.61f, 103.02f));

    /// <summary>Every template by name.</summary>
    public static IReadOnlyList<AlignmentTemplate> All { get; } = [ArcFace, Dlib];

    /// <summary>The name used on the command line, in cards and in manifests.</summary>
    public string Name { get; }

    /// <summary>The side, in pixels, of the square picture in which the reference points were published.</summary>
    public int ReferenceSize { get; }

    /// <summary>Finds a template by its name.</summary>
    /// <exception cref="FaceDistillException">There is none of that name; the message lists those there are.</exception>
    public static AlignmentTemplate Named(string name) =>
        All.FirstOrDefault(t => t.Name == name)
        ?? throw new FaceDistillException($"no alignment template '{name}'; there are {string.Join(", ", All.Select(t => t.Name))}");

    /// <summary>The five points, in pixels, in a picture made by <paramref name="frame"/>.</summary>
    public Point2f[] PointsIn(AlignedFrame frame)
    {
        float scale = frame.Size / (float)ReferenceSize;
        return [.. _points.Select(p => new Point2f((p.X * scale) + frame.Pad, (p.Y * scale) + frame.Pad))];
    }
}

/// <summary>
/// The geometry of an aligned picture: the template's square of <see cref="Size"/> pixels with a border of
/// <see cref="Pad"/> real pixels around it, so that a shifted or rotated view still shows the photo.
/// </summary>
/// <param name="Size">The side of the template's square, in pixels.</param>
/// <param name="Pad">The border on each side, in pixels.</param>
public readonly record struct AlignedFrame(int Size, int Pad)
{
    /// <summary>The side of the template's square, pixels, unless told otherwise.</summary>
    public const int DefaultSize = 160;

    /// <summary>The border around the template's square as a fraction of its side, unless told otherwise.</summary>
    public const double DefaultMargin = 0.1;

    /// <summary>The frame of <see cref="DefaultSize"/> and <see cref="DefaultMargin"/>: thresholds are measured on faces in it.</summary>
    public static AlignedFrame Default { get; } = Of(DefaultSize, DefaultMargin);

    /// <summary>The side of the whole picture, in pixels.</summary>
    public int Side => Size + (2 * Pad);

    /// <summary>Makes a frame whose border is a fraction of its size.</summary>
    /// <param name="size">The side of the template's square: 32 to 1024 pixels.</param>
    /// <param name="margin">The border as a fraction of the size: 0 to 1.</param>
    /// <exception cref="FaceDistillException">A value is out of its range.</exception>
    public static AlignedFrame Of(int size, double margin)
    {
        if (size is < 32 or > 1024)
        {
            throw new FaceDistillException($"an aligned face is 32 to 1024 pixels wide, not {size}");
        }

        return margin is >= 0 and <= 1
            ? new AlignedFrame(size, (int)Math.Round(size * margin))
            : throw new FaceDistillException(InvariantText.Of($"the margin is a fraction from 0 to 1, not {margin}"));
    }

    /// <summary>
    /// Cuts the template's square out of an aligned picture and resizes it, by area when it shrinks, linearly when it grows.
    /// </summary>
    /// <param name="aligned">BGR 8-bit, <see cref="Side"/> x <see cref="Side"/>.</param>
    /// <param name="size">The wanted side in pixels.</param>
    /// <returns>BGR 8-bit, size x size; the caller disposes it.</returns>
    public Mat View(Mat aligned, int size)
    {
        ArgumentNullException.ThrowIfNull(aligned);
        using var square = new Mat(aligned, new Rect(Pad, Pad, Size, Size));
        var view = new Mat();
        Cv2.Resize(square, view, new Size(size, size), interpolation: size < Size ? InterpolationFlags.Area : InterpolationFlags.Linear);
        return view;
    }
}
