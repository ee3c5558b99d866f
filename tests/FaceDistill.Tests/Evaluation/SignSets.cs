using FaceDistill.Stores;

namespace FaceDistill.Tests.Evaluation;

/// <summary>
/// Sets of sixteen values of +1 or -1: their length is 4, so that scaling and cosines are exact in float32, and with only
/// seventeen possible cosines nearly everything ties.
/// </summary>
internal static class SignSets
{
    public const int Dimension = 16;

    /// <summary>Images "person/row.png"; those of a person are one pattern with some signs changed.</summary>
    public static EmbeddingSet Of(string name, int seed, int images, int people, int changes = 5)
    {
        var random = new Random(seed);
        float[][] patterns = [.. Enumerable.Range(0, people).Select(_ => Signs(random))];
        int[] person = [.. Enumerable.Range(0, images).Select(i => i < people ? i : random.Next(people))];
        float[] values = [.. person.SelectMany(p => Changed(random, patterns[p], changes))];
        return new EmbeddingSet(name, Dimension, values, [.. person.Select((p, i) => $"p{p}/{i}.png")], [.. person.Select(p => $"p{p}")]);
    }

    /// <summary>The same images with some signs changed, in another order and with another extension.</summary>
    public static EmbeddingSet Student(EmbeddingSet teacher, int seed, int changes)
    {
        var random = new Random(seed);
        int[] order = [.. Enumerable.Range(0, teacher.Count)];
        random.Shuffle(order);
        return new EmbeddingSet(
            "student", Dimension, [.. order.SelectMany(row => Changed(random, teacher.Row(row).ToArray(), changes))],
            [.. order.Select(row => Path.ChangeExtension(teacher.Paths[row], ".jpg"))], [.. order.Select(row => teacher.Identities[row])]);
    }

    /// <summary>Cosine of two rows.</summary>
    public static float Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        float sum = 0;
        for (int d = 0; d < Dimension; d++)
        {
            sum += a[d] * b[d];
        }

        return sum / Dimension;
    }

    /// <summary>The smallest threshold with a measured rate up to the target, by trying one just above every score; null where refused.</summary>
    public static float? Threshold(double far, IReadOnlyList<float> impostors) => far * impostors.Count < 1 ? null
        : impostors.Distinct().Order().Select(MathF.BitIncrement)
            .First(threshold => (decimal)impostors.Count(score => score >= threshold) / impostors.Count <= (decimal)far);

    private static float[] Signs(Random random) => [.. Enumerable.Range(0, Dimension).Select(_ => random.Next(2) == 0 ? -1f : 1f)];

    private static float[] Changed(Random random, float[] values, int changes)
    {
        float[] changed = [.. values];
        for (int i = 0; i < changes; i++)
        {
            int d = random.Next(Dimension);
            changed[d] = -changed[d];
        }

        return changed;
    }
}
