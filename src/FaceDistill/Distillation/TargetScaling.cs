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
    /// <summary>No centring and no scaling: of a student that has no teacher.</summary>
    /// <param name="dimension">D.</param>
    public static TargetScaling None(int dimension) => new(new float[dimension], 1);

    /// <summary>Measures the scaling.</summary>
    /// <param name="embeddings">float32 [N, D], row-major.</param>
    /// <param name="dimension">D.</param>
    /// <exception cref="FaceDistillException">The embeddings do not vary.</exception>
    public static TargetScaling Measure(ReadOnlySpan<float> embeddings, int dimension)
    {
        int count = embeddings.Length / dimension;
        var mean = new double[dimension];
        for (int i = 0; i < embeddings.Length; i++)
        {
            mean[i % dimension] += (double)embeddings[i] / count;
        }

        // In a second pass: the mean square less the square of the mean would lose small variances beside a large mean.
        double squares = 0, deviations = 0;
        for (int i = 0; i < embeddings.Length; i++)
        {
            double deviation = embeddings[i] - mean[i % dimension];
            deviations += deviation * deviation;
            squares += (double)embeddings[i] * embeddings[i];
        }

        // What varies by less than float32's resolution, 6e-8 of the values, does not vary.
        return deviations > 1e-14 * squares
            ? new TargetScaling([.. mean.Select(m => (float)m)], (float)Math.Sqrt(deviations / embeddings.Length))
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
