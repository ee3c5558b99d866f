using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using FaceDistill.Assets;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Files;

namespace FaceDistill.Stores;

/// <summary>
/// The embeddings that one model gave of one view of faces, each known by its face's content: a folder of the cache that only grows. Folder names, file
/// names and dates decide nothing, so a copied data set computes nothing again and a changed picture is another one.
/// </summary>
/// <remarks>
/// A part, PART.emb, is written whole or not at all: "FDEMB001", int32 N, int32 D, N contents of 16 bytes, then 16 bytes of the SHA-256 of all before; then
/// float32 [N, D] and 16 bytes of its SHA-256; all little-endian but the hashes. What does not fit its hashes is deleted and computed again.
/// </remarks>
internal sealed class EmbeddingCache
{
    private const string Ending = ".emb";
    private const int HashBytes = 16, FixedBytes = 16;
    private const int MostFaces = 1 << 20, PieceBytes = 1 << 18;
    private readonly string _name;
    private readonly int _dimension;
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    /// <summary>Opens the embeddings of a view; nothing is read yet.</summary>
    /// <param name="model">The model.</param>
    /// <param name="frame">The faces' geometry, by which the model's part is cut from them.</param>
    /// <param name="view">The view's name, which tells everything that decides the picture.</param>
    public EmbeddingCache(IEmbedder model, AlignedFrame frame, string view)
    {
        ArgumentNullException.ThrowIfNull(model);
        _dimension = model.Dimension;
        string text = InvariantText.Of($"{ModelHash(model)}|{model.Dimension}|{frame.Size}|{frame.Pad}|{FaceTensor.Version}|{view}");
        string id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
        _name = Path.Combine("embeddings", id); // no name: a run that was moved is the same model
    }

    private static ReadOnlySpan<byte> Mark => "FDEMB001"u8;

    /// <summary>The folder that grows.</summary>
    public string Folder => Path.Combine(CacheFolder.Root, _name);

    /// <summary>SHA-256 of a model with its contract, which decides the embeddings as much as the weights do; 64 hexadecimal digits.</summary>
    public static string ModelHash(IEmbedder model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return ModelHash(model.Hash, model.Contract);
    }

