using System.Buffers.Binary;
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

    [Theory]
    [InlineData(1, 30, 20, 0, 0)]  // as it is
    [InlineData(3, 30, 20, 29, 19)] // half a turn
    [InlineData(6, 20, 30, 19, 0)] // a quarter turn clockwise: a telephone held upright
    [InlineData(8, 20, 30, 0, 29)]
    public void A_photo_is_turned_upright_as_its_exif_data_says(int orientation, int width, int height, int x, int y)
    {
        using var picture = new Mat(20, 30, MatType.CV_8UC3, Scalar.Black);
        Cv2.Rectangle(picture, new Rect(0, 0, 8, 8), Scalar.White, -1); // the top left corner before it is turned
        Cv2.ImEncode(".jpg", picture, out byte[] jpeg);
        byte[] exif = [0xff, 0xe1, 0, 34, .. "Exif\0\0II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, (byte)orientation, 0, 0, 0, 0, 0, 0, 0];
        File.WriteAllBytes(_folder["turned.jpg"], [.. jpeg[..2], .. exif, .. jpeg[2..]]);
        using var read = PictureFile.Read(_folder["turned.jpg"]);
        Assert.Equal((width, height), (read.Width, read.Height));
        Assert.True(read.At<Vec3b>(y, x).Item1 > 200);
        Assert.True(read.At<Vec3b>(height - 1 - y, width - 1 - x).Item1 < 50);
    }

    [Fact]
    public void Grey_transparent_and_deep_pictures_come_as_three_bytes_a_pixel()
    {
        foreach (var type in new[] { MatType.CV_8UC1, MatType.CV_8UC4, MatType.CV_16UC1, MatType.CV_16UC3 })
        {
            using var picture = new Mat(4, 6, type, Scalar.All(type.Depth == MatType.CV_16U ? 200 * 257 : 200));
            Cv2.ImWrite(_folder["other.png"], picture);
            using var read = PictureFile.Read(_folder["other.png"]);
            Assert.Equal(MatType.CV_8UC3, read.Type());
            Assert.Equal(new Vec3b(200, 200, 200), read.At<Vec3b>(2, 3));
        }
    }

    [Theory]
    [InlineData(2_000_000_000, 2_000_000_000)] // beyond what OpenCV takes
    [InlineData(1_000_000, 1_000)]             // 3 GB of pixels that the file does not hold
    public void A_header_that_claims_an_enormous_picture_is_no_picture(int width, int height)
    {
        Cv2.ImEncode(".png", new Mat(4, 4, MatType.CV_8UC3, Scalar.Black), out byte[] png);
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(16), width); // IHDR: width, height; then its CRC over 17 bytes
        BinaryPrimitives.WriteInt32BigEndian(png.AsSpan(20), height);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), Crc(png.AsSpan(12, 17)));
        File.WriteAllBytes(_folder["bomb.png"], png);
        Assert.Null(PictureFile.TryRead(_folder["bomb.png"]));
    }

    [Fact]
    public void A_folder_or_a_missing_file_is_named()
    {
        Assert.Throws<FaceDistillException>(() => PictureFile.Read(_folder.Path));
        Assert.Contains("gone.jpg", Assert.Throws<FaceDistillException>(() => PictureFile.Read(_folder["gone.jpg"])).Message, StringComparison.Ordinal);
    }

    // CRC-32 of the PNG specification, bit by bit.
    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xedb88320);
            }
        }

        return ~crc;
    }
}
