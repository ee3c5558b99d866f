using FaceDistill.Faces;
using OpenCvSharp;

namespace FaceDistill.Tests.Faces;

public sealed class FaceDetectorTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [RealDataFact]
    public void Each_photo_has_one_central_face_with_its_points_in_order()
    {
        using var detector = new FaceDetector(RealData.Detector!);
        foreach (string path in RealData.LfwPhotos(12))
        {
            using var photo = PictureFile.Read(path);
            var face = DetectedFace.MostCentralLarge(detector.Detect(photo), photo.Size());
            Assert.NotNull(face);
            Assert.InRange(face.Score, 0.6f, 1f);
            Assert.InRange((face.Box.X + (face.Box.Width / 2)) / photo.Width, 0.3, 0.7); // LFW's faces are in the middle
            Assert.InRange((face.Box.Y + (face.Box.Height / 2)) / photo.Height, 0.3, 0.7);
            var p = face.Points;
            Assert.True(p[0].X < p[1].X && p[3].X < p[4].X, path);
            Assert.True(Math.Max(p[0].Y, p[1].Y) < Math.Min(p[3].Y, p[4].Y), path);
            Assert.All(p, point => Assert.True(face.Box.Contains(point), path));
        }
    }

    [RealDataFact]
    public void A_photo_enlarged_beyond_the_network_gives_the_same_face()
    {
        using var detector = new FaceDetector(RealData.Detector!);
        using var photo = PictureFile.Read(RealData.LfwPhotos(1)[0]);
        using var large = new Mat();
        Cv2.Resize(photo, large, new Size(photo.Width * 6, photo.Height * 6), interpolation: InterpolationFlags.Cubic);
        var small = DetectedFace.MostCentralLarge(detector.Detect(photo), photo.Size())!;
        var face = DetectedFace.MostCentralLarge(detector.Detect(large), large.Size())!;
        double eyes = Math.Abs(small.Points[1].X - small.Points[0].X);
        Assert.All(small.Points.Zip(face.Points), pair =>
            Assert.True(Math.Sqrt(Math.Pow(pair.First.X - (pair.Second.X / 6), 2) + Math.Pow(pair.First.Y - (pair.Second.Y / 6), 2)) < 0.2 * eyes));
    }

    [RealDataFact]
    public void An_aligned_photo_has_its_points_on_the_template()
    {
        var frame = AlignedFrame.Of(160, 0.1);
        using var detector = new FaceDetector(RealData.Detector!);
        var aligner = new FaceAligner(detector, AlignmentTemplate.ArcFace, frame);
        using var photo = PictureFile.Read(RealData.LfwPhotos(1)[0]);
        using var aligned = aligner.Align(photo);
        Assert.NotNull(aligned);
        Assert.Equal((frame.Side, frame.Side), (aligned.Width, aligned.Height));
        var again = DetectedFace.MostCentralLarge(detector.Detect(aligned), aligned.Size())!;
        Assert.All(again.Points.Zip(AlignmentTemplate.ArcFace.PointsIn(frame)), pair =>
            Assert.True(Math.Abs(pair.First.X - pair.Second.X) < 12 && Math.Abs(pair.First.Y - pair.Second.Y) < 12));
    }

    [RealDataFact]
    public void A_black_picture_and_one_of_one_pixel_have_no_face()
    {
        using var detector = new FaceDetector(RealData.Detector!);
        using var pixel = new Mat(1, 1, MatType.CV_8UC3, Scalar.White);
        using var black = new Mat(50, 2000, MatType.CV_8UC3, Scalar.Black);
        Assert.Empty(detector.Detect(pixel));
        Assert.Empty(detector.Detect(black));
        Assert.Null(new FaceAligner(detector, AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0)).Align(black));
    }

    [RealDataFact]
    public void A_truncated_model_is_named_with_the_remedy()
    {
        byte[] whole = File.ReadAllBytes(RealData.Detector!);
        foreach (int length in new[] { 0, 100, whole.Length / 2, whole.Length - 1 })
        {
            File.WriteAllBytes(_folder["yunet.onnx"], whole[..length]);
            IsNamed(_folder["yunet.onnx"]);
        }
    }

    [Fact]
    public void What_is_no_model_is_named_with_the_remedy()
    {
        File.WriteAllText(_folder["text.onnx"], "this is text");
        IsNamed(_folder["text.onnx"]);
        IsNamed(_folder["missing.onnx"]);
    }

    [Fact]
    public void Another_model_is_named_with_the_remedy()
    {
        TinyTeacher.Write(_folder.Path);
        IsNamed(_folder["tiny.onnx"]);
    }

    private static void IsNamed(string path)
    {
        string message = Assert.Throws<FaceDistillException>(() => new FaceDetector(path).Dispose()).Message;
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.Contains("pull yunet", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }
}
