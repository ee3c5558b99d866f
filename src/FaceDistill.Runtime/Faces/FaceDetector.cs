using FaceDistill.Files;
using OpenCvSharp;

namespace FaceDistill.Faces;

/// <summary>
/// Finds faces and their five points with YuNet (Wu et al., "YuNet: a tiny millisecond-level face detector", 2023; OpenCV Zoo).
/// One instance serves one thread.
/// </summary>
/// <remarks>
/// OpenCvSharp's FaceDetectorYN has no way to change its input size, so a picture is put, unenlarged, into the top left of a
/// black square: of 320 pixels when it fits, else shrunk into one of 640.
/// </remarks>
public sealed class FaceDetector : IDisposable
{
    private const int SmallSide = 320;
    private const int LargeSide = 640;
    private const int Columns = 15; // x, y, w, h, five points, score
    private readonly string _model;
    private readonly float _minScore;
    private readonly Dictionary<int, (FaceDetectorYN Network, Mat Canvas)> _sizes = [];
    private readonly Mat _found;

    /// <summary>Makes a detector.</summary>
    /// <param name="model">Path of YuNet's ONNX file.</param>
    /// <param name="minScore">The least confidence that counts as a face, 0 to 1.</param>
    /// <exception cref="FaceDistillException">The file is missing, damaged or another model.</exception>
    public FaceDetector(string model, float minScore = 0.6f)
    {
        OpenCvNative.EnsureLoaded();
        (_model, _minScore, _found) = (model, minScore, new Mat());
        Network(SmallSide); // a damaged or another model shows at once
    }

    /// <summary>Finds the faces of one picture.</summary>
    /// <param name="picture">BGR 8-bit, any size.</param>
    /// <returns>The faces in no particular order; none is an empty list.</returns>
    /// <exception cref="ArgumentException">The picture is empty, or of another type.</exception>
    public IReadOnlyList<DetectedFace> Detect(Mat picture)
    {
        Check(picture);
        int longest = Math.Max(picture.Width, picture.Height);
        int side = longest <= SmallSide ? SmallSide : LargeSide;
        double scale = Math.Min(1.0, side / (double)longest);
        var (network, canvas) = Network(side);
        canvas.SetTo(Scalar.Black);
        int width = Math.Max(1, (int)Math.Round(picture.Width * scale)), height = Math.Max(1, (int)Math.Round(picture.Height * scale));
        using (var part = new Mat(canvas, new Rect(0, 0, width, height)))
        {
            Cv2.Resize(picture, part, part.Size(), interpolation: InterpolationFlags.Area);
        }

        network.Detect(canvas, _found);
        return Read((float)(1 / scale));
    }

    /// <summary>Refuses what is no picture to find faces in.</summary>
    /// <exception cref="ArgumentException">It is empty, or not 8-bit BGR.</exception>
    internal static void Check(Mat picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        if (picture.Empty() || picture.Type() != MatType.CV_8UC3)
        {
            throw new ArgumentException($"faces are found in a picture of 8-bit BGR, CV_8UC3, not {(picture.Empty() ? "an empty one" : picture.Type())}");
        }
    }

    private DetectedFace[] Read(float scale)
    {
        var faces = new DetectedFace[_found.Rows];
        for (int i = 0; i < faces.Length; i++)
        {
            float At(int column) => _found.At<float>(i, column);
            var points = new Point2f[5];
            for (int p = 0; p < 5; p++)
            {
                points[p] = new Point2f(At(4 + (2 * p)) * scale, At(5 + (2 * p)) * scale);
            }

            faces[i] = new DetectedFace(new Rect2f(At(0) * scale, At(1) * scale, At(2) * scale, At(3) * scale), points, At(Columns - 1));
        }

        return faces;
    }

    private (FaceDetectorYN Network, Mat Canvas) Network(int side)
    {
        if (!_sizes.TryGetValue(side, out var entry))
        {
            var canvas = new Mat(side, side, MatType.CV_8UC3, Scalar.Black);
            FaceDetectorYN? network = null;
            try
            {
                // 0.3 is the non-maximum suppression threshold, 5000 the candidates kept before it: OpenCV's defaults.
                network = FaceDetectorYN.Create(_model, "", new Size(side, side), _minScore, 0.3f, 5000);
                network.Detect(canvas, _found); // any ONNX file loads, only YuNet has its outputs
                entry = (network, canvas);
            }
            catch (Exception e) when (e is OpenCVException or OpenCvSharpException)
            {
                network?.Dispose();
                canvas.Dispose();
                throw new FaceDistillException($"{_model} does not load as YuNet's face detector; get it again with '{Hints.Command} teachers pull yunet'", e);
            }

            _sizes[side] = entry;
        }

        return entry;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (network, canvas) in _sizes.Values)
        {
            network.Dispose();
            canvas.Dispose();
        }

        _found.Dispose();
    }
}

/// <summary>One face found in a picture; coordinates in the picture's pixels.</summary>
/// <param name="Box">The face's rectangle.</param>
/// <param name="Points">Eye at the image's left, eye at its right, nose tip, mouth corner at the left, mouth corner at the right.</param>
/// <param name="Score">The detector's confidence, 0 to 1.</param>
public sealed record DetectedFace(Rect2f Box, Point2f[] Points, float Score)
{
    /// <summary>
    /// The face that the picture is most likely of: of the largest face and of those with at least a quarter of its area (half as wide and high), the one
    /// whose centre is nearest to the picture's centre. So a bystander at the edge is not taken for the person in the middle, nor somebody far behind, who
    /// happens to stand in the middle, for the person in front. (InsightFace's rule, area minus twice the squared distance, takes the second of these;
    /// of LFW's 13,232 photos, 2,383 with several faces, both rules take the same face.)
    /// </summary>
    /// <param name="faces">The faces.</param>
    /// <param name="picture">The picture's size, pixels.</param>
    /// <returns>Null where there is no face.</returns>
    public static DetectedFace? MostCentralLarge(IReadOnlyList<DetectedFace> faces, Size picture)
    {
        ArgumentNullException.ThrowIfNull(faces);
        double largest = faces.Count == 0 ? 0 : faces.Max(f => f.Area);
        return faces.Where(f => f.Area >= largest / 4).MinBy(f => SquaredOffset(f, picture));
    }

    internal double Area => (double)Box.Width * Box.Height;

    private static double SquaredOffset(DetectedFace face, Size picture)
    {
        double x = face.Box.X + (face.Box.Width / 2) - (picture.Width / 2.0);
        double y = face.Box.Y + (face.Box.Height / 2) - (picture.Height / 2.0);
        return (x * x) + (y * y);
    }
}
