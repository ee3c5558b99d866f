using System.Text.Json.Serialization;
using FaceDistill.Files;
using OpenCvSharp;

namespace FaceDistill.Faces;

/// <summary>Which face of a photo was taken, for telling it in words: where it lies, how large and how sure the detector is. Pixels are those of the upright
/// photo.</summary>
/// <param name="PhotoWidth">The photo's width.</param>
/// <param name="PhotoHeight">Its height.</param>
/// <param name="Faces">How many faces the detector finds in it.</param>
/// <param name="X">Left edge of the face's rectangle, within the photo.</param>
/// <param name="Y">Its upper edge.</param>
/// <param name="Width">Its width.</param>
/// <param name="Height">Its height.</param>
/// <param name="Score">The detector's confidence, 0 to 1.</param>
public sealed record FaceInPhoto(int PhotoWidth, int PhotoHeight, int Faces, int X, int Y, int Width, int Height, float Score)
{
    // Of the 3,707 photos of LFW's View 1 test (150 x 150 pixels) 98 of 100 have a face at least so high, in pixels, and one turned at most so far.
    internal const int LeastHeight = 63;
    internal const double MostSideways = 0.71;

    /// <summary>By how many degrees the photo was turned clockwise to stand upright: 0, 90, 180 or 270.</summary>
    public int Turned { get; init; }

    /// <summary>How far the face is turned to a side: where the nose stands between the eyes, 0 in the middle, 1 below the eye at the image's right, -1 below
    /// the other.</summary>
    public double Sideways { get; init; }

    /// <summary>What the decoder complained of, though it gave a picture; empty where of nothing.</summary>
    internal string Complaint { get; init; } = "";

    /// <summary>Where it lies in words, for example "3 faces, taken is the one at the left: 98 x 130 of 640 x 480 pixels, detector's score 0.93".</summary>
    [JsonIgnore]
    public string Words => InvariantText.Of(
        $"{(Turned == 0 ? "" : $"turned upright by {Turned} degrees, ")}{(Faces == 1 ? "one face, " : $"{Faces} faces, taken is the one ")}{Place}: "
        + $"{Width} x {Height} of {PhotoWidth} x {PhotoHeight} pixels, detector's score {Score:0.00}");

    /// <summary>Why a similarity may say less of this face than of those by which students are measured; up to three lines.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Warnings =>
    [
        .. Complaint.Length > 0 ? [$"the photo is damaged, though a face is found in it: {Complaint}"] : Array.Empty<string>(),
        .. Height < LeastHeight ? [InvariantText.Of($"the face is small: {Height} pixels high, where {Usual} show one of {LeastHeight} or more")]
            : Array.Empty<string>(),
        .. Math.Abs(Sideways) > MostSideways ? [$"the face is turned sideways, more than {Usual} show"] : Array.Empty<string>(),
    ];

    private const string Usual = "98 of 100 photos of LFW, by which students are measured (150 x 150 pixels),";

    /// <summary>Of the face that is taken of a photo.</summary>
    /// <param name="photo">The photo's faces; at least one.</param>
    internal static FaceInPhoto Of(UprightFaces photo) =>
        Of(photo.Faces[0], photo.Faces.Count, photo.Picture.Size(), photo.Turned);

    /// <summary>Of a face.</summary>
    internal static FaceInPhoto Of(DetectedFace face, int faces, Size picture, int turned)
    {
        int x = (int)Math.Clamp(Math.Round(face.Box.X), 0, picture.Width - 1), y = (int)Math.Clamp(Math.Round(face.Box.Y), 0, picture.Height - 1);
        return new FaceInPhoto(
            picture.Width, picture.Height, faces, x, y, (int)Math.Clamp(Math.Round(face.Box.Right), x + 1, picture.Width) - x,
            (int)Math.Clamp(Math.Round(face.Box.Bottom), y + 1, picture.Height) - y, face.Score)
        {
            Turned = turned,
            Sideways = Between(face.Points[0], face.Points[1], face.Points[2]),
        };
    }

    private string Place
    {
        get
        {
            int column = 3 * ((2 * X) + Width) / (2 * PhotoWidth), row = 3 * ((2 * Y) + Height) / (2 * PhotoHeight);
            string[] sides = ["left", "", "right"], heights = ["upper", "", "lower"];
            return (column, row) switch
            {
                (1, 1) => "in the middle",
                (1, 0) => "at the top",
                (1, _) => "at the bottom",
                (_, 1) => $"at the {sides[column]}",
                _ => $"at the {heights[row]} {sides[column]}",
            };
        }
    }

    // The nose along the line through the eyes: -1 at the first, 1 at the second.
    private static double Between(Point2f left, Point2f right, Point2f nose)
    {
        double ex = right.X - left.X, ey = right.Y - left.Y;
        double nx = nose.X - ((left.X + right.X) / 2.0), ny = nose.Y - ((left.Y + right.Y) / 2.0);
        double squared = (ex * ex) + (ey * ey);
        return squared == 0 ? 0 : 2 * ((nx * ex) + (ny * ey)) / squared;
    }
}
