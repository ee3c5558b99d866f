using System.Buffers.Binary;

namespace FaceDistill.Formats;

/// <summary>
/// Goes through a Parquet file's own words before the library believes them: it makes room for whatever length they claim, and reads on for ever where they end
/// early.
/// </summary>
/// <remarks>
/// A file is "PAR1", the columns' pages, the footer (a Thrift struct in the compact protocol), uint32 its length, "PAR1". Each page has a header, a struct
/// whose
/// fields 2 and 3 are its bytes unpacked and as they lie there. Compact protocol: a field is a byte (upper 4 bits what its number adds to the last's, or 0 and
/// the number follows; lower 4 its type), numbers are varints, texts have their length before them, a struct ends with a byte 0 (thrift-compact-protocol.md).
/// </remarks>
internal static class ParquetLook
{
    private const int Ends = 12, MostFooter = 1 << 28, Window = 1 << 13;

    /// <summary>Looks through the footer.</summary>
    /// <param name="file">The file.</param>
    /// <exception cref="ParquetLookException">It does not hold.</exception>
    public static void Footer(Stream file)
    {
        ArgumentNullException.ThrowIfNull(file);
        Span<byte> end = stackalloc byte[8];
        if (file.Length < Ends)
        {
            throw new ParquetLookException("too short");
        }

        file.Position = file.Length - 8;
        file.ReadExactly(end);
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(end);
        if (!end[4..].SequenceEqual("PAR1"u8) || length == 0 || length > Math.Min(file.Length - Ends, MostFooter))
        {
            throw new ParquetLookException("its end is no Parquet footer's");
        }

        byte[] footer = new byte[length];
        file.Position = file.Length - 8 - length;
        file.ReadExactly(footer);
        file.Position = 0;
        var look = new Compact(footer);
        look.Struct([]);
    }

    /// <summary>Looks through the headers of a column's pages.</summary>
    /// <param name="file">The file.</param>
    /// <param name="start">Where the first page begins.</param>
    /// <param name="bytes">How many bytes the pages have, with their headers.</param>
    /// <param name="unpacked">How many they may have when they are unpacked.</param>
    /// <exception cref="ParquetLookException">They do not hold.</exception>
    public static void Pages(Stream file, long start, long bytes, long unpacked)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (start < 4 || bytes < 0 || bytes > file.Length - start)
        {
            throw new ParquetLookException(FormattableString.Invariant($"pages from byte {start} on, {bytes} long, where the file has {file.Length}"));
        }

        for (long at = start, left = bytes; left > 0;)
        {
            var sizes = new Dictionary<int, long>();
            int header = Header(file, at, left, sizes);
            long packed = sizes.GetValueOrDefault(3, -1), whole = sizes.GetValueOrDefault(2, -1);
            if (packed < 0 || packed > left - header || whole < 0 || whole > unpacked)
            {
                throw new ParquetLookException(
                    FormattableString.Invariant($"the page at byte {at} claims {packed} bytes, {whole} unpacked, where {left} are left"));
            }

            at += header + packed;
            left -= header + packed;
        }
    }

    private static int Header(Stream file, long at, long left, Dictionary<int, long> sizes)
    {
        for (long window = Window; ; window *= 16)
        {
            byte[] bytes = new byte[Math.Min(window, left)];
            file.Position = at;
            file.ReadExactly(bytes);
            sizes.Clear();
            var look = new Compact(bytes);
            try
            {
                return look.Struct(sizes);
            }
            catch (ParquetLookException) when (bytes.Length < Math.Min(left, MostFooter))
            {
                // Statistics may make it longer.
            }
        }
    }

    private ref struct Compact(ReadOnlySpan<byte> bytes)
    {
        private const int MostDepth = 32;
        private readonly ReadOnlySpan<byte> _bytes = bytes;
        private int _at;

        /// <summary>Passes a struct; keeps its whole numbers by their fields.</summary>
        public int Struct(Dictionary<int, long> numbers)
        {
            Struct(0, numbers);
            return _at;
        }

        private void Struct(int depth, Dictionary<int, long>? numbers)
        {
            int field = 0;
            for (int head = Byte(); head != 0; head = Byte())
            {
                int type = head & 15;
                field = head >> 4 == 0 ? (int)Zigzag() : field + (head >> 4);
                if (type is >= 4 and <= 6)
                {
                    long number = Zigzag();
                    _ = numbers?.TryAdd(field, number);
                }
                else if (type > 2) // true and false have no more
                {
                    Value(type, depth);
                }
            }
        }

        private void Value(int type, int depth)
        {
            _ = depth < MostDepth ? 0 : throw new ParquetLookException("too deep");
            switch (type)
            {
                case 1 or 2 or 3:
                    Skip(1);
                    break;
                case 4 or 5 or 6:
                    Varint();
                    break;
                case 7:
                    Skip(8);
                    break;
                case 8:
                    Skip(Varint());
                    break;
                case 9 or 10:
                    int head = Byte();
                    ulong count = head >> 4 == 15 ? Varint() : (ulong)(head >> 4);
                    Each(count, head & 15, depth);
                    break;
                case 11:
                    ulong pairs = Varint();
                    int types = pairs == 0 ? 0 : Byte();
                    for (ulong i = 0; i < pairs; i++)
                    {
                        Value(types >> 4, depth + 1);
                        Value(types & 15, depth + 1);
                    }

                    break;
                case 12:
                    Struct(depth + 1, null);
                    break;
                default:
                    throw new ParquetLookException(FormattableString.Invariant($"type {type} is none"));
            }
        }

        private void Each(ulong count, int type, int depth)
        {
            _ = count <= (ulong)(_bytes.Length - _at)
                ? 0
                : throw new ParquetLookException(FormattableString.Invariant($"a list of {count} in {_bytes.Length - _at} bytes"));
            for (ulong i = 0; i < count; i++)
            {
                Value(type, depth + 1);
            }
        }

        private int Byte() => _at < _bytes.Length ? _bytes[_at++] : throw new ParquetLookException("the end is missing");

        private void Skip(ulong count) => _at = count <= (ulong)(_bytes.Length - _at) ? _at + (int)count
            : throw new ParquetLookException(FormattableString.Invariant($"{count} bytes are claimed, where {_bytes.Length - _at} are left"));

        private ulong Varint()
        {
            ulong value = 0;
            for (int shift = 0; shift < 70; shift += 7)
            {
                int b = Byte();
                value |= (ulong)(b & 127) << Math.Min(shift, 63);
                if (b < 128)
                {
                    return value;
                }
            }

            throw new ParquetLookException("a number that is too long");
        }

        private long Zigzag()
        {
            ulong value = Varint();
            return (long)(value >> 1) ^ -(long)(value & 1);
        }
    }
}

/// <summary>What <see cref="ParquetLook"/> found wrong, in its own words.</summary>
internal sealed class ParquetLookException(string what) : Exception(what);
