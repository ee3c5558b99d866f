using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using FaceDistill.Files;

namespace FaceDistill.Formats;

/// <summary>A matrix in memory.</summary>
/// <param name="Rows">N.</param>
/// <param name="Columns">D.</param>
/// <param name="Values">float32 [N, D], row-major.</param>
internal sealed record NpyMatrix(int Rows, int Columns, float[] Values);

/// <summary>NumPy's array files, for two-dimensional float arrays: float32 [N, D], little-endian, C order.</summary>
internal static class NpyFile
{
    private const int BlockValues = 1 << 20;

    /// <summary>Reads an [N, D] array of float32, or of float64 rounded to float32 (too large ones become infinite).</summary>
    /// <param name="path">The file.</param>
    /// <param name="check">Given N and D before the values are read; null for nothing.</param>
    /// <exception cref="FaceDistillException">The file is missing, damaged, or holds another kind of array; the message names it.</exception>
    public static NpyMatrix Read(string path, Action<int, int>? check = null)
    {
        try
        {
            if (FileKinds.Of(path) == FileKind.Other) // to open one may wait for ever
            {
                throw new FaceDistillException($"{path} is a pipe or a device, no .npy file; write it with np.save");
            }

            using var stream = File.OpenRead(path);
            var header = NpyHeader.Read(stream, path);
            check?.Invoke(header.Rows, header.Columns);
            float[] values = new float[(long)header.Rows * header.Columns];
            if (header.ItemSize == sizeof(float))
            {
                ReadSingles(stream, values);
            }
            else
            {
                ReadDoubles(stream, values);
            }

            return new NpyMatrix(header.Rows, header.Columns, values);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read {path}: {e.Message}", e);
        }
    }

    /// <summary>Writes float32 [N, D], row-major, as version 1.0; whole or not at all.</summary>
    /// <param name="path">The file.</param>
    /// <param name="columns">D, at least 1.</param>
    /// <param name="values">N x D values.</param>
    /// <exception cref="FaceDistillException">The file cannot be written.</exception>
    /// <exception cref="ArgumentException">The values are no whole number of rows.</exception>
    public static void Write(string path, int columns, float[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (columns < 1 || values.Length == 0 || values.Length % columns != 0)
        {
            throw new ArgumentException($"{values.Length} values do not make rows of {columns}");
        }

        AtomicFile.Write(path, stream =>
        {
            stream.Write(NpyHeader.Write(values.Length / columns, columns));
            for (int i = 0; i < values.Length; i += BlockValues) // a byte span holds at most 2^31 bytes
            {
                stream.Write(MemoryMarshal.AsBytes(values.AsSpan(i, Math.Min(BlockValues, values.Length - i))));
            }
        });
    }

    private static void ReadSingles(Stream stream, float[] values)
    {
        for (int i = 0; i < values.Length; i += BlockValues)
        {
            stream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan(i, Math.Min(BlockValues, values.Length - i))));
        }
    }

    private static void ReadDoubles(Stream stream, float[] values)
    {
        double[] block = new double[Math.Min(BlockValues, values.Length)];
        for (int i = 0; i < values.Length; i += BlockValues)
        {
            var part = block.AsSpan(0, Math.Min(BlockValues, values.Length - i));
            stream.ReadExactly(MemoryMarshal.AsBytes(part));
            for (int j = 0; j < part.Length; j++)
            {
                values[i + j] = (float)part[j];
            }
        }
    }
}

/// <summary>
/// The header of a .npy file, read with suspicion: nothing is allocated by what it claims, and what the file cannot
/// hold is refused. Layout: NumPy's format specification (numpy.lib.format), versions 1.0, 2.0 and 3.0.
/// </summary>
/// <param name="Rows">N, at least 1.</param>
/// <param name="Columns">D, at least 1.</param>
/// <param name="ItemSize">4 for float32, 8 for float64.</param>
/// <param name="DataOffset">Where the values begin in the file.</param>
internal sealed partial record NpyHeader(int Rows, int Columns, int ItemSize, long DataOffset)
{
    /// <summary>NumPy itself writes about 128 bytes and reads no more than 10,000.</summary>
    private const int MaxHeaderBytes = 65536;

    /// <summary>Reads the header and leaves the stream at the first value.</summary>
    /// <exception cref="FaceDistillException">Not such a file, or not an [N, D] float array in C order that the file holds whole.</exception>
    public static NpyHeader Read(Stream stream, string path)
    {
        string text = ReadText(stream, path);
        string type = Value(TypePattern().Match(text), path, "'descr'");
        int size = type switch
        {
            "<f4" => 4,
            "<f8" => 8,
            _ => throw new FaceDistillException($"{path} holds dtype '{type}'; save it as little-endian float32: np.save(path, a.astype('<f4'))"),
        };
        if (Value(OrderPattern().Match(text), path, "'fortran_order'") == "True")
        {
            throw new FaceDistillException($"{path} is in Fortran order; save np.ascontiguousarray(a)");
        }

        var (rows, columns) = Shape(Value(ShapePattern().Match(text), path, "'shape'"), path);
        var header = new NpyHeader(rows, columns, size, stream.Position);
        long wanted = (long)rows * columns * size; // below 2^31 * 8: no overflow
        long held = stream.Length - stream.Position;
        return held == wanted ? header : throw new FaceDistillException(
            $"{path} claims {rows} x {columns} values ({wanted} bytes) but holds {held} bytes of values; save it again");
    }

