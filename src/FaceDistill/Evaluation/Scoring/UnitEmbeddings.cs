using FaceDistill.Datasets;
using System.Numerics;
using FaceDistill.Embeddings;
using FaceDistill.Stores;

namespace FaceDistill.Evaluation.Scoring;

/// <summary>Checks embeddings and scales them to unit length, so that their inner product is the cosine.</summary>
internal static class UnitEmbeddings
{
    /// <summary>The embeddings divided by their Euclidean lengths (sums in double precision), in a new array.</summary>
    /// <param name="set">The embeddings; not changed.</param>
    /// <param name="order">Which row of the set goes where; null keeps the order.</param>
    /// <returns>float32 [N, D], row-major, each row of length 1 within float rounding.</returns>
    /// <exception cref="FaceDistillException">A value is NaN or infinite, a row is all zeros, or a path comes twice; the
    /// message names the model, the row (from 1) and the path.</exception>
    public static float[] From(EmbeddingSet set, IReadOnlyList<int>? order = null) => ScoredVectors.Of(set, order).Unit();

    /// <summary>Refuses embeddings that have no direction, as <see cref="From"/>.</summary>
    public static void Check(EmbeddingSet set, IReadOnlyList<int>? order = null)
    {
        ArgumentNullException.ThrowIfNull(set);
        CheckPaths(set);
        var loop = Parallel.For(0, order?.Count ?? set.Count, (row, state) =>
        {
            double inverse = CosineScore.InverseLength(set.Row(order?[row] ?? row)); // of NaN NaN, of an infinite value 0, of zeros infinite
            if (!double.IsFinite(inverse) || inverse == 0)
            {
                state.Break(); // rows before it still run, so that the first bad one gets told
            }
        });
        if (loop.LowestBreakIteration is { } bad)
        {
            int row = order?[(int)bad] ?? (int)bad;
            throw Error(set, row, set.Row(row).ContainsAnyExcept(0f) ? "holds a NaN or infinite value" : "is all zeros and has no direction");
        }
    }

    private static void CheckPaths(EmbeddingSet set)
    {
        var seen = new Dictionary<string, int>(set.Count, StringComparer.Ordinal);
        for (int row = 0; row < set.Count; row++)
        {
            if (!seen.TryAdd(set.Paths[row], row))
            {
                throw Error(set, row, $"repeats the path of row {seen[set.Paths[row]] + 1}");
            }
        }
    }

    private static FaceDistillException Error(EmbeddingSet set, int row, string what) =>
        new($"{set.Name}: the embedding in {RowNames.Of(set, row)} {what}; make the embeddings again");
}

/// <summary>
/// Finds the rows of a set by path. Extensions do not count, because aligning may change them, unless a set has two images
/// that differ in nothing else.
/// </summary>
internal sealed class PathIndex
{
    private const int Ambiguous = -2;
    private readonly EmbeddingSet _set;
    private readonly Dictionary<string, int> _exact;
    private readonly Dictionary<string, int> _stems;

    public PathIndex(EmbeddingSet set)
    {
        _set = set;
        _exact = new Dictionary<string, int>(set.Count, StringComparer.Ordinal);
        _stems = new Dictionary<string, int>(set.Count, StringComparer.Ordinal);
        for (int row = 0; row < set.Count; row++)
        {
            _exact.TryAdd(set.Paths[row], row); // UnitEmbeddings refuses a path that comes twice
            string stem = ImagePaths.Stem(set.Paths[row]);
            _stems[stem] = _stems.ContainsKey(stem) ? Ambiguous : row;
        }
    }

    /// <summary>The row of an image, or -1.</summary>
    /// <exception cref="FaceDistillException">Several images fit and none exactly.</exception>
    public int Row(string path)
    {
        foreach (string spelling in ImagePaths.Spellings(path))
        {
            if (_exact.TryGetValue(spelling, out int row) || _stems.TryGetValue(spelling, out row) || _stems.TryGetValue(ImagePaths.Stem(spelling), out row))
            {
                return row != Ambiguous ? row
                    : throw new FaceDistillException(
                        $"{_set.Name}: {path} may be any of several images that differ in their extension; write it with the extension");
            }
        }

        return -1;
    }

    /// <summary>For each row of a set, the row of another that is of the same image.</summary>
    /// <exception cref="FaceDistillException">One of the sets has an image that the other lacks.</exception>
    public static int[] Match(EmbeddingSet set, EmbeddingSet other)
    {
        var index = new PathIndex(other);
        int[] rows = Array.ConvertAll(set.Paths, index.Row);
        int missing = Array.IndexOf(rows, -1);
        if (missing >= 0 || set.Count != other.Count || rows.Distinct().Count() != rows.Length)
        {
            throw new FaceDistillException($"{set.Name} has {set.Count} images and {other.Name} has {other.Count}"
                + $"{(missing < 0 ? "" : $" without {set.Paths[missing]}")}; embed both from the same folder");
        }

        return rows;
    }
}
