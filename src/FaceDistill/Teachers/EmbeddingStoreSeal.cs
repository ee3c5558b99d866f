using System.Buffers.Binary;
using System.Security.Cryptography;

namespace FaceDistill.Teachers;

/// <summary>
/// A checksum of a whole Parquet file inside it, checked before anything in the file is decoded.
/// </summary>
/// <remarks>
/// Parquet.Net 6.1 checks no page checksums, so a flipped bit would pass as an embedding, and some damaged footers make it
/// loop for ever. The seal (8 bytes of mark, SHA-256 of all other bytes) stands between the last page and the footer, where the format
/// leaves room: pages are found by their offset from the start, the footer by its length from the end, so other readers see nothing of it.
/// </remarks>
internal static class EmbeddingStoreSeal
{
    // A Parquet file ends with the footer, the footer's length (4 bytes) and "PAR1".
    private const int TailBytes = 8;
    private const int SealBytes = 8 + SHA256.HashSizeInBytes;

    private static ReadOnlySpan<byte> Mark => "FDSEAL01"u8;

    /// <summary>The file with its seal.</summary>
    /// <param name="parquet">A whole Parquet file.</param>
    public static byte[] Add(ReadOnlySpan<byte> parquet)
    {
        int footer = FooterStart(parquet);
        var file = new byte[parquet.Length + SealBytes];
        parquet[..footer].CopyTo(file);
        Mark.CopyTo(file.AsSpan(footer));
        parquet[footer..].CopyTo(file.AsSpan(footer + SealBytes));
        Hash(file, footer).CopyTo(file.AsSpan(footer + Mark.Length));
        return file;
    }

    /// <summary>Whether the file is one that <see cref="Add"/> gave, byte for byte.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> file)
    {
        int seal = FooterStart(file) - SealBytes;
        return seal >= 0
            && file.Slice(seal, Mark.Length).SequenceEqual(Mark)
            && file.Slice(seal + Mark.Length, SHA256.HashSizeInBytes).SequenceEqual(Hash(file, seal));
    }

    /// <summary>Where the footer begins; -1 when the end is not that of a Parquet file.</summary>
    private static int FooterStart(ReadOnlySpan<byte> file)
    {
        if (file.Length < TailBytes || !file[^4..].SequenceEqual("PAR1"u8))
        {
            return -1;
        }

        uint footer = BinaryPrimitives.ReadUInt32LittleEndian(file[^TailBytes..]);
        return footer <= file.Length - TailBytes ? file.Length - TailBytes - (int)footer : -1;
    }

    private static byte[] Hash(ReadOnlySpan<byte> file, int seal)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(file[..seal]);
        hash.AppendData(file[(seal + SealBytes)..]);
        return hash.GetHashAndReset();
    }
}
