using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Files;

namespace FaceDistill.Stores;

/// <summary>N embeddings of one model in memory, with the path and the identity of each face.</summary>
public sealed class EmbeddingSet : IEmbeddingRows
{
    /// <summary>Takes hold of the arrays (no copy).</summary>
    /// <param name="name">The model's name, for tables.</param>
    /// <param name="dimension">D, the embedding's length.</param>
    /// <param name="values">float32 [N, D], row-major.</param>
    /// <param name="paths">N paths, relative to the data set and '/'-separated, each once.</param>
    /// <param name="identities">N identities; empty where unknown.</param>
    /// <exception cref="ArgumentException">The lengths do not fit together.</exception>
    public EmbeddingSet(string name, int dimension, float[] values, string[] paths, string[] identities)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentNullException.ThrowIfNull(identities);
        if (dimension < 1 || values.LongLength != (long)paths.Length * dimension || identities.Length != paths.Length)
        {
            throw new ArgumentException($"{values.LongLength} values, {paths.Length} paths, {identities.Length} identities, dimension {dimension}");
        }

        (Name, Dimension, Values, Paths, Identities) = (name, dimension, values, paths, identities);
    }

    /// <summary>The model's name.</summary>
    public string Name { get; }

    /// <summary>D, the embedding's length.</summary>
    public int Dimension { get; }

    /// <summary>N, the number of faces.</summary>
    public int Count => Paths.Length;

    /// <summary>float32 [N, D], row-major, as the model gave them (not necessarily of unit length).</summary>
    public float[] Values { get; }

    /// <summary>The faces' paths, relative to the data set and '/'-separated.</summary>
    public string[] Paths { get; }

    /// <summary>The faces' identities; empty where unknown.</summary>
    public string[] Identities { get; }

    /// <summary>What each face's aligned picture is known by; null where that is not known, as of a .npy file.</summary>
    internal ContentHash[]? Faces { get; init; }

    /// <summary>What each face's photo is known by, none where it is not known; null as above.</summary>
    internal ContentHash[]? Photos { get; init; }

    /// <summary>What the set's faces are known by (<see cref="FaceSetId"/>); null where their contents are not known.</summary>
    internal string? FacesId => Faces is null ? null : FaceSetId.Of(Faces.Zip(Identities));

    /// <summary>What its photos are known by, however they were aligned; its faces where a photo is not known.</summary>
    internal string? PhotosId => Photos is { Length: > 0 } photos && Array.TrueForAll(photos, p => !p.IsNone) ? FaceSetId.Of(photos.Zip(Identities)) : FacesId;

    /// <summary>SHA-256 of the model with its contract (<see cref="EmbeddingCache.ModelHash(IEmbedder)"/>); null where it is not known.</summary>
    internal string? ModelHash { get; init; }

    /// <summary>The files of the data that gave no face, with the reason.</summary>
    internal IReadOnlyList<(string Path, string Reason)> Skipped { get; init; } = [];

    /// <summary>The paths of faces whose photos show several; null where nobody counted.</summary>
    internal IReadOnlySet<string>? SeveralFaces { get; init; }

    /// <summary>The embedding of face <paramref name="index"/>, float32 [D].</summary>
    public ReadOnlySpan<float> Row(int index) => Values.AsSpan(index * Dimension, Dimension);

    bool IEmbeddingRows.IsNone => !Values.AsSpan().ContainsAnyExcept(0f);

    bool IEmbeddingRows.AreOf(IReadOnlyList<FaceImage> faces) => faces.Select(f => f.Path).SequenceEqual(Paths, StringComparer.Ordinal);

    void IEmbeddingRows.Read(int index, Span<float> row) => Row(index).CopyTo(row);

    /// <summary>Some of the embeddings; a copy.</summary>
    /// <param name="indices">Their places, in the order wanted.</param>
    public EmbeddingSet Of(IReadOnlyList<int> indices) => Of(indices, i => Identities[i]);

    /// <summary>Some of the embeddings under other identities; a copy.</summary>
    /// <param name="indices">Their places, in the order wanted.</param>
    /// <param name="identity">The identity of a place.</param>
    internal EmbeddingSet Of(IReadOnlyList<int> indices, Func<int, string> identity)
    {
        ArgumentNullException.ThrowIfNull(indices);
        var values = new float[(long)indices.Count * Dimension];
        for (int i = 0; i < indices.Count; i++)
        {
            Row(indices[i]).CopyTo(values.AsSpan(i * Dimension));
        }

        return Of(Name, values, [.. indices.Select(i => Paths[i])], [.. indices.Select(identity)],
            Faces is null ? null : [.. indices.Select(i => Faces[i])], Photos is null ? null : [.. indices.Select(i => Photos[i])]);
    }

    /// <summary>The same embeddings under another name; no copy.</summary>
    internal EmbeddingSet Named(string name) => Of(name, Values, Paths, Identities, Faces, Photos);

    /// <summary>The same embeddings, with some of the files that gave no face; no copy.</summary>
    internal EmbeddingSet WithSkipped(Func<string, bool> of) =>
        Of(Name, Values, Paths, Identities, Faces, Photos, [.. Skipped.Where(file => of(file.Path))]);

    private EmbeddingSet Of(
        string name, float[] values, string[] paths, string[] identities, ContentHash[]? faces, ContentHash[]? photos,
        IReadOnlyList<(string Path, string Reason)>? skipped = null) =>
        new(name, Dimension, values, paths, identities)
        {
            Faces = faces,
            Photos = photos,
            ModelHash = ModelHash,
            Skipped = skipped ?? Skipped,
            SeveralFaces = SeveralFaces,
        };
}
