namespace FaceDistill.Distillation;

/// <summary>
/// Centres the teacher's embeddings on their mean and divides them by one scalar, so that the variance of a dimension is 1 on
/// average. The raw ones share a large mean and spread little around it, and a network does not learn that. One scalar
/// for all dimensions keeps the geometry: squared differences only change their unit.
/// </summary>
/// <param name="Mean">float32 [D], the training faces' mean embedding.</param>
/// <param name="Scale">The root of the mean variance of a dimension; above 0.</param>
public sealed record TargetScaling(float[] Mean, float Scale)
{
    /// <summary>Measures the scaling.</summary>
    /// <param name="embeddings">float32 [N, D], row-major.</param>
    /// <param name="dimension">D.</param>
    /// <exception cref="FaceDistillException">The embeddings do not vary.</exception>
    public static TargetScaling Measure(ReadOnlySpan<float> embeddings, int dimension)
    {
        int count = embeddings.Length / dimension;
        var sum = new double[dimension];
        var squares = new double[dimension];
        for (int i = 0; i < embeddings.Length; i += dimension)
        {
            for (int d = 0; d < dimension; d++)
            {
                double value = embeddings[i + d];
                sum[d] += value;
                squares[d] += value * value;
            }
        }

        double variance = 0;
        for (int d = 0; d < dimension; d++)
        {
            sum[d] /= count;
            variance += (squares[d] / count) - (sum[d] * sum[d]);
        }

        float scale = (float)Math.Sqrt(Math.Max(0, variance / dimension));
        return scale > 1e-8f
            ? new TargetScaling([.. sum.Select(m => (float)m)], scale)
            : throw new FaceDistillException("the teacher gives every training face the same embedding; there is nothing to learn");
    }

    /// <summary>Centres and scales one embedding.</summary>
    /// <param name="embedding">float32 [D] in the teacher's space.</param>
    /// <param name="target">Receives float32 [D].</param>
    public void Apply(ReadOnlySpan<float> embedding, Span<float> target)
    {
        for (int d = 0; d < embedding.Length; d++)
        {
            target[d] = (embedding[d] - Mean[d]) / Scale;
        }
    }
}
