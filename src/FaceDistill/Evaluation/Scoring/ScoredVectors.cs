using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FaceDistill.Datasets;
using FaceDistill.Evaluation.Results;
using FaceDistill.Stores;

namespace FaceDistill.Evaluation.Scoring;

/// <summary>Vectors ready for <see cref="PairTiles"/>: what is multiplied, and how a product becomes a score.</summary>
/// <param name="Values">float32 [N, D], row-major.</param>
/// <param name="Dimension">D.</param>
/// <param name="Squares">float32 [N], the rows' squared lengths where the score is minus their distance; null where it is
/// the product itself.</param>
internal sealed record ScoredVectors(float[] Values, int Dimension, float[]? Squares)
{
    /// <summary>The embeddings of a set in an order.</summary>
    /// <exception cref="FaceDistillException">An embedding is unusable, see <see cref="UnitEmbeddings.From"/>; or too long
    /// or too short for distances in float32.</exception>
    public static ScoredVectors Of(EmbeddingSet set, IReadOnlyList<int> order, ScoreKind kind)
    {
        float[] values = UnitEmbeddings.From(set, order); // also refuses unusable ones, so for distances too
        if (kind == ScoreKind.Cosine)
        {
            return new ScoredVectors(values, set.Dimension, null);
        }

        Centre(set, order, values);
        return ForDistance(set, order, values);
    }

    /// <summary>
    /// A distance does not change when all vectors are moved by the same: from the mean, which takes away what
    /// |a|^2 + |b|^2 - 2ab would otherwise lose to cancellation when the embeddings share a large offset.
    /// </summary>
    private static void Centre(EmbeddingSet set, IReadOnlyList<int> order, float[] target)
    {
        double[] mean = new double[set.Dimension];
        for (int row = 0; row < set.Count; row++)
        {
            var values = set.Row(row);
            for (int d = 0; d < mean.Length; d++)
            {
                mean[d] += values[d] / (double)set.Count;
            }
        }

        for (int row = 0; row < order.Count; row++)
        {
            var values = set.Row(order[row]);
            for (int d = 0; d < mean.Length; d++)
            {
                target[(row * mean.Length) + d] = (float)(values[d] - mean[d]);
            }
        }
    }

    private static ScoredVectors ForDistance(EmbeddingSet set, IReadOnlyList<int> order, float[] values)
    {
        // Sums of four such squares must neither overflow nor sink into the subnormal numbers.
        const double most = 1e37, least = 1e-30;
        double[] squares = new double[order.Count];
        for (int row = 0; row < squares.Length; row++)
        {
            foreach (float value in values.AsSpan(row * set.Dimension, set.Dimension))
            {
                squares[row] += (double)value * value;
            }
        }

        double largest = squares.Max();
        if (largest > most)
        {
            int row = order[Array.IndexOf(squares, largest)];
            throw new FaceDistillException($"{set.Name}: the embedding in {RowNames.Of(set, row)} is too long "
                + "for Euclidean distances in float32; scale the embeddings, or score by cosine");
        }

        return largest is >= least or 0 ? new ScoredVectors(values, set.Dimension, Array.ConvertAll(squares, square => (float)square))
            : throw new FaceDistillException(
                $"{set.Name}: all embeddings lie too close together for Euclidean distances in float32; scale them, or score by cosine");
    }
}

/// <summary>Checks embeddings and scales them to unit length, so that their inner product is the cosine.</summary>
internal static class UnitEmbeddings
{
    /// <summary>The embeddings divided by their Euclidean lengths (sums in double precision), in a new array.</summary>
    /// <param name="set">The embeddings; not changed.</param>
    /// <param name="order">Which row of the set goes where; null keeps the order.</param>
    /// <returns>float32 [N, D], row-major, each row of length 1 within float rounding.</returns>
    /// <exception cref="FaceDistillException">A value is NaN or infinite, a row is all zeros, or a path comes twice; the
    /// message names the model, the row (from 1) and the path.</exception>
    public static float[] From(EmbeddingSet set, IReadOnlyList<int>? order = null)
    {
        ArgumentNullException.ThrowIfNull(set);
        CheckPaths(set);
        int rows = order?.Count ?? set.Count;
        float[] unit = new float[(long)rows * set.Dimension];
        var loop = Parallel.For(0, rows, (row, state) =>
        {
            if (!Scale(set.Row(order?[row] ?? row), unit.AsSpan(row * set.Dimension, set.Dimension)))
            {
                state.Break(); // rows before it still run, so that the first bad one gets told
            }
        });
        if (loop.LowestBreakIteration is { } bad)
        {
            int row = order?[(int)bad] ?? (int)bad;
            throw Error(set, row, set.Row(row).ContainsAnyExcept(0f) ? "holds a NaN or infinite value" : "is all zeros and has no direction");
        }

        return unit;
    }

