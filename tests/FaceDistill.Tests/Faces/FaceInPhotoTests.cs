using FaceDistill.Faces;
using OpenCvSharp;

namespace FaceDistill.Tests.Faces;

/// <summary>A face of a photo told in words.</summary>
public sealed class FaceInPhotoTests
{
    [Theory]
    [InlineData(250, 200, "in the middle")]
    [InlineData(10, 200, "at the left")]
    [InlineData(500, 10, "at the upper right")]
    [InlineData(250, 0, "at the top")]
    [InlineData(10, 400, "at the lower left")]
    [InlineData(260, 400, "at the bottom")]
    public void Where_it_lies(int x, int y, string expected) => Assert.Equal(
        $"one face, {expected}: 80 x 80 of 600 x 480 pixels, detector's score 0.93", new FaceInPhoto(600, 480, 1, x, y, 80, 80, 0.931f).Words);

    [Fact]
    public void Several_faces_and_a_turned_photo_are_said() => Assert.Equal(
        "turned upright by 90 degrees, 3 faces, taken is the one at the left: 98 x 130 of 640 x 480 pixels, detector's score 0.90",
        new FaceInPhoto(640, 480, 3, 20, 180, 98, 130, 0.9f) { Turned = 90 }.Words);

    [Fact]
    public void A_turn_is_told_by_the_five_points_and_a_small_face_by_its_height()
    {
        // The template, somewhere: upright, and with the nose moved under the right eye; then rolled by 30 degrees, which is no turn.
        var points = AlignmentTemplate.ArcFace.PointsIn(AlignedFrame.Of(224, 0)).Select(p => p + new Point2f(300, 200)).ToArray();
        var straight = Face(points);
        Assert.InRange(straight.Sideways, -0.05, 0.05);
        Assert.Empty(straight.Warnings);
        Assert.Empty((straight with { Height = FaceInPhoto.LeastHeight, Sideways = -FaceInPhoto.MostSideways }).Warnings);
        Assert.StartsWith("the face is small: 12 pixels high, where 98 of 100 photos of LFW", Assert.Single((straight with { Height = 12 }).Warnings),
            StringComparison.Ordinal);
        Assert.Equal("the photo is damaged, though a face is found in it: Corrupt JPEG data",
            Assert.Single((straight with { Complaint = "Corrupt JPEG data" }).Warnings));
        Point2f[] turned = [points[0], points[1], new(points[1].X, points[2].Y), points[3], points[4]];
        Assert.Equal(1, Face(turned).Sideways, 1e-2);
        Assert.StartsWith("the face is turned sideways", Assert.Single(Face(turned).Warnings), StringComparison.Ordinal);
        Point2f[] rolled = [.. points.Select(p => new Point2f((0.866f * p.X) - (0.5f * p.Y), (0.5f * p.X) + (0.866f * p.Y)))];
        Assert.Equal(straight.Sideways, Face(rolled).Sideways, 1e-3);
    }

    [Fact]
    public void A_rectangle_beyond_the_photo_ends_with_it()
    {
        var face = new DetectedFace(new Rect2f(-20, 400, 100, 120), AlignmentTemplate.Dlib.PointsIn(AlignedFrame.Of(100, 0)), 0.9f);
        var told = FaceInPhoto.Of(face, 1, new Size(640, 480), 0);
        Assert.Equal((0, 400, 80, 80), (told.X, told.Y, told.Width, told.Height));
    }

    private static FaceInPhoto Face(Point2f[] points) =>
        FaceInPhoto.Of(new DetectedFace(new Rect2f(320, 220, 180, 200), points, 0.9f), 1, new Size(1000, 800), 0);
}
