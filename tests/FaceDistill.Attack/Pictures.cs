using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using OpenCvSharp;

namespace FaceDistill.Attack;

/// <summary>Pictures of every format, sound and broken; with a drawn face where one is to be found.</summary>
internal static class Pictures
{
    private static readonly Lazy<byte[]> Face = new(() => Encoded(".jpg"));

    /// <summary>A JPEG of 224 x 224 with a face.</summary>
    public static byte[] Jpeg() => [.. Face.Value];

    /// <summary>The same face in the format of an extension.</summary>
    public static byte[] Encoded(string extension, int person = 1, ColorConversionCodes? conversion = null)
    {
        using var photo = Bases.Photo(person, 0);
        if (conversion is { } code)
        {
            using var converted = new Mat();
            Cv2.CvtColor(photo, converted, code);
            return converted.ImEncode(extension);
        }

        return photo.ImEncode(extension);
    }

    /// <summary>The same face after some change of its pixels.</summary>
    public static byte[] Encoded(string extension, Action<Mat, Mat> change, int person = 1)
    {
        using var photo = Bases.Photo(person, 0);
        using var changed = new Mat();
        change(photo, changed);
        return changed.ImEncode(extension);
    }

    /// <summary>A part of the bytes.</summary>
    public static byte[] Part(byte[] bytes, double share) => bytes[..(int)(bytes.Length * share)];

    /// <summary>Every so many bytes from a place on are inverted.</summary>
    public static byte[] Flipped(byte[] bytes, double from, int step)
    {
        byte[] flipped = [.. bytes];
        for (int i = (int)(bytes.Length * from); i < bytes.Length - 2; i += step)
        {
            flipped[i] ^= 0xff;
        }

        return flipped;
    }

    /// <summary>A picture without a face.</summary>
    public static byte[] Plain()
    {
        using var mat = new Mat(200, 200, MatType.CV_8UC3, Scalar.Gray);
        return mat.ImEncode(".png");
    }

    /// <summary>A PNG that claims a size, and has so many rows of zeros.</summary>
    public static byte[] Png(int width, int height, int rows, bool whole = false)
    {
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 2);
        var data = new MemoryStream();
        using (var zip = new ZLibStream(data, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            byte[] row = new byte[whole ? 1 + (width * 3) : Math.Min(1 + ((long)width * 3), 100_000)];
            for (int i = 0; i < rows; i++)
            {
                zip.Write(row);
            }
        }

        return [0x89, .. "PNG\r\n"u8, 0x1a, (byte)'\n', .. Chunk("IHDR", header), .. Chunk("IDAT", data.ToArray()), .. Chunk("IEND", [])];
    }

    /// <summary>The face in a palette of 6 x 6 x 6 colours, one of them half transparent.</summary>
    public static byte[] Palette()
    {
        using var photo = Bases.Photo(1, 0);
        int width = photo.Width, height = photo.Height;
        byte[] header = [0, 0, 0, (byte)width, 0, 0, 0, (byte)height, 8, 3, 0, 0, 0];
        var data = new MemoryStream();
        using (var zip = new ZLibStream(data, CompressionLevel.Fastest, leaveOpen: true))
        {
            for (int y = 0; y < height; y++)
            {
                zip.WriteByte(0);
                for (int x = 0; x < width; x++)
                {
                    var pixel = photo.At<Vec3b>(y, x); // BGR
                    zip.WriteByte((byte)((pixel.Item2 / 43 * 36) + (pixel.Item1 / 43 * 6) + (pixel.Item0 / 43)));
                }
            }
        }

        byte[] colours = [.. Enumerable.Range(0, 216).SelectMany(i => new[] { (byte)(i / 36 * 51), (byte)(i / 6 % 6 * 51), (byte)(i % 6 * 51) })];
        return [0x89, .. "PNG\r\n"u8, 0x1a, (byte)'\n', .. Chunk("IHDR", header), .. Chunk("PLTE", colours), .. Chunk("tRNS", [128]),
            .. Chunk("IDAT", data.ToArray()),
            .. Chunk("IEND", [])];
    }

    /// <summary>A JPEG whose EXIF says that it lies on its side.</summary>
    public static byte[] Exif(byte[] jpeg, byte orientation)
    {
        byte[] tiff = [.. "Exif\0\0MM\0*\0\0\0"u8, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
        return [.. jpeg[..2], 0xff, 0xe1, 0, (byte)(tiff.Length + 2), .. tiff, .. jpeg[2..]];
    }

    /// <summary>A bitmap's header that claims a size.</summary>
    public static byte[] Bmp(int width, int height)
    {
        byte[] bytes = new byte[54 + 300];
        "BM"u8.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(2), bytes.Length);
        bytes[10] = 54;
        bytes[14] = 40;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(18), width);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(22), height);
        (bytes[26], bytes[28]) = (1, 24);
        return bytes;
    }

    /// <summary>A TIFF's header that claims a size in one strip.</summary>
    public static byte[] Tiff(int width, int height)
    {
        (int Tag, int Type, int Value)[] entries =
            [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 4, height), (279, 4, 100)];
        byte[] bytes = new byte[8 + 100 + 2 + (entries.Length * 12) + 4];
        "II*\0"u8.CopyTo(bytes);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), 108);
        BinaryPrimitives.WriteInt16LittleEndian(bytes.AsSpan(108), (short)entries.Length);
        for (int i = 0; i < entries.Length; i++)
        {
            var entry = bytes.AsSpan(110 + (i * 12));
            BinaryPrimitives.WriteInt16LittleEndian(entry, (short)entries[i].Tag);
            BinaryPrimitives.WriteInt16LittleEndian(entry[2..], (short)entries[i].Type);
            BinaryPrimitives.WriteInt32LittleEndian(entry[4..], 1);
            BinaryPrimitives.WriteInt32LittleEndian(entry[8..], entries[i].Value);
        }

        return bytes;
    }

    /// <summary>The smallest animated GIF: two frames of one pixel.</summary>
    public static byte[] Gif()
    {
        byte[] frame = [0x21, 0xf9, 4, 0, 10, 0, 0, 0, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0];
        return [.. "GIF89a"u8, 1, 0, 1, 0, 0x80, 0, 0, 0xff, 0xff, 0xff, 0, 0, 0, .. frame, .. frame, 0x3b];
    }

    private static byte[] Chunk(string type, byte[] data)
    {
        byte[] named = [.. Encoding.ASCII.GetBytes(type), .. data];
        byte[] length = new byte[4], crc = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(crc, Crc(named));
        return [.. length, .. named, .. crc];
    }

    // RFC 2083, 15.
    private static uint Crc(byte[] bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0xedb88320;
            }
        }

        return ~crc;
    }
}
