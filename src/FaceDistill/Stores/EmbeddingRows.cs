using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using FaceDistill.Datasets;
using Microsoft.Win32.SafeHandles;

namespace FaceDistill.Stores;

/// <summary>The embeddings that one model gave of one view of N faces, wherever they lie: what only looks at some rows at a time takes these.</summary>
internal interface IEmbeddingRows
{
    /// <summary>The model's name.</summary>
    string Name { get; }

    /// <summary>D, the embedding's length.</summary>
    int Dimension { get; }

    /// <summary>N, the number of faces.</summary>
    int Count { get; }

    /// <summary>Whether there is no model, and all are 0.</summary>
    bool IsNone { get; }

    /// <summary>Whether they are of these faces, in this order.</summary>
    bool AreOf(IReadOnlyList<FaceImage> faces);

    /// <summary>Copies the embedding of one face. Safe for several threads.</summary>
    /// <param name="index">The face's place in the list.</param>
    /// <param name="row">Receives float32 [D].</param>
    /// <exception cref="FaceDistillException">It cannot be read.</exception>
    void Read(int index, Span<float> row);
}

/// <summary>Of faces that train by their identities, without a teacher.</summary>
/// <param name="Count">N.</param>
/// <param name="Dimension">D.</param>
internal sealed record NoEmbeddings(int Count, int Dimension) : IEmbeddingRows
{
    /// <inheritdoc/>
    public string Name => "none";

    /// <inheritdoc/>
    public bool IsNone => true;

    /// <inheritdoc/>
    public bool AreOf(IReadOnlyList<FaceImage> faces) => faces.Count == Count;

    /// <inheritdoc/>
    public void Read(int index, Span<float> row) => row.Clear();
}

/// <summary>Embeddings that stay where the cache keeps them: in memory is one number a face, which says where its row lies.</summary>
internal sealed class KeptEmbeddings : IEmbeddingRows
{
    private readonly IReadOnlyList<FaceImage> _faces;
    private readonly EmbeddingPart[] _parts;
    private readonly OpenParts _files;
    private readonly int[] _firsts; // of each part: the place of its first row among the rows of all parts
    private readonly int[] _places; // of each face

    /// <summary>Takes hold of what was found.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="dimension">D.</param>
    /// <param name="faces">The faces.</param>
    /// <param name="found">Where all their rows lie.</param>
    /// <param name="files">Reads them; to be disposed after the last reading.</param>
    /// <param name="like">Another view of the same faces: rows that lie in the same order, as they usually do, are numbered once for both.</param>
    public KeptEmbeddings(string name, int dimension, IReadOnlyList<FaceImage> faces, EmbeddingPlaces found, OpenParts files, KeptEmbeddings? like)
    {
        (Name, Dimension, _faces, _files) = (name, dimension, faces, files);
        (_parts, _firsts, _places) = ([.. found.Parts], [.. found.Firsts], found.Places);
        if (like is not null && like._firsts.AsSpan().SequenceEqual(_firsts) && like._places.AsSpan().SequenceEqual(_places))
        {
            (_firsts, _places) = (like._firsts, like._places);
        }
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int Dimension { get; }

    /// <inheritdoc/>
    public int Count => _places.Length;

    /// <inheritdoc/>
    public bool IsNone => false;

    /// <inheritdoc/>
    public bool AreOf(IReadOnlyList<FaceImage> faces) =>
        ReferenceEquals(faces, _faces) || (faces.Count == Count && faces.Select(f => f.Hash).SequenceEqual(_faces.Select(f => f.Hash)));

    /// <inheritdoc/>
    public void Read(int index, Span<float> row)
    {
        int part = Array.BinarySearch(_firsts, _places[index]);
        part = part >= 0 ? part : ~part - 1;
        _files.Read(_parts[part], _places[index] - _firsts[part], MemoryMarshal.AsBytes(row[..Dimension]));
    }
}

/// <summary>Where the rows of faces lie, as it is found out.</summary>
/// <param name="faces">N.</param>
internal sealed class EmbeddingPlaces(int faces)
{
    private const int Nowhere = -1;
    private readonly List<int> _firsts = [];
    private int _rows;

