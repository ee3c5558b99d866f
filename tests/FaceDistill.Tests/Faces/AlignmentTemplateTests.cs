using FaceDistill.Faces;
using OpenCvSharp;

namespace FaceDistill.Tests.Faces;

public sealed class AlignmentTemplateTests
{
    [Fact]
    public void Templates_are_found_by_their_names() =>
        Assert.All(AlignmentTemplate.All, template => Assert.Same(template, AlignmentTemplate.Named(template.Name)));

    [Fact]
    public void Five_points_lie_inside_in_the_detectors_order() => Assert.All(AlignmentTemplate.All, template =>
    {
        var points = template.PointsIn(new AlignedFrame(template.ReferenceSize, 0));
        Assert.Equal(5, points.Length);
        Assert.All(points, p => Assert.True(p.X > 0 && p.Y > 0 && p.X < template.ReferenceSize && p.Y < template.ReferenceSize));
        var (leftEye, rightEye, nose, leftMouth, rightMouth) = (points[0], points[1], points[2], points[3], points[4]);
        Assert.True(leftEye.X < nose.X && nose.X < rightEye.X && leftMouth.X < nose.X && nose.X < rightMouth.X);
        Assert.True(Math.Max(leftEye.Y, rightEye.Y) < nose.Y && nose.Y < Math.Min(leftMouth.Y, rightMouth.Y));
    });

    [Fact]
    public void At_the_published_size_the_points_are_the_published_ones()
    {
        var points = AlignmentTemplate.ArcFace.PointsIn(new AlignedFrame(112, 0));
        Assert.Equal((38.2946f, 51.6963f), (points[0].X, points[0].Y));
        Assert.Equal((70.7299f, 92.2041f), (points[4].X, points[4].Y));
    }

    [Fact]
    public void Dlibs_points_are_symmetrical_about_the_middle_of_its_mean_face()
    {
        var points = AlignmentTemplate.Dlib.PointsIn(new AlignedFrame(150, 0));
        Assert.Equal(2 * points[2].X, points[0].X + points[1].X, 0.05);
        Assert.Equal(points[0].Y, points[1].Y);
        Assert.Equal(points[3].Y, points[4].Y);
    }

    // A face is aligned at 160 pixels, with its eye's centre at (50.72, 49.7067), and shrunk by area, which keeps the edges in place.
    [Theory]
    [InlineData(160, 50.72, 49.7067)]
    [InlineData(96, 30.232, 29.624)]
    [InlineData(64, 19.988, 19.5827)]
    public void What_a_model_sees_has_its_points_where_the_pipeline_brings_them(int size, double x, double y)
    {
        var eye = AlignmentTemplate.Dlib.PointsInView(size)[0];
        Assert.Equal(x, eye.X, 1e-3);
        Assert.Equal(y, eye.Y, 1e-3);
        var frame = AlignedFrame.Of(160, 0);
        using var aligned = new Mat(160, 160, MatType.CV_8UC3, Scalar.Black);
        Cv2.Rectangle(aligned, new Rect(45, 45, 11, 9), Scalar.White, -1); // its centre: (50, 49)
        using var view = frame.View(aligned, size);
        using var grey = view.CvtColor(ColorConversionCodes.BGR2GRAY);
        var moments = Cv2.Moments(grey);
        Assert.Equal(eye.X - ((50.72 - 50) * size / 160), moments.M10 / moments.M00, 0.05); // grey values are whole
        Assert.Equal(eye.Y - ((49.7067 - 49) * size / 160), moments.M01 / moments.M00, 0.05); // grey values are whole
    }

    [Fact]
    public void A_larger_frame_scales_the_points_and_a_border_moves_them()
    {
        var small = AlignmentTemplate.ArcFace.PointsIn(new AlignedFrame(112, 0));
        var large = AlignmentTemplate.ArcFace.PointsIn(new AlignedFrame(224, 20));
        Assert.All(small.Zip(large), pair =>
        {
            Assert.Equal((2 * pair.First.X) + 20, pair.Second.X, 1e-3);
            Assert.Equal((2 * pair.First.Y) + 20, pair.Second.Y, 1e-3);
        });
    }
}
