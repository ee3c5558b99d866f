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
        Assert.Null(PictureFile.TryRead(_folder["missing.jpg"]));
    }

    [Theory]
    [InlineData("a.JPG", true)]
    [InlineData("a/b.png", true)]
    [InlineData("a.txt", false)]
    [InlineData("jpg", false)]
    public void Pictures_are_known_by_their_ending(string path, bool expected) => Assert.Equal(expected, PictureFile.IsPicture(path));

    [Fact]
    public void Contracts_out_of_range_are_named_with_their_origin()
    {
        var good = FaceTensor.StudentContract(96, "dlib");
        Assert.Same(good, good.Validated("card"));
        Assert.All(
            new[] { good with { Size = 8 }, good with { Mean = [1, 2] }, good with { Std = [1, 0, 1] }, good with { Mean = [0, float.NaN, 0] }, good with { Template = "none" } },
            wrong => Assert.Throws<FaceDistillException>(() => wrong.Validated("card")));
    }
}
