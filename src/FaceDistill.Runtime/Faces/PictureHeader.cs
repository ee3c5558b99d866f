using System.Buffers.Binary;

namespace FaceDistill.Faces;

/// <summary>What a picture file says of itself before it is decoded: how large it is, and what a decoder keeps beside the pixels.</summary>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Buffered">Bytes that the decoder holds until the picture is whole, besides it.</param>
/// <param name="IsJpeg">Whether it can be decoded at a half, a quarter or an eighth of its size.</param>
internal readonly record struct PictureHeader(long Width, long Height, double Buffered, bool IsJpeg = false)
{
    /// <summary>How many pixels; a double, since damaged headers claim more than a long holds.</summary>
    public double Pixels => (double)Width * Height;

    /// <summary>Reads the header of a JPEG, PNG, BMP, WebP, TIFF, PBM/PGM/PPM or GIF file.</summary>
    /// <param name="file">At its beginning; may be left anywhere.</param>
    /// <returns>Null where it is none of these, or damaged.</returns>
    public static PictureHeader? Read(Stream file)
    {
        ArgumentNullException.ThrowIfNull(file);
        try
        {
            var reader = new PictureBytes(file);
            byte[] start = reader.Take(4);
            var header = start switch
            {
                [0xff, 0xd8, 0xff, _] => Jpeg(reader),
                [0x89, (byte)'P', (byte)'N', (byte)'G'] => Png(reader),
                [(byte)'B', (byte)'M', _, _] => Bmp(reader),
                [(byte)'R', (byte)'I', (byte)'F', (byte)'F'] => WebP(reader),
                [(byte)'I', (byte)'I', 42 or 43, 0] => Tiff(reader.Little(), start[2] == 43),
                [(byte)'M', (byte)'M', 0, 42 or 43] => Tiff(reader, start[3] == 43),
                [(byte)'P', >= (byte)'1' and <= (byte)'6', _, _] => Pnm(reader),
                [(byte)'G', (byte)'I', (byte)'F', (byte)'8'] => Gif(reader.Little()),
                _ => null,
            };
            return header is { Width: > 0, Height: > 0 } ? header : null;
        }
        catch (EndOfStreamException)
        {
            return null;
        }
    }

    // Marker segments up to the first scan (ITU-T T.81, annex B).
    private static PictureHeader? Jpeg(PictureBytes file)
    {
        const int mostGarbage = 1 << 20; // libjpeg skips what lies between segments
        (long Width, long Height, long Coefficients, int Components, bool Progressive)? frame = null;
        file.Seek(2);
        for (int garbage = 0; garbage < mostGarbage; garbage++)
        {
            if (file.Byte() != 0xff)
            {
                continue;
            }

            int marker = file.Byte();
            for (; marker == 0xff && garbage < mostGarbage; garbage++)
            {
                marker = file.Byte();
            }

            if (marker is 0 or 0x01 or (>= 0xd0 and <= 0xd8))
            {
                continue; // no segment follows
            }

            long next = file.Position + file.Word();
            if (marker is >= 0xc0 and <= 0xcf and not (0xc4 or 0xc8 or 0xcc) && frame is null)
            {
                file.Byte(); // bits of a sample
                long height = file.Word(), width = file.Word();
                byte[] components = file.Take(3 * file.Byte());
                int[] samples = [.. Enumerable.Range(0, components.Length / 3).Select(i => components[(3 * i) + 1])];
                int across = samples.Select(s => s >> 4).Append(1).Max(), down = samples.Select(s => s & 15).Append(1).Max();
                long coefficients = samples.Sum(s => width * height * (s >> 4) * (s & 15) / (across * down));
                frame = (width, height, coefficients, samples.Length, marker is 0xc2 or 0xc6 or 0xca or 0xce);
            }
            else if (marker == 0xda)
            {
                // A picture of several scans is held as coefficients of two bytes until the last has been read.
                return frame is not { } f ? null
                    : new PictureHeader(f.Width, f.Height, f.Progressive || file.Byte() < f.Components ? 2 * f.Coefficients : 0, IsJpeg: true);
            }
            else if (marker == 0xd9)
            {
                return null;
            }

            file.Seek(next);
        }

        return null;
    }

    private static PictureHeader? Png(PictureBytes file)
    {
        file.Seek(12);
        if (!file.Take(4).AsSpan().SequenceEqual("IHDR"u8))
        {
            return null;
        }

        long width = file.Long(), height = file.Long();
        double buffered = 0;
        for (long chunk = 33; ;) // all, since OpenCV makes room for what one claims to hold
        {
            file.Seek(chunk);
            long length = file.Long();
            byte[] type = file.Take(4);
            chunk += 12 + length;
            file.Seek(chunk);
            if (type.AsSpan().SequenceEqual("IEND"u8))
            {
                return new PictureHeader(width, height, buffered);
            }

            buffered = type.AsSpan().SequenceEqual("acTL"u8) ? 8.0 * width * height : buffered; // animated: two canvases of four channels
        }
    }

    private static PictureHeader? Bmp(PictureBytes file)
    {
        file.Little().Seek(14);
        bool old = file.Long() == 12; // OS/2
        return old ? new PictureHeader(file.Word(), file.Word(), 0) : new PictureHeader((int)file.Long(), Math.Abs((long)(int)file.Long()), 0);
    }

    private static PictureHeader? WebP(PictureBytes file)
    {
        file.Little().Seek(8);
        byte[] kind = file.Take(8);
        file.Seek(20);
        if (!kind.AsSpan(0, 4).SequenceEqual("WEBP"u8))
        {
            return null;
        }

        switch ((char)kind[7])
        {
            case ' ': // lossy: three bytes of the frame's tag, three of a start code
                file.Seek(26);
                return Of(file.Word() & 0x3fff, file.Word() & 0x3fff, 4);
            case 'L':
                file.Byte();
                long bits = file.Long();
                return Of((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1, 4);
            case 'X':
                bool animated = (file.Long() & 2) != 0;
                return Of(file.Word() + ((long)file.Byte() << 16) + 1, file.Word() + ((long)file.Byte() << 16) + 1, animated ? 12 : 4);
            default:
                return null;
        }

        static PictureHeader Of(long width, long height, int bytes) => new(width, height, (double)bytes * width * height);
    }

    // The first directory's tags (TIFF 6.0; BigTIFF has wider counts and offsets). A strip or tile is decoded as a whole.
    private static PictureHeader? Tiff(PictureBytes file, bool big)
    {
        const int mostTags = 4096;
        file.Seek(big ? 8 : 4);
        file.Seek(big ? file.Huge() : file.Long());
        var tags = new Dictionary<int, long>();
        long count = big ? file.Huge() : file.Word();
        for (long i = 0; i < Math.Min(count, mostTags); i++)
        {
            int tag = file.Word(), type = file.Word();
            long values = big ? file.Huge() : file.Long(), end = file.Position + (big ? 8 : 4);
            if (tag is 256 or 257 or 258 or 277 or 278 or 322 or 323)
            {
                int bytes = type switch { 3 => 2, 16 => 8, _ => 4 }; // SHORT, LONG8, LONG
                if (values * bytes > end - file.Position)
                {
                    file.Seek(big ? file.Huge() : file.Long()); // the values stand elsewhere; the first of them counts
                }

                tags.TryAdd(tag, bytes == 2 ? file.Word() : bytes == 8 ? file.Huge() : file.Long());
            }

            file.Seek(end);
        }

        if (!tags.TryGetValue(256, out long width) || !tags.TryGetValue(257, out long height))
        {
            return null;
        }

        double pixels = tags.TryGetValue(322, out long across) && tags.TryGetValue(323, out long down) ? (double)across * down
            : (double)width * Math.Min(height, tags.GetValueOrDefault(278, height));
        double perPixel = Math.Max(4, tags.GetValueOrDefault(258, 1) / 8.0 * tags.GetValueOrDefault(277, 1));
        return new PictureHeader(width, height, pixels * perPixel);
    }

    private static PictureHeader? Pnm(PictureBytes file)
    {
        file.Seek(2);
        return new PictureHeader(file.Number(), file.Number(), 0);
    }

    private static PictureHeader? Gif(PictureBytes file)
    {
        file.Seek(6);
        long width = file.Word(), height = file.Word();
        return new PictureHeader(width, height, 8.0 * width * height); // two canvases of four channels
    }
}

/// <summary>Numbers of a picture file, one after another; beyond its end there is none.</summary>
internal sealed class PictureBytes(Stream file)
{
    private readonly byte[] _bytes = new byte[8];
    private bool _little;

    public long Position => file.Position;

    /// <summary>From now on the least byte of a number comes first.</summary>
    public PictureBytes Little()
    {
        _little = true;
        return this;
    }

    public void Seek(long position) => file.Position = position >= 0 && position <= file.Length ? position : throw new EndOfStreamException();

    public byte[] Take(int count)
    {
        byte[] bytes = new byte[count];
        file.ReadExactly(bytes);
        return bytes;
    }

    public int Byte() => file.ReadByte() is >= 0 and var b ? b : throw new EndOfStreamException();

    public int Word() => _little ? BinaryPrimitives.ReadUInt16LittleEndian(Next(2)) : BinaryPrimitives.ReadUInt16BigEndian(Next(2));

    public long Long() => _little ? BinaryPrimitives.ReadUInt32LittleEndian(Next(4)) : BinaryPrimitives.ReadUInt32BigEndian(Next(4));

    public long Huge() => _little ? BinaryPrimitives.ReadInt64LittleEndian(Next(8)) : BinaryPrimitives.ReadInt64BigEndian(Next(8));

    /// <summary>A number in digits, after white space and comments from '#' to the end of a line.</summary>
    public long Number()
    {
        const long most = 1L << 40;
        int c = Byte();
        while (c is '#' or ' ' or (>= 9 and <= 13))
        {
            for (bool comment = c == '#'; comment && c is not ('\n' or '\r');)
            {
                c = Byte();
            }

            c = Byte();
        }

        long number = 0;
        for (; c is >= '0' and <= '9' && number < most; c = Byte())
        {
            number = (10 * number) + (c - '0');
        }

        return number;
    }

    private ReadOnlySpan<byte> Next(int count)
    {
        file.ReadExactly(_bytes, 0, count);
        return _bytes.AsSpan(0, count);
    }
}
