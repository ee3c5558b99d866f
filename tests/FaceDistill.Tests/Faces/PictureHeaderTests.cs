using System.Buffers.Binary;
using System.Text;
using FaceDistill.Faces;
using OpenCvSharp;

namespace FaceDistill.Tests.Faces;

/// <summary>The size that a file claims is read as OpenCV reads it, and decides before anything is decoded.</summary>
public sealed class PictureHeaderTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(".jpg")]
    [InlineData(".png")]
    [InlineData(".bmp")]
    [InlineData(".webp")]
    [InlineData(".tif")]
    [InlineData(".ppm")]
    [InlineData(".pgm")]
    [InlineData(".pbm")]
    [InlineData(".gif")]
    public void Every_format_s_size_is_what_is_decoded(string ending)
    {
        foreach (var (width, height) in new[] { (37, 21), (1, 1), (300, 260), (5, 700) })
        {
            using var picture = new Mat(height, width, MatType.CV_8UC3);
            Cv2.Randu(picture, Scalar.All(0), Scalar.All(256));
            using var grey = new Mat();
            Cv2.CvtColor(picture, grey, ColorConversionCodes.BGR2GRAY);
            foreach (var whole in ending is ".pgm" or ".pbm" ? [grey] : ending is ".ppm" or ".gif" ? [picture] : new[] { picture, grey })
            {
                Cv2.ImEncode(ending, whole, out byte[] file);
                var header = Header(file);
                Assert.Equal((width, height, ending == ".jpg"), (header!.Value.Width, header.Value.Height, header.Value.IsJpeg));
                using var read = Save(file);
                Assert.Equal((width, height), (read!.Width, read.Height));
            }
        }
    }

    [Fact]
    public void A_progressive_jpeg_and_a_lossless_webp_say_what_their_decoder_keeps()
    {
        using var picture = new Mat(80, 100, MatType.CV_8UC3, Scalar.Black);
        Assert.Equal(0, Header(Encoded(picture, ".jpg"))!.Value.Buffered);
        // Two bytes a coefficient; colours at half the width and height.
        Assert.Equal(2 * 1.5 * 8000, Header(Encoded(picture, ".jpg", new ImageEncodingParam(ImwriteFlags.JpegProgressive, 1)))!.Value.Buffered);
        Assert.Equal(new PictureHeader(100, 80, 4 * 8000), Header(Encoded(picture, ".webp", new ImageEncodingParam(ImwriteFlags.WebPQuality, 101))));
        Assert.Equal(new PictureHeader(0x123457, 0x10000, 4.0 * 0x123457 * 0x10000),
            Header([.. "RIFF...."u8, .. "WEBPVP8X"u8, 10, 0, 0, 0, 0, 0, 0, 0, 0x56, 0x34, 0x12, 0xff, 0xff, 0]));
    }

    [Fact]
    public void A_png_whose_chunk_claims_more_than_the_file_holds_is_none()
    {
        using var picture = new Mat(80, 100, MatType.CV_8UC3, Scalar.Black);
        byte[] file = Encoded(picture, ".png");
        Assert.Equal(new PictureHeader(100, 80, 0), Header(file));
        Assert.Equal(new PictureHeader(100, 80, 0), Header([.. file, 1, 2, 3]));
        int data = file.AsSpan().IndexOf("IDAT"u8);
        byte[] animated = [.. file[..(data - 4)], 0, 0, 0, 0, .. "acTL"u8, 0, 0, 0, 0, .. file[(data - 4)..]];
        Assert.Equal(new PictureHeader(100, 80, 8 * 8000), Header(animated));
        file[data - 4] = 0x54; // 1.4 GB of pixels
        Assert.Null(Header(file));
    }

    [Theory]
    [InlineData("P6\n# a comment\n30000 # another\n 30000\n255\n", 30000, 30000)]
    [InlineData("P1 7\t9 ", 7, 9)]
    [InlineData("P6\nx 3\n", 0, 0)]
    [InlineData("P6 3", 0, 0)]
    [InlineData("P9 3 4\n", 0, 0)]
    public void A_portable_map_s_numbers_stand_among_comments(string text, long width, long height) => Assert.Equal(
        width == 0 ? null : new PictureHeader(width, height, 0), Header(Encoding.ASCII.GetBytes(text)));

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void A_tiff_s_strip_counts(bool big, bool motorola)
    {
        byte[] strip = Tiff(big, motorola, (256, 60_000), (257, 50_000), (258, 16), (277, 3), (278, 100));
        Assert.Equal(new PictureHeader(60_000, 50_000, 60_000.0 * 100 * 6), Header(strip));
        byte[] tiles = Tiff(big, motorola, (256, 100), (257, 100), (322, 32_768), (323, 32_768));
        Assert.Equal(new PictureHeader(100, 100, 32_768.0 * 32_768 * 4), Header(tiles));
        Assert.Null(Header(strip[..^60]));
    }

    [Fact]
    public void Files_cut_anywhere_and_files_of_noise_give_a_size_or_none_and_no_error()
    {
        using var picture = new Mat(40, 50, MatType.CV_8UC3, Scalar.Black);
        var random = new Random(5);
        foreach (string ending in new[] { ".jpg", ".png", ".bmp", ".webp", ".tif", ".ppm", ".gif" })
        {
            byte[] whole = Encoded(picture, ending);
            for (int length = 0; length < Math.Min(whole.Length, 700); length++)
            {
                Header(whole[..length]);
                byte[] damaged = [.. whole];
                random.NextBytes(damaged.AsSpan(Math.Min(length, damaged.Length - 8), 8));
                Header(damaged);
            }
        }
    }

    [Fact]
    public void What_claims_too_much_is_named_with_both_numbers_before_it_is_decoded()
    {
        byte[] bmp = [.. "BM"u8, .. new byte[12], 40, 0, 0, 0, .. Int(40_000), .. Int(-40_000), .. new byte[90]];
        Refused(bmp, "a picture of 40000 x 40000 pixels, where at most 67108864 are decoded");
        Refused(Tiff(false, false, (256, 8000), (257, 8000), (258, 64), (277, 4), (278, 8000)),
            "a picture of 8000 x 8000 pixels that takes 2240 MB to decode, where 671 MB are spent");
        Refused(Encoding.ASCII.GetBytes("P6 99999999999999999999 5\n"), "99999999999"); // a number that no picture has
        Refused("text"u8.ToArray(), PictureFile.NoPicture);
        Assert.Null(PictureFile.TryRead(_folder.Path, out string reason));
        Assert.Equal("a folder", reason);
    }

    [Fact]
    public void A_jpeg_of_more_pixels_is_shrunk_and_turned()
    {
        using var picture = new Mat(8300, 8200, MatType.CV_8UC1, Scalar.Black); // 68 million pixels
        Cv2.Rectangle(picture, new Rect(0, 0, 4000, 800), Scalar.White, -1); // along the upper edge
        byte[] jpeg = Encoded(picture, ".jpg");
        byte[] exif = [0xff, 0xe1, 0, 34, .. "Exif\0\0II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0];
        using var read = Save([.. jpeg[..2], .. exif, .. jpeg[2..]]);
        Assert.Equal((4150, 4100), (read!.Width, read.Height)); // half of each, a quarter turn clockwise
        Assert.Equal((255, 0), ((int)read.At<Vec3b>(1000, 4140).Item0, (int)read.At<Vec3b>(1000, 3000).Item0)); // along the right edge
    }

    private static PictureHeader? Header(byte[] file) => PictureHeader.Read(new MemoryStream(file));

    private static byte[] Encoded(Mat picture, string ending, params ImageEncodingParam[] how)
    {
        Cv2.ImEncode(ending, picture, out byte[] file, how);
        return file;
    }

    private static byte[] Int(int value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return bytes;
    }

    // A header and one directory of LONG tags.
    private static byte[] Tiff(bool big, bool motorola, params (int Tag, long Value)[] tags)
    {
        byte[] Number(long value, int size)
        {
            byte[] bytes = [.. Enumerable.Range(0, size).Select(i => (byte)(value >> (8 * i)))];
            return motorola ? [.. bytes.Reverse()] : bytes;
        }

        int size = big ? 8 : 4;
        byte[] header = [.. motorola ? "MM"u8 : "II"u8, .. Number(big ? 43 : 42, 2), .. big ? [.. Number(8, 2), .. Number(0, 2)] : Array.Empty<byte>(),
            .. Number(big ? 16 : 8, size)];
        return [.. header, .. Number(tags.Length, big ? 8 : 2),
            .. tags.SelectMany(t => (byte[])[.. Number(t.Tag, 2), .. Number(4, 2), .. Number(1, size), .. Number(t.Value, 4), .. new byte[size - 4]]),
                .. new byte[40]];
    }

    private Mat? Save(byte[] file)
    {
        File.WriteAllBytes(_folder["x.jpg"], file);
        return PictureFile.TryRead(_folder["x.jpg"]);
    }

    private void Refused(byte[] file, string says)
    {
        File.WriteAllBytes(_folder["x.jpg"], file);
        Assert.Null(PictureFile.TryRead(_folder["x.jpg"], out string reason));
        Assert.Contains(says, reason, StringComparison.Ordinal);
    }
}

/// <summary>Large pictures wait for one another.</summary>
public sealed class PictureRoomTests
{
    [Fact]
    public async Task Together_no_more_than_there_is_is_held_and_what_is_larger_goes_in_alone()
    {
        var room = new PictureRoom(10);
        long held = 0, most = 0;
        var gate = new Lock();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(() =>
        {
            for (int i = 0; i < 200; i++)
            {
                int part = ((thread * 7) + i) % 13; // up to 12: more than there is
                using (room.Enter(part))
                {
                    lock (gate)
                    {
                        held += part;
                        Assert.True(held <= 10 || held == part, $"{held} with {part}");
                        most = Math.Max(most, held);
                    }

                    lock (gate)
                    {
                        held -= part;
                    }
                }
            }
        })));
        Assert.Equal(0, held);
        Assert.InRange(most, 10, 12);
    }
}