    /// <summary>The same, from the SHA-256 of the model's file and its contract.</summary>
    public static string ModelHash(string file, ModelInputSpec contract) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(file + JsonFile.Serialize(contract))));

    /// <summary>Where the first value lies in a part of so many rows.</summary>
    public static long ValuesAt(int count) => FixedBytes + ((long)count * HashBytes) + HashBytes;

    /// <summary>The bytes of a part.</summary>
    public static long LengthOf(EmbeddingPart part) => ValuesAt(part.Count) + ((long)part.Count * part.RowBytes) + HashBytes;

    /// <summary>Finds what is kept of some faces, in parts that were not read before: each that holds some is compared with its hashes.</summary>
    /// <param name="rows">The faces' contents, each with the number under which its place is kept.</param>
    /// <param name="found">Receives the places.</param>
    /// <param name="job">Told what was damaged.</param>
    public void Find(IReadOnlyDictionary<ContentHash, int> rows, EmbeddingPlaces found, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(found);
        foreach (string folder in CacheFolder.Roots.Select(root => Path.Combine(root, _name)).Where(Directory.Exists))
        {
            foreach (string file in Directory.EnumerateFiles(folder, "*" + Ending).Order(StringComparer.Ordinal))
            {
                job.Cancel.ThrowIfCancellationRequested();
                if (found.Found < rows.Count && _read.Add(file))
                {
                    ReadOrDelete(file, rows, found, job);
                }
            }
        }
    }

    /// <summary>Keeps embeddings.</summary>
    /// <param name="faces">N contents.</param>
    /// <param name="values">float32 [N, D], finite.</param>
    /// <returns>The part that holds them, in their order.</returns>
    /// <exception cref="FaceDistillException">They cannot be written.</exception>
    public EmbeddingPart Add(ReadOnlySpan<ContentHash> faces, ReadOnlySpan<float> values)
    {
        int head = FixedBytes + (faces.Length * HashBytes);
        var part = new byte[head + HashBytes + (values.Length * sizeof(float)) + HashBytes];
        Mark.CopyTo(part);
        BinaryPrimitives.WriteInt32LittleEndian(part.AsSpan(8), faces.Length);
        BinaryPrimitives.WriteInt32LittleEndian(part.AsSpan(12), _dimension);
        for (int i = 0; i < faces.Length; i++)
        {
            faces[i].WriteTo(part.AsSpan(FixedBytes + (i * HashBytes)));
        }

        var id = ContentHash.Of(part.AsSpan(0, head));
        id.WriteTo(part.AsSpan(head));
        var body = part.AsSpan(head + HashBytes, values.Length * sizeof(float));
        MemoryMarshal.AsBytes(values).CopyTo(body);
        ContentHash.Of(body).WriteTo(part.AsSpan(part.Length - HashBytes));
        string file = Path.Combine(Folder, id + Ending);
        AtomicFile.WriteReplaceable(file, part);
        _read.Add(file);
        return new EmbeddingPart(file, faces.Length, _dimension);
    }

    private void ReadOrDelete(string file, IReadOnlyDictionary<ContentHash, int> rows, EmbeddingPlaces found, JobContext job)
    {
        try
        {
            if (!FileBytes.Patiently(() => ReadPart(file, rows, found)))
            {
                job.Say?.Invoke($"{file} is damaged; its embeddings are computed again");
                File.Delete(file);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What cannot be read, or is not ours to delete, may be good tomorrow.
            job.Say?.Invoke($"{file} cannot be read ({e.Message}); embeddings that it holds are computed again");
        }
    }

    // Whether the part is what was written.
    private bool ReadPart(string file, IReadOnlyDictionary<ContentHash, int> rows, EmbeddingPlaces found)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1);
            Span<byte> start = stackalloc byte[FixedBytes];
            stream.ReadExactly(start);
            int count = BinaryPrimitives.ReadInt32LittleEndian(start[8..]);
            var part = new EmbeddingPart(file, count, _dimension);
            if (!start[..8].SequenceEqual(Mark) || count is < 1 or > MostFaces || BinaryPrimitives.ReadInt32LittleEndian(start[12..]) != _dimension
                || stream.Length != LengthOf(part))
            {
                return false;
            }

            var head = new byte[ValuesAt(count)];
            start.CopyTo(head);
            stream.ReadExactly(head.AsSpan(FixedBytes));
            if (ContentHash.Of(head.AsSpan(0, head.Length - HashBytes)) != ContentHash.FromBytes(head.AsSpan(head.Length - HashBytes)))
            {
                return false;
            }

            var wanted = new List<(int Face, int Row)>();
            for (int i = 0; i < count; i++)
            {
                if (rows.TryGetValue(ContentHash.FromBytes(head.AsSpan(FixedBytes + (i * HashBytes))), out int face) && !found.Has(face))
                {
                    wanted.Add((face, i));
                }
            }

            if (wanted.Count == 0)
            {
                return true;
            }

            if (!HasWholeValues(stream, (long)count * part.RowBytes))
            {
                return false;
            }

            found.Add(part, wanted);
            return true;
        }
        catch (EndOfStreamException)
        {
            return false;
        }
    }

    // Hashed a piece at a time: what is wanted of them is read when it is wanted.
    private static bool HasWholeValues(FileStream stream, long bytes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            for (long left = bytes; left > 0;)
            {
                var some = piece.AsSpan(0, (int)Math.Min(left, PieceBytes));
                stream.ReadExactly(some);
                hash.AppendData(some);
                left -= some.Length;
            }

            Span<byte> sum = piece.AsSpan(0, SHA256.HashSizeInBytes), kept = piece.AsSpan(SHA256.HashSizeInBytes, HashBytes);
            hash.GetHashAndReset(sum);
            stream.ReadExactly(kept);
            return kept.SequenceEqual(sum[..HashBytes]);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }
}
