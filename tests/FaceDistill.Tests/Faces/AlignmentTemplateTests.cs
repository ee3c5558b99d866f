using FaceDistill.Faces;

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
