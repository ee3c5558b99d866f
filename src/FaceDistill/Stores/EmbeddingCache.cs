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
    private const int MostFaces = 1 << 20;
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

    /// <summary>Copies out what is kept of some faces, from parts that were not read before.</summary>
    /// <param name="rows">For each face its row in <paramref name="values"/>; those that are found are taken out.</param>
    /// <param name="values">float32 [rows, D].</param>
    /// <param name="job">Told what was damaged.</param>
    public void Read(Dictionary<ContentHash, int> rows, float[] values, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(rows);
        foreach (string folder in CacheFolder.Roots.Select(root => Path.Combine(root, _name)).Where(Directory.Exists))
        {
            foreach (string file in Directory.EnumerateFiles(folder, "*" + Ending).Order(StringComparer.Ordinal))
            {
                job.Cancel.ThrowIfCancellationRequested();
                if (rows.Count > 0 && _read.Add(file))
                {
                    ReadOrDelete(file, rows, values, job);
                }
            }
        }
    }

    /// <summary>Keeps embeddings.</summary>
    /// <param name="faces">N contents.</param>
    /// <param name="values">float32 [N, D], finite.</param>
    /// <exception cref="FaceDistillException">They cannot be written.</exception>
    public void Add(ReadOnlySpan<ContentHash> faces, ReadOnlySpan<float> values)
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
    }

    private void ReadOrDelete(string file, Dictionary<ContentHash, int> rows, float[] values, JobContext job)
    {
        try
        {
            if (!FileBytes.Patiently(() => ReadPart(file, rows, values)))
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
    private bool ReadPart(string file, Dictionary<ContentHash, int> rows, float[] values)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1);
            Span<byte> start = stackalloc byte[FixedBytes];
            stream.ReadExactly(start);
            int count = BinaryPrimitives.ReadInt32LittleEndian(start[8..]);
            long bodyBytes = (long)count * _dimension * sizeof(float);
            if (!start[..8].SequenceEqual(Mark) || count is < 1 or > MostFaces || BinaryPrimitives.ReadInt32LittleEndian(start[12..]) != _dimension
                || stream.Length != FixedBytes + ((long)count * HashBytes) + bodyBytes + (2 * HashBytes) || bodyBytes > Array.MaxLength)
            {
                return false;
            }

            var head = new byte[FixedBytes + (count * HashBytes) + HashBytes];
            start.CopyTo(head);
            stream.ReadExactly(head.AsSpan(FixedBytes));
            if (ContentHash.Of(head.AsSpan(0, head.Length - HashBytes)) != ContentHash.FromBytes(head.AsSpan(head.Length - HashBytes)))
            {
                return false;
            }

            var wanted = new List<(int Row, int At)>();
            for (int i = 0; i < count; i++)
            {
                if (rows.TryGetValue(ContentHash.FromBytes(head.AsSpan(FixedBytes + (i * HashBytes))), out int row))
                {
                    wanted.Add((row, i));
                }
            }

            if (wanted.Count == 0)
            {
                return true;
            }

            var body = new byte[bodyBytes + HashBytes];
            stream.ReadExactly(body);
            var embeddings = body.AsSpan(0, (int)bodyBytes);
            if (ContentHash.Of(embeddings) != ContentHash.FromBytes(body.AsSpan((int)bodyBytes)))
            {
                return false;
            }

            foreach (var (row, at) in wanted)
            {
                MemoryMarshal.Cast<byte, float>(embeddings).Slice(at * _dimension, _dimension).CopyTo(values.AsSpan(row * _dimension, _dimension));
                rows.Remove(ContentHash.FromBytes(head.AsSpan(FixedBytes + (at * HashBytes))));
            }

            return true;
        }
        catch (EndOfStreamException)
        {
            return false;
        }
    }
}
