using FaceDistill.Teachers;

namespace FaceDistill.Evaluation;

/// <summary>Checks embeddings and scales them to unit length, so that their inner product is the cosine.</summary>
public static class UnitEmbeddings
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
        new($"{set.Name}: the embedding in row {row + 1} ({set.Paths[row]}) {what}; make the embeddings again");
}
