using OpenCvSharp;

namespace FaceDistill.Faces;

/// <summary>One face found in a picture; coordinates in the picture's pixels.</summary>
/// <param name="Box">The face's rectangle.</param>
/// <param name="Points">Eye at the image's left, eye at its right, nose tip, mouth corner at the left, mouth corner at the right.</param>
/// <param name="Score">The detector's confidence, 0 to 1.</param>
public sealed record DetectedFace(Rect2f Box, Point2f[] Points, float Score)
{
    /// <summary>
    /// The face that the picture is most likely of: the one with the largest area minus twice the squared distance
    /// of its centre from the picture's centre (the rule of InsightFace's face_align preprocessing).
    /// </summary>
    public static DetectedFace? MostCentralLarge(IReadOnlyList<DetectedFace> faces, Size picture) =>
        faces.MaxBy(f => Area(f) - (2 * SquaredOffset(f, picture)));

    private static double Area(DetectedFace face) => (double)face.Box.Width * face.Box.Height;

    private static double SquaredOffset(DetectedFace face, Size picture)
    {
        double x = face.Box.X + (face.Box.Width / 2) - (picture.Width / 2.0);
        double y = face.Box.Y + (face.Box.Height / 2) - (picture.Height / 2.0);
        return (x * x) + (y * y);
    }
}