    /// <summary>The bytes in front of the values, for a float32 array in C order; their count is a multiple of 64.</summary>
    public static byte[] Write(int rows, int columns)
    {
        string text = InvariantText.Of($"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
        int length = ((10 + text.Length + 1 + 63) / 64 * 64) - 10;
        byte[] bytes = new byte[10 + length];
        bytes[0] = 0x93;
        "NUMPY"u8.CopyTo(bytes.AsSpan(1));
        bytes[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), (ushort)length);
        Encoding.ASCII.GetBytes(text.PadRight(length - 1) + "\n", bytes.AsSpan(10));
        return bytes;
    }

    private static string ReadText(Stream stream, string path)
    {
        Span<byte> start = stackalloc byte[12];
        if (stream.ReadAtLeast(start[..10], 10, throwOnEndOfStream: false) < 10 || start[0] != 0x93 || !start[1..6].SequenceEqual("NUMPY"u8))
        {
            throw new FaceDistillException($"{path} is not a .npy file; write it with np.save");
        }

        if (start[6] is not (1 or 2 or 3))
        {
            throw new FaceDistillException($"{path} is .npy version {start[6]}.{start[7]}; FaceDistill reads 1.0 to 3.0");
        }

        long length = BinaryPrimitives.ReadUInt16LittleEndian(start[8..]);
        if (start[6] > 1)
        {
            bool whole = stream.ReadAtLeast(start[10..], 2, throwOnEndOfStream: false) == 2;
            length = whole ? BinaryPrimitives.ReadUInt32LittleEndian(start[8..]) : long.MaxValue;
        }

        if (length > MaxHeaderBytes || length > stream.Length - stream.Position)
        {
            throw new FaceDistillException($"{path} has a damaged header: it claims {length} bytes");
        }

        byte[] text = new byte[length];
        stream.ReadExactly(text);
        return Encoding.UTF8.GetString(text);
    }

    private static string Value(Match match, string path, string key) => match.Success ? match.Groups[1].Value
        : throw new FaceDistillException($"{path} has no plain {key} in its header; save a plain float32 [N, D] array with np.save");

    private static (int Rows, int Columns) Shape(string shape, string path)
    {
        string[] parts = shape.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length == 2 && Positive(parts[0], out int rows) && Positive(parts[1], out int columns)
            && (long)rows * columns <= Array.MaxLength)
        {
            return (rows, columns);
        }

        throw new FaceDistillException($"{path} has shape ({shape}); FaceDistill needs [N, D] with N and D at least 1 and N x D below 2^31");
    }

    private static bool Positive(string text, out int value) =>
        InvariantNumber.Count(text, out value) && value > 0;

    [GeneratedRegex(@"'descr'\s*:\s*'([^']{1,32})'")]
    private static partial Regex TypePattern();

    [GeneratedRegex(@"'fortran_order'\s*:\s*(True|False)\b")]
    private static partial Regex OrderPattern();

    [GeneratedRegex(@"'shape'\s*:\s*\(([^()]{0,200})\)")]
    private static partial Regex ShapePattern();
}

/// <summary>The identities that belong to the rows of a matrix: a UTF-8 text file, one identity a line.</summary>
internal static class LabelsFile
{
    /// <summary>Reads the identities; white space around them does not count.</summary>
    /// <param name="path">The file.</param>
    /// <param name="count">How many there must be.</param>
    /// <param name="matrix">The file of the embeddings.</param>
    /// <exception cref="FaceDistillException">Missing, not UTF-8, an empty line, or another count; the message names file and row.</exception>
    public static string[] Read(string path, int count, string matrix)
    {
        var labels = new List<string>();
        using var file = new ListReader(path);
        while (file.ReadLine() is { } line)
        {
            if (labels.Count == count)
            {
                throw new FaceDistillException($"{path} line {count + 1}: more identities than the {count} embeddings of {matrix}");
            }

            string label = line.Trim();
            labels.Add(label.Length > 0 ? label : throw new FaceDistillException($"{path} line {file.Line}: no identity"));
        }

        return labels.Count == count ? [.. labels]
            : throw new FaceDistillException($"{path} ends at line {labels.Count}; {matrix} holds {count} embeddings, and each has a line");
    }
}
