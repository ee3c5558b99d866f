using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;

namespace FaceDistill.Files;

/// <summary>SHA-256 of files.</summary>
internal static class FileHash
{
    /// <summary>The file's SHA-256 as 64 lower-case hexadecimal digits.</summary>
    /// <exception cref="FaceDistillException">The file cannot be read.</exception>
    public static string Sha256(string path)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read {path}: {e.Message}", e);
        }
    }
}

/// <summary>What bytes are known by, wherever they lie and whatever they are called: the first 128 bits of their SHA-256; all 0 where they are not
/// known.</summary>
/// <param name="Bits">The hash's first 16 bytes, the first the highest.</param>
internal readonly record struct ContentHash(UInt128 Bits)
{
    private const int MostAtOnce = 1 << 22;

    /// <summary>Whether no content is known.</summary>
    public bool IsNone => Bits == 0;

    /// <summary>The first 64 bits, from which random draws begin.</summary>
    public long Seed => (long)(ulong)(Bits >> 64);

    /// <summary>Of bytes in memory.</summary>
    public static ContentHash Of(ReadOnlySpan<byte> content)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(content, hash);
        return FromBytes(hash);
    }

    /// <summary>Of a file, or of a part of one: a small one, as most photos and faces are, in one read, a large one a piece at a time.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be.</exception>
    public static ContentHash OfFile(FilePlace place)
    {
        using var file = File.OpenHandle(place.File);
        long length = RandomAccess.GetLength(file);
        place.Check(length);
        length = place.IsWhole ? length : place.Length;
        if (length > MostAtOnce)
        {
            using var stream = place.Open();
            return FromBytes(SHA256.HashData(stream));
        }

        int most = (int)length + (place.IsWhole ? 1 : 0); // a byte more shows that a file has grown
        byte[] bytes = ArrayPool<byte>.Shared.Rent(most);
        try
        {
            int read = 0;
            for (int more; read < most && (more = RandomAccess.Read(file, bytes.AsSpan(read, most - read), place.Offset + read)) > 0; read += more)
            {
            }

            return read == length ? Of(bytes.AsSpan(0, read)) : throw new IOException("it was changed while it was read");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>From the 16 bytes of <see cref="WriteTo"/>, or the beginning of a SHA-256.</summary>
    public static ContentHash FromBytes(ReadOnlySpan<byte> bytes) => new(System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes));

    /// <summary>From 32 hexadecimal digits; false where the text is none.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out ContentHash hash)
    {
        bool whole = UInt128.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits) && text.Length == 32;
        hash = new ContentHash(bits);
        return whole;
    }

    /// <summary>Writes the 16 bytes.</summary>
    public void WriteTo(Span<byte> bytes) => System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes, Bits);

    /// <summary>32 lower-case hexadecimal digits.</summary>
    public override string ToString() => Bits.ToString("x32", CultureInfo.InvariantCulture);
}

/// <summary>Reads files, again where a disk or a network fails for a moment.</summary>
internal static class FileBytes
{
    private static readonly TimeSpan[] Waits = [TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(400)];

    /// <summary>Reads a whole file.</summary>
    /// <exception cref="IOException">Three times.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static byte[] Read(string path) => Patiently(() => File.ReadAllBytes(path));

    /// <summary>Does something that reads, up to three times.</summary>
    /// <exception cref="IOException">Three times, or what was to be read is not there.</exception>
    public static T Patiently<T>(Func<T> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        foreach (var wait in Waits)
        {
            try
            {
                return read();
            }
            catch (IOException e) when (e is not (FileNotFoundException or DirectoryNotFoundException))
            {
                Thread.Sleep(wait);
            }
        }

        return read();
    }
}
