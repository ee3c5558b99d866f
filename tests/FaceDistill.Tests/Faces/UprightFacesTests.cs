using FaceDistill.Faces;
using FaceDistill.Synthetic;
using OpenCvSharp;

namespace FaceDistill.Tests.Faces;

/// <summary>Photos that lie on their side or upside down, and photos of several people (drawn faces).</summary>
public sealed class UprightFacesTests
{
    private static readonly AlignedFrame Frame = AlignedFrame.Of(112, 0.1);

    [RealDataFact]
    public void A_photo_that_is_turned_gives_the_upright_face()
    {
        using var detector = new FaceDetector(RealData.Detector!);
        var aligner = new FaceAligner(detector, AlignmentTemplate.ArcFace, Frame);
        foreach (int person in Enumerable.Range(0, 6))
        {
            using var photo = Scene(new Size(320, 320), (person, new Rect(60, 60, 200, 200)));
            using var upright = aligner.Align(photo);
            Assert.NotNull(upright);
            foreach (var turn in Enum.GetValues<RotateFlags>())
            {
                using var turned = new Mat();
                Cv2.Rotate(photo, turned, turn);
                using var face = aligner.Align(turned, out int faces);
                Assert.NotNull(face);
                Assert.Equal(1, faces);
                Assert.True(Difference(upright, face) < 3, $"{person} {turn}: {Difference(upright, face)}");
            }
        }
    }

    [RealDataFact]
    public void The_large_face_is_taken_and_all_are_counted_and_given()
    {
        using var detector = new FaceDetector(RealData.Detector!);
        var aligner = new FaceAligner(detector, AlignmentTemplate.ArcFace, Frame);
        foreach (double scale in new[] { 0.5, 1.25 })
        {
            int At(int pixels) => (int)(pixels * scale);
            using var photo = Scene(
                new Size(At(1280), At(960)), (1, new Rect(At(64), At(120), At(400), At(400))), (2, new Rect(At(608), At(448), At(80), At(80))));
            using var face = aligner.Align(photo, out int faces);
            Assert.Equal(2, faces);
            using var alone = Scene(new Size(At(528), At(640)), (1, new Rect(At(64), At(120), At(400), At(400))));
            using var wanted = aligner.Align(alone);
            Assert.True(Difference(wanted!, face!) < 12, $"{scale}: {Difference(wanted!, face!)}");
            var all = aligner.AlignAll(photo);
            Assert.Equal(2, all.Count);
            Assert.Equal(0, Difference(all[0], face!));
            Assert.True(Difference(all[1], face!) > 12);
            all.ToList().ForEach(f => f.Dispose());
        }
    }

    /// <summary>A grey-green photo with drawn people.</summary>
    internal static Mat Scene(Size size, params (int Person, Rect Place)[] people)
    {
        var photo = new Mat(size, MatType.CV_8UC3, new Scalar(130, 140, 120));
        foreach (var (person, place) in people)
        {
            var points = AlignmentTemplate.ArcFace.PointsIn(new AlignedFrame(place.Width / 2, place.Width / 4));
            using var drawn = SyntheticFaces.Render(person, 0, points, place.Width, seed: 7);
            using var part = new Mat(photo, place);
            drawn.CopyTo(part);
        }

        return photo;
    }

    // The mean difference of two values of pixels, 0 to 255.
    private static double Difference(Mat a, Mat b) => Cv2.Norm(a, b, NormTypes.L1) / (3.0 * a.Width * a.Height);
}