    /// <summary>The parts that hold them.</summary>
    public List<EmbeddingPart> Parts { get; } = [];

    /// <summary>The place of each part's first row among the rows of all parts.</summary>
    public IReadOnlyList<int> Firsts => _firsts;

    /// <summary>The place of each face's row among them.</summary>
    public int[] Places { get; } = [.. Enumerable.Repeat(Nowhere, faces)];

    /// <summary>How many faces were found.</summary>
    public int Found { get; private set; }

    /// <summary>Whether a face's row was found.</summary>
    public bool Has(int face) => Places[face] != Nowhere;

    /// <summary>Takes up a part.</summary>
    /// <param name="part">The part.</param>
    /// <param name="rows">Faces with the numbers of their rows in it.</param>
    public void Add(EmbeddingPart part, IEnumerable<(int Face, int Row)> rows)
    {
        Parts.Add(part);
        _firsts.Add(_rows);
        foreach (var (face, row) in rows)
        {
            Found += Has(face) ? 0 : 1;
            Places[face] = _rows + row;
        }

        _rows = checked(_rows + part.Count);
    }
}

/// <summary>A file of the cache that holds embeddings.</summary>
/// <param name="file">The file.</param>
/// <param name="count">Its rows.</param>
/// <param name="dimension">D.</param>
internal sealed class EmbeddingPart(string file, int count, int dimension)
{
    internal SafeFileHandle? Open; // by whom the rows are read, once there is one

    /// <summary>The file.</summary>
    public string File => file;

    /// <summary>Its rows.</summary>
    public int Count => count;

    /// <summary>The bytes of a row.</summary>
    public int RowBytes => dimension * sizeof(float);
}

/// <summary>
/// Reads rows of parts: so many parts stay open as there may be open files, the others are opened for each row. Nothing is mapped into memory: a file that
/// became shorter is an error, not the end of the process, and on Windows it can be deleted.
/// </summary>
/// <param name="most">How many stay open.</param>
internal sealed class OpenParts(int most = 1024) : IDisposable
{
    private readonly ConcurrentBag<EmbeddingPart> _open = [];
    private int _count;

    /// <summary>Reads a row.</summary>
    /// <exception cref="FaceDistillException">The file is not there any more, or not the one that was checked.</exception>
    public void Read(EmbeddingPart part, int row, Span<byte> bytes)
    {
        long offset = EmbeddingCache.ValuesAt(part.Count) + ((long)row * part.RowBytes);
        try
        {
            if (part.Open is { } open)
            {
                Fill(open, offset, bytes);
                return;
            }

            var file = File.OpenHandle(part.File, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.RandomAccess);
            bool kept = false;
            try
            {
                if (RandomAccess.GetLength(file) != EmbeddingCache.LengthOf(part))
                {
                    throw new IOException("it has another length than it had");
                }

                Fill(file, offset, bytes);
                kept = Keep(part, file);
            }
            finally
            {
                if (!kept)
                {
                    file.Dispose();
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException(
                $"{part.File}, which holds embeddings, was changed or deleted while they were read ({e.Message}); run the same again "
                + "(distill goes on with --resume): what is missing is computed again", e);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var part in _open)
        {
            part.Open!.Dispose();
        }
    }

    private bool Keep(EmbeddingPart part, SafeFileHandle file)
    {
        if (Interlocked.Increment(ref _count) <= most && Interlocked.CompareExchange(ref part.Open, file, null) is null)
        {
            _open.Add(part);
            return true;
        }

        Interlocked.Decrement(ref _count);
        return false;
    }

    private static void Fill(SafeFileHandle file, long offset, Span<byte> bytes)
    {
        for (int read, done = 0; done < bytes.Length; done += read)
        {
            read = RandomAccess.Read(file, bytes[done..], offset + done);
            if (read == 0)
            {
                throw new IOException("it ends before the row does");
            }
        }
    }
}
