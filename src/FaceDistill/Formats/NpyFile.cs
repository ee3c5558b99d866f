using System.Runtime.InteropServices;

namespace FaceDistill.Formats;

/// <summary>A matrix in memory.</summary>
/// <param name="Rows">N.</param>
/// <param name="Columns">D.</param>
/// <param name="Values">float32 [N, D], row-major.</param>
public sealed record NpyMatrix(int Rows, int Columns, float[] Values);

/// <summary>NumPy's array files, for two-dimensional float arrays: float32 [N, D], little-endian, C order.</summary>
public static class NpyFile
{
    private const int BlockValues = 1 << 20;

    /// <summary>Reads an [N, D] array of float32, or of float64 rounded to float32 (too large ones become infinite).</summary>
    /// <exception cref="FaceDistillException">The file is missing, damaged, or holds another kind of array; the message names it.</exception>
    public static NpyMatrix Read(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            var header = NpyHeader.Read(stream, path);
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
