using FaceDistill.Teachers;

namespace FaceDistill.Evaluation;

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
