using FaceDistill.Faces;
using OpenCvSharp;

namespace FaceDistill.Tests.Faces;

public sealed class FaceAlignerTests
{
    [Theory]
    [InlineData(1.0, 0.0)]
    [InlineData(2.5, 0.4)]
    [InlineData(0.8, -0.3)]
    [InlineData(10.0, 0.2)] // shrinks to a tenth on the way to the template
    public void Points_of_a_photo_land_on_the_template(double scale, double angle)
    {
        var frame = AlignedFrame.Of(112, 0.1);
        var target = AlignmentTemplate.ArcFace.PointsIn(frame);
        var toPhoto = new SimilarityTransform(scale * Math.Cos(angle), scale * Math.Sin(angle), 90 * scale, 60 * scale);
        Point2f[] points = [.. target.Select(toPhoto.Apply)];
        int side = (int)(points.Max(p => Math.Max(p.X, p.Y)) + (20 * scale));
        using var photo = new Mat(side, side, MatType.CV_8UC3, Scalar.Black);
        foreach (var p in points)
        {
            Cv2.Circle(photo, (int)Math.Round(p.X), (int)Math.Round(p.Y), (int)Math.Ceiling(3 * scale), Scalar.White, -1);
        }

        using var aligned = FaceAligner.Warp(photo, points, target, frame.Side);
        Assert.Equal((frame.Side, frame.Side), (aligned.Width, aligned.Height));
        foreach (var p in target)
        {
            var centre = CentreOfLight(aligned, p, 7);
            Assert.InRange(centre.X - p.X, -0.7, 0.7);
            Assert.InRange(centre.Y - p.Y, -0.7, 0.7);
        }
    }

    [Fact]
    public void The_most_central_large_face_is_picked()
    {
        DetectedFace Face(float x, float y, float side) => new(new Rect2f(x, y, side, side), [], 0.9f);
        var picture = new Size(250, 250);
        var central = Face(75, 75, 100);
        Assert.Same(central, DetectedFace.MostCentralLarge([Face(0, 0, 110), central, Face(120, 120, 20)], picture));
        var huge = Face(0, 20, 220);
        Assert.Same(huge, DetectedFace.MostCentralLarge([Face(120, 120, 20), huge], picture));
        Assert.Null(DetectedFace.MostCentralLarge([], picture));
    }

    [Theory] // as the detector finds them in two photos of a large face at the left and a small one in the middle (face.evoLVe #156, facenet #329)
    [InlineData(1600, 1200, 172.4f, 161.6f, 331.0f, 413.7f, 773.5f, 562.1f, 45.9f, 59.2f)]
    [InlineData(640, 480, 74.1f, 63.4f, 142.1f, 179.4f, 302.4f, 217.2f, 30.5f, 39.3f)]
    public void A_small_face_in_the_middle_does_not_displace_a_large_one(
        int width, int height, float x, float y, float w, float h, float smallX, float smallY, float smallW, float smallH)
    {
        var large = new DetectedFace(new Rect2f(x, y, w, h), [], 0.92f);
        var small = new DetectedFace(new Rect2f(smallX, smallY, smallW, smallH), [], 0.82f);
        Assert.Same(large, DetectedFace.MostCentralLarge([small, large], new Size(width, height)));
    }

    [Fact]
    public void A_frame_has_the_templates_square_in_its_middle()
    {
        var frame = AlignedFrame.Of(160, 0.1);
        Assert.Equal((16, 192), (frame.Pad, frame.Side));
        var points = AlignmentTemplate.Dlib.PointsIn(frame);
        Assert.Equal((47.55f * 160 / 150) + 16, points[0].X, 1e-3);
        using var picture = new Mat(192, 192, MatType.CV_8UC3, Scalar.Black);
        Cv2.Rectangle(picture, new Rect(16, 16, 160, 160), Scalar.White, -1);
        using var view = frame.View(picture, 96);
        Assert.Equal(96, view.Width);
        Assert.Equal(255, Cv2.Mean(view).Val0, 1e-6);
    }

    [Fact]
    public void A_view_shows_the_square_alone_and_shrinks_it_by_area()
    {
        var frame = new AlignedFrame(64, 8);
        using var picture = new Mat(frame.Side, frame.Side, MatType.CV_8UC3);
        Cv2.SetTheRNG(5);
        Cv2.Randu(picture, Scalar.All(0), Scalar.All(256));
        using var same = frame.View(picture, 64);
        using var half = frame.View(picture, 32);
        using var bright = new Mat(frame.Side, frame.Side, MatType.CV_8UC3, Scalar.White); // another border around the same square
        same.CopyTo(bright[new Rect(frame.Pad, frame.Pad, frame.Size, frame.Size)]);
        using var grown = frame.View(picture, 100);
        using var grownBright = frame.View(bright, 100);
        Assert.Equal(0, Cv2.Norm(grown, grownBright));
        for (int y = 0; y < 32; y++)
        {
            for (int x = 0; x < 32; x++)
            {
                Assert.Equal(picture.At<Vec3b>(y + 8, x + 8), same.At<Vec3b>(y, x));
                double mean = 0;
                foreach (var (dy, dx) in new[] { (0, 0), (0, 1), (1, 0), (1, 1) })
                {
                    mean += same.At<Vec3b>((2 * y) + dy, (2 * x) + dx).Item2 / 4.0;
                }

                Assert.Equal(mean, half.At<Vec3b>(y, x).Item2, 0.51);
            }
        }
    }

    [Theory]
    [InlineData(31, 0.1)]
    [InlineData(1025, 0.1)]
    [InlineData(112, -0.1)]
    [InlineData(112, 1.1)]
    [InlineData(112, double.NaN)]
    public void Frames_out_of_range_are_refused(int size, double margin) => Assert.Throws<FaceDistillException>(() => AlignedFrame.Of(size, margin));

    [Fact]
    public void An_unknown_template_names_those_there_are() =>
        Assert.Contains("arcface, dlib, facenet, wide", Assert.Throws<FaceDistillException>(() => AlignmentTemplate.Named("vgg")).Message,
            StringComparison.Ordinal);

    private static (double X, double Y) CentreOfLight(Mat picture, Point2f near, int radius)
    {
        double weight = 0, x = 0, y = 0;
        for (int row = (int)near.Y - radius; row <= near.Y + radius; row++)
        {
            for (int column = (int)near.X - radius; column <= near.X + radius; column++)
            {
                double light = picture.At<Vec3b>(row, column).Item1;
                (weight, x, y) = (weight + light, x + (light * column), y + (light * row));
            }
        }

        return (x / weight, y / weight);
    }
}
