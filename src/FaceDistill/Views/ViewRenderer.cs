using FaceDistill.Faces;
using OpenCvSharp;

namespace FaceDistill.Views;

/// <summary>
/// Draws views of an aligned face. What depends on the resolution (blur, JPEG, shrinking) is done to the aligned picture, so that views
/// drawn at a teacher's and a student's size show the same; a shifted or turned cut finds real pixels in the picture's border.
/// Safe for several threads.
/// </summary>
/// <param name="frame">The aligned pictures' geometry.</param>
internal sealed class ViewRenderer(AlignedFrame frame)
{
    /// <summary>Draws a view.</summary>
    /// <param name="aligned">BGR 8-bit, frame.Side x frame.Side.</param>
    /// <param name="view">Which view.</param>
    /// <param name="size">The wanted side in pixels.</param>
    /// <returns>BGR 8-bit, size x size, continuous; the caller disposes it.</returns>
    public Mat Render(Mat aligned, ViewParameters view, int size)
    {
        using var degraded = Degrade(aligned, view);
        return Draw(degraded ?? aligned, view, size);
    }

    /// <summary>Draws a view at two sizes.</summary>
    /// <param name="aligned">BGR 8-bit, frame.Side x frame.Side.</param>
    /// <param name="view">Which view.</param>
    /// <param name="first">One side in pixels.</param>
    /// <param name="second">The other.</param>
    /// <returns>BGR 8-bit pictures, continuous; the caller disposes them.</returns>
    public (Mat First, Mat Second) RenderTwice(Mat aligned, ViewParameters view, int first, int second)
    {
        using var degraded = Degrade(aligned, view);
        return (Draw(degraded ?? aligned, view, first), Draw(degraded ?? aligned, view, second));
    }

    private Mat? Degrade(Mat aligned, ViewParameters view)
    {
        if (view.Downscale == 0 && view.Blur == 0 && view.JpegQuality == 0)
        {
            return null;
        }

        var picture = new Mat();
        var side = new Size(frame.Side, frame.Side);
        if (view.Downscale > 0)
        {
            int small = Math.Max(8, (int)Math.Round(frame.Side / (1 + view.Downscale)));
            using var shrunk = new Mat();
            Cv2.Resize(aligned, shrunk, new Size(small, small), interpolation: InterpolationFlags.Area);
            Cv2.Resize(shrunk, picture, side, interpolation: InterpolationFlags.Linear);
        }
        else
        {
            aligned.CopyTo(picture);
        }

        if (view.Blur > 0)
        {
            Cv2.GaussianBlur(picture, picture, new Size(0, 0), Math.Max(0.1, view.Blur * frame.Size));
        }

        if (view.JpegQuality == 0)
        {
            return picture;
        }

        Cv2.ImEncode(".jpg", picture, out byte[] jpeg, new ImageEncodingParam(ImwriteFlags.JpegQuality, view.JpegQuality));
        picture.Dispose();
        return Cv2.ImDecode(jpeg, ImreadModes.Color);
    }

    private Mat Draw(Mat aligned, ViewParameters view, int size)
    {
        var picture = view.IsUnmoved ? Cut(aligned, view.Mirror, size) : Warp(aligned, view, size);
        if (view.Hue != 0 || view.Saturation != 0)
        {
            using var turn = ColourTurn(view.Hue, view.Saturation);
            Cv2.Transform(picture, picture, turn);
        }

        if (view.Brightness != 0 || view.Contrast != 0 || view.Gamma != 0)
        {
            Cv2.LUT(picture, Curve(view), picture);
        }

        var (x, y, width, height) = view.Erased;
        if (width > 0)
        {
            var rectangle = new Rect((int)(x * size), (int)(y * size), (int)Math.Ceiling(width * size), (int)Math.Ceiling(height * size));
            Cv2.Rectangle(picture, rectangle, Scalar.All(view.ErasedGrey), thickness: -1);
        }

        return picture;
    }

    private Mat Cut(Mat aligned, bool mirror, int size)
    {
        var picture = frame.View(aligned, size);
        if (mirror)
        {
            Cv2.Flip(picture, picture, FlipMode.Y);
        }

        return picture;
    }

    /// <summary>Linear interpolation alone would alias where the picture shrinks: it is drawn larger, then shrunk by area.</summary>
    private Mat Warp(Mat aligned, ViewParameters view, int size)
    {
        int times = Math.Max(1, (int)Math.Round(1.2 * frame.Size / size));
        using var matrix = Matrix(view, size * times);
        var drawn = new Mat();
        Cv2.WarpAffine(aligned, drawn, matrix, new Size(size * times, size * times),
            InterpolationFlags.Linear | InterpolationFlags.WarpInverseMap, BorderTypes.Reflect101);
        if (times == 1)
        {
            return drawn;
        }

        var picture = new Mat();
        Cv2.Resize(drawn, picture, new Size(size, size), interpolation: InterpolationFlags.Area);
        drawn.Dispose();
        return picture;
    }

