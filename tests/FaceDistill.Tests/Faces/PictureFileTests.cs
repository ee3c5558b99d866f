using FaceDistill.Faces;
using OpenCvSharp;

namespace FaceDistill.Tests.Faces;

public sealed class PictureFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_written_picture_is_read_again()
    {
        using var picture = new Mat(20, 30, MatType.CV_8UC3, new Scalar(10, 200, 90));
        Cv2.ImWrite(_folder["a.png"], picture);
        using var read = PictureFile.Read(_folder["a.png"]);
        Assert.Equal((30, 20), (read.Width, read.Height));
        Assert.Equal(200, read.At<Vec3b>(5, 5).Item1);
    }

    [Theory]
    [InlineData("")]
    [InlineData("this is text")]
    public void What_is_no_picture_is_named(string content)
    {
        File.WriteAllText(_folder["x.jpg"], content);
        Assert.Null(PictureFile.TryRead(_folder["x.jpg"]));
        Assert.Contains("x.jpg", Assert.Throws<FaceDistillException>(() => PictureFile.Read(_folder["x.jpg"])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.JPG", true)]
    [InlineData("a/b.png", true)]
    [InlineData("a.txt", false)]
    [InlineData("jpg", false)]
    public void Pictures_are_known_by_their_ending(string path, bool expected) => Assert.Equal(expected, PictureFile.IsPicture(path));

    [Theory]
    [InlineData("jpg", 0.02)]
    [InlineData("jpg", 0.5)]
    [InlineData("jpg", 0.95)]
    [InlineData("png", 0.02)]
    [InlineData("png", 0.5)]
    [InlineData("png", 0.95)]
    [InlineData("bmp", 0.5)]
    public void A_picture_that_was_cut_off_is_no_picture(string ending, double kept)
    {
        using var picture = new Mat(200, 150, MatType.CV_8UC3);
        Cv2.SetTheRNG(3);
        Cv2.Randu(picture, Scalar.All(0), Scalar.All(256));
        string path = _folder["cut." + ending];
        Cv2.ImWrite(path, picture);
        byte[] whole = File.ReadAllBytes(path);
        File.WriteAllBytes(path, whole[..(int)(whole.Length * kept)]);
        Assert.Null(PictureFile.TryRead(path));
        Assert.Contains(path, Assert.Throws<FaceDistillException>(() => PictureFile.Read(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_or_a_missing_file_is_named()
    {
        Assert.Throws<FaceDistillException>(() => PictureFile.Read(_folder.Path));
        Assert.Contains("gone.jpg", Assert.Throws<FaceDistillException>(() => PictureFile.Read(_folder["gone.jpg"])).Message, StringComparison.Ordinal);
    }
}
