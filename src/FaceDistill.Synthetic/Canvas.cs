using System.Numerics;
using OpenCvSharp;

namespace FaceDistill.Synthetic;

/// <summary>
/// Draws in face units onto a picture (BGR, 8 bits, drawn larger than the result). Colours are RGB, 0 to 255.
/// </summary>
internal sealed class SyntheticCanvas(Mat picture, SyntheticProjection projection)
{
    // OpenCV takes coordinates as integers with this many fractional bits.
    private const int Shift = 4;
    private const int StepsPerSpan = 5;

    /// <summary>Height over the face's surface of what is drawn next, in face units.</summary>
    public float Lift { get; set; }

    public Mat Picture => picture;

    /// <summary>Fills the closed smooth curve through the points.</summary>
    public void Blob(Vector3 colour, params ReadOnlySpan<Vector2> through) => Fill(colour, Smooth(through, closed: true));

    /// <summary>Fills the polygon with straight sides.</summary>
    public void Fill(Vector3 colour, IReadOnlyList<Vector2> corners) =>
        Cv2.FillPoly(picture, [Pixels(corners)], Ink(colour), LineTypes.AntiAlias, Shift);

    /// <summary>Fills what lies between two open smooth curves that run the same way.</summary>
    public void Band(Vector3 colour, ReadOnlySpan<Vector2> one, ReadOnlySpan<Vector2> other)
    {
        List<Vector2> corners = Smooth(one, closed: false);
        List<Vector2> back = Smooth(other, closed: false);
        back.Reverse();
        corners.AddRange(back);
        Fill(colour, corners);
    }

    public void Ellipse(Vector3 colour, Vector2 centre, float radiusX, float radiusY)
    {
        const int Corners = 20;
        var points = new Vector2[Corners];
        for (int i = 0; i < Corners; i++)
        {
            (float sin, float cos) = MathF.SinCos(i * MathF.Tau / Corners);
            points[i] = centre + new Vector2(cos * radiusX, sin * radiusY);
        }

        Fill(colour, points);
    }

    /// <summary>Draws a smooth open line; <paramref name="thickness"/> in face units, at least one pixel of the canvas.</summary>
    public void Stroke(Vector3 colour, float thickness, params ReadOnlySpan<Vector2> through) =>
        Line(colour, thickness, Smooth(through, closed: false), closed: false);

    /// <summary>Draws a smooth closed line.</summary>
    public void Loop(Vector3 colour, float thickness, params ReadOnlySpan<Vector2> through) =>
        Line(colour, thickness, Smooth(through, closed: true), closed: true);

    /// <summary>Points along the Catmull-Rom spline through the given points.</summary>
    public static List<Vector2> Smooth(ReadOnlySpan<Vector2> through, bool closed)
    {
        int count = through.Length;
        var points = new List<Vector2>((count * StepsPerSpan) + 1);
        for (int i = 0; i < (closed ? count : count - 1); i++)
        {
            Vector2 before = through[closed ? (i + count - 1) % count : Math.Max(i - 1, 0)];
            Vector2 from = through[i];
            Vector2 to = through[(i + 1) % count];
            Vector2 after = through[closed ? (i + 2) % count : Math.Min(i + 2, count - 1)];
            for (int step = 0; step < StepsPerSpan; step++)
            {
                float t = (float)step / StepsPerSpan;
                points.Add(from + (0.5f * t * ((to - before)
                    + (t * ((2 * before) - (5 * from) + (4 * to) - after + (t * ((3 * (from - to)) + after - before)))))));
            }
        }

        if (!closed)
        {
            points.Add(through[count - 1]);
        }

        return points;
    }

    private void Line(Vector3 colour, float thickness, List<Vector2> points, bool closed)
    {
        int pixels = Math.Max(1, (int)MathF.Round(thickness * projection.Scale));
        Cv2.Polylines(picture, [Pixels(points)], closed, Ink(colour), pixels, LineTypes.AntiAlias, Shift);
    }

    private Point[] Pixels(IReadOnlyList<Vector2> points)
    {
        var pixels = new Point[points.Count];
        for (int i = 0; i < pixels.Length; i++)
        {
            Vector2 at = projection.Place(points[i], Lift) * (1 << Shift);
            pixels[i] = new((int)MathF.Round(at.X), (int)MathF.Round(at.Y));
        }

        return pixels;
    }

    private static Scalar Ink(Vector3 colour) => new(
        Math.Clamp(colour.Z, 0, 255), Math.Clamp(colour.Y, 0, 255), Math.Clamp(colour.X, 0, 255));
}