    /// <summary>From a pixel of the view to one of the aligned picture: turn and scale about the square's middle, then shift.</summary>
    private Mat Matrix(ViewParameters view, int side)
    {
        double step = frame.Size / (view.Scale * side), angle = view.Rotation * Math.PI / 180;
        double cos = step * Math.Cos(angle), sin = step * Math.Sin(angle), mirrored = view.Mirror ? -1 : 1, middle = (side - 1) / 2.0;
        double x = frame.Pad + (frame.Size * (0.5 + view.ShiftX)) - 0.5, y = frame.Pad + (frame.Size * (0.5 + view.ShiftY)) - 0.5;
        var matrix = new Mat(2, 3, MatType.CV_64FC1);
        double[] values =
        [
            mirrored * cos, -sin, x - (mirrored * cos * middle) + (sin * middle),
            mirrored * sin, cos, y - (mirrored * sin * middle) - (cos * middle),
        ];
        for (int i = 0; i < values.Length; i++)
        {
            matrix.Set(i / 3, i % 3, values[i]);
        }

        return matrix;
    }

    private static byte[] Curve(ViewParameters view)
    {
        var curve = new byte[256];
        double gamma = Math.Exp(view.Gamma);
        for (int value = 0; value < 256; value++)
        {
            double changed = ((Math.Pow(value / 255.0, gamma) - 0.5) * (1 + view.Contrast)) + 0.5 + view.Brightness;
            curve[value] = (byte)Math.Round(255 * Math.Clamp(changed, 0, 1));
        }

        return curve;
    }

    /// <summary>Turns the colour about the grey axis and stretches it away from grey (in YIQ, the NTSC matrix), for BGR columns.</summary>
    private static Mat ColourTurn(double degrees, double saturation)
    {
        double angle = degrees * Math.PI / 180, cos = (1 + saturation) * Math.Cos(angle), sin = (1 + saturation) * Math.Sin(angle);
        // luma weights and the two chroma axes of YIQ; their inverse.
        double[,] toYiq = { { 0.114, 0.587, 0.299 }, { -0.321, -0.275, 0.596 }, { 0.311, -0.523, 0.212 } }; // columns B, G, R
        double[,] turn = { { 1, 0, 0 }, { 0, cos, -sin }, { 0, sin, cos } };
        using var yiq = Mat.FromArray(toYiq);
        using var turned = Mat.FromArray(turn);
        using var inverse = yiq.Inv();
        using Mat back = inverse;
        using var first = back * turned;
        using Mat half = first;
        using var both = half * yiq;
        return both;
    }
}

/// <summary>
/// Fits a head's kernel, a weighted mean over the whole last map, to a map of another side: the weights are interpolated linearly between
/// the cells' centres and scaled so that their sum stays, since the same face now covers more cells or fewer.
/// </summary>
internal static class PooledKernel
{
    /// <summary>Resizes square planes.</summary>
    /// <param name="planes">float32 [N, from, from].</param>
    /// <param name="from">Their side.</param>
    /// <param name="to">The side wanted.</param>
    /// <returns>float32 [N, to, to].</returns>
    public static float[] Resize(ReadOnlySpan<float> planes, int from, int to)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(from, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(to, 1);
        int count = planes.Length / (from * from);
        var result = new float[count * to * to];
        for (int n = 0; n < count; n++)
        {
            Plane(planes.Slice(n * from * from, from * from), from, result.AsSpan(n * to * to, to * to), to);
        }

        return result;
    }

    private static void Plane(ReadOnlySpan<float> source, int from, Span<float> target, int to)
    {
        double before = 0, after = 0;
        for (int y = 0; y < to; y++)
        {
            var (top, down) = Between(y, from, to);
            for (int x = 0; x < to; x++)
            {
                var (left, right) = Between(x, from, to);
                double above = Mixed(source, (top * from) + left, right), below = Mixed(source, (Math.Min(top + 1, from - 1) * from) + left, right);
                target[(y * to) + x] = (float)(above + ((below - above) * down));
                after += target[(y * to) + x];
            }
        }

        foreach (float weight in source)
        {
            before += weight;
        }

        // A sum near 0 says nothing about scale: then the cells' areas do.
        double area = (double)(from * from) / (to * to);
        double scale = after != 0 && before / after is > 0 and var ratio ? Math.Clamp(ratio, area / 2, area * 2) : area;
        foreach (ref float weight in target)
        {
            weight = (float)(weight * scale);
        }
    }

    // A new cell's centre lies between the centres of two old ones, or outside of them all.
    private static (int First, double Part) Between(int cell, int from, int to)
    {
        double at = Math.Clamp(((cell + 0.5) * from / to) - 0.5, 0, from - 1);
        return ((int)at, at - (int)at);
    }

    private static double Mixed(ReadOnlySpan<float> source, int at, double part) =>
        part == 0 ? source[at] : source[at] + ((source[at + 1] - (double)source[at]) * part);
}
