using FaceDistill.Files;
using OpenCvSharp;

namespace FaceDistill.Faces;

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

    /// <summary>
    /// The crop of facenet-pytorch and of FaceNet before it: the detector's box with a margin of 14 pixels in a picture of 160 (facenet-pytorch 2.5,
    /// MTCNN(image_size=160, margin=14) of its LFW example, extract_face), as the similarity that brings the five points where they lie in such crops.
    /// </summary>
    /// <remarks>
    /// MTCNN's boxes are those of WIDER FACE, and so are YuNet's: the points are their mean places in YuNet's boxes of 573 frontal faces of LFW (every eighth
    /// person's first photo), made symmetrical, times 146, plus 7. The original stretches each box, some 0.76 as wide as high, to a square; a similarity does
    /// not.
    /// </remarks>
    public static AlignmentTemplate FaceNet { get; } = new("facenet", 160,
        new(45.8f, 61.9f), new(114.2f, 61.9f), new(80f, 91f), new(51.2f, 113.3f), new(108.8f, 113.3f));

    /// <summary>
    /// ArcFace's points in a square a quarter larger, which holds the squares of all other templates: what several models of different templates are given.
    /// </summary>
    public static AlignmentTemplate Wide { get; } = new("wide", 140,
        new(52.2946f, 65.6963f), new(87.5318f, 65.5014f), new(70.0252f, 85.7366f), new(55.5493f, 106.3655f), new(84.7299f, 106.2041f));

    /// <summary>Every template by name.</summary>
    public static IReadOnlyList<AlignmentTemplate> All { get; } = [ArcFace, Dlib, FaceNet, Wide];

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

    /// <summary>The five points in what a model sees: a face is aligned at <see cref="AlignedFrame.DefaultSize"/> and then resized, as <see
    /// cref="AlignedFrame.View"/> does, which keeps the pixels' edges and not their centres in place.</summary>
    /// <param name="size">The view's side in pixels.</param>
    internal Point2f[] PointsInView(int size)
    {
        float factor = size / (float)AlignedFrame.DefaultSize;
        return [.. PointsIn(new AlignedFrame(AlignedFrame.DefaultSize, 0)).Select(p =>
            new Point2f(((p.X + 0.5f) * factor) - 0.5f, ((p.Y + 0.5f) * factor) - 0.5f))];
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