    private static bool Scale(ReadOnlySpan<float> values, Span<float> target)
    {
        double squares = 0;
        foreach (float value in values)
        {
            squares += (double)value * value; // no overflow: (2^128)^2 fits a double
        }

        double length = Math.Sqrt(squares);
        for (int i = 0; i < target.Length; i++)
        {
            target[i] = (float)(values[i] / length);
        }

        return double.IsFinite(length) && length > 0;
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

/// <summary>Takes rows out of a set.</summary>
internal static class EmbeddingRows
{
    /// <summary>The rows as a set of their own, in the given order.</summary>
    /// <param name="set">The set; not changed.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="identity">The identity of a row.</param>
    public static EmbeddingSet Take(EmbeddingSet set, IReadOnlyList<int> rows, Func<int, string> identity) => new(
        set.Name,
        set.Dimension,
        Values(set.Values, set.Dimension, rows),
        [.. rows.Select(row => set.Paths[row])],
        [.. rows.Select(identity)]);

    /// <summary>Rows of a matrix, in the given order: float32 [rows.Count, D], row-major.</summary>
    public static float[] Values(float[] values, int dimension, IReadOnlyList<int> rows)
    {
        float[] taken = new float[(long)rows.Count * dimension];
        for (int i = 0; i < rows.Count; i++)
        {
            values.AsSpan(rows[i] * dimension, dimension).CopyTo(taken.AsSpan(i * dimension));
        }

        return taken;
    }
}

/// <summary>Turns inner products into minus the Euclidean distance: |a - b|^2 = |a|^2 + |b|^2 - 2ab.</summary>
/// <remarks>
/// That formula loses digits where the distance is small beside the lengths. So where it gives less than a sixteenth of
/// |a|^2 + |b|^2, the distance is taken from the differences of the two vectors instead. A squared distance is then off by at
/// most some sixteen roundings of the product: a relative error of the distance of the order of 1e-6.
/// </remarks>
/// <param name="vectors">The vectors, with their squared lengths.</param>
internal sealed class EuclideanScores(ScoredVectors vectors)
{
    private const float Near = 1f / 16;
    private readonly float[] _squares = vectors.Squares ?? throw new ArgumentException("no squared lengths", nameof(vectors));

    /// <summary>Turns products of one row with consecutive rows into scores, in place.</summary>
    /// <param name="row">The row.</param>
    /// <param name="column">The first of the other rows.</param>
    /// <param name="products">float32 [other rows].</param>
    public void Apply(int row, int column, Span<float> products)
    {
        ref float first = ref MemoryMarshal.GetReference(products);
        ref float squares = ref _squares[column];
        float own = _squares[row];
        var owns = Vector512.Create(own);
        int i = 0;
        for (; i <= products.Length - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            var sum = owns + Vector512.LoadUnsafe(ref squares, (nuint)i);
            var product = Vector512.LoadUnsafe(ref first, (nuint)i);
            var squared = sum - (product + product);
            Vector512.StoreUnsafe(-Vector512.Sqrt(squared), ref first, (nuint)i); // the near ones, maybe NaN, are replaced
            ulong near = Vector512.LessThan(squared, sum * Near).ExtractMostSignificantBits();
            for (; near != 0; near &= near - 1)
            {
                int at = i + BitOperations.TrailingZeroCount(near);
                products[at] = Direct(row, column + at);
            }
        }

        for (; i < products.Length; i++)
        {
            float sum = own + _squares[column + i];
            float squared = sum - (products[i] + products[i]);
            products[i] = squared < sum * Near ? Direct(row, column + i) : -MathF.Sqrt(squared);
        }
    }

    private float Direct(int a, int b) => -TensorPrimitives.Distance(Row(a), Row(b));

    private ReadOnlySpan<float> Row(int row) => vectors.Values.AsSpan(row * vectors.Dimension, vectors.Dimension);
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
            string stem = Stem(set.Paths[row]);
            _stems[stem] = _stems.ContainsKey(stem) ? Ambiguous : row;
        }
    }

    /// <summary>The row of an image, or -1.</summary>
    /// <exception cref="FaceDistillException">Several images fit and none exactly.</exception>
    public int Row(string path)
    {
        foreach (string spelling in ImagePaths.Spellings(path))
        {
            if (_exact.TryGetValue(spelling, out int row) || _stems.TryGetValue(spelling, out row) || _stems.TryGetValue(Stem(spelling), out row))
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

    private static string Stem(string path) => Path.ChangeExtension(path, null);
}
