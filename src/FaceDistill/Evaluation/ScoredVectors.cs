using FaceDistill.Teachers;

namespace FaceDistill.Evaluation;

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
            throw new FaceDistillException($"{set.Name}: the embedding in row {row + 1} ({set.Paths[row]}) is too long "
                + "for Euclidean distances in float32; scale the embeddings, or score by cosine");
        }

        return largest is >= least or 0 ? new ScoredVectors(values, set.Dimension, Array.ConvertAll(squares, square => (float)square))
            : throw new FaceDistillException($"{set.Name}: all embeddings lie too close together for Euclidean distances in float32; scale them, or score by cosine");
    }
}
