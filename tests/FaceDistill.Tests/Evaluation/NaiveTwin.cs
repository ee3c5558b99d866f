using FaceDistill.Evaluation.Results;

namespace FaceDistill.Tests.Evaluation;

/// <summary>All-pairs scoring as its definition reads: a double loop, a sorted list, a search for the smallest threshold.</summary>
internal static class NaiveTwin
{
    /// <param name="vectors">float32 [N, D], scored by cosine.</param>
    /// <param name="dimension">D.</param>
    /// <param name="identities">N identities, in the order of the vectors.</param>
    /// <param name="fars">The rates.</param>
    public static RatesAtFar Score(float[] vectors, int dimension, string[] identities, double[] fars)
    {
        var genuine = new List<float>();
        var impostor = new List<float>();
        for (int i = 0; i < identities.Length; i++)
        {
            for (int j = i + 1; j < identities.Length; j++)
            {
                float score = Naive.Cosine(vectors.AsSpan(i * dimension, dimension), vectors.AsSpan(j * dimension, dimension));
                (identities[i] == identities[j] ? genuine : impostor).Add(score);
            }
        }

        float[] sorted = [.. impostor];
        Array.Sort(sorted);
        return new RatesAtFar(
            identities.Length,
            identities.Distinct().Count(),
            genuine.Count,
            impostor.Count,
            fars,
            [.. fars.Select(far => Point(far, genuine, sorted))]);
    }

    /// <summary>
    /// The false accept rate changes only just above an impostor score, so these and the lowest float are all the
    /// thresholds to try, from the smallest on.
    /// </summary>
    private static FarPoint? Point(double far, List<float> genuine, float[] sorted)
    {
        if (far * sorted.Length < 1)
        {
            return null;
        }

        for (int i = 0; i < sorted.Length; i++)
        {
            float threshold = MathF.BitIncrement(sorted[i]);
            if (i + 1 < sorted.Length && sorted[i + 1] == sorted[i])
            {
                continue;
            }

            long accepted = sorted.Length - i - 1;
            if ((decimal)accepted / sorted.Length <= (decimal)far)
            {
                long right = genuine.Count(score => score >= threshold);
                return new FarPoint(far, threshold, accepted, right, (double)right / genuine.Count);
            }
        }

        throw new InvalidOperationException("no threshold");
    }
}
