namespace FaceDistill.Evaluation;

/// <summary>
/// The rule by which a permitted false accept rate becomes a threshold: with p false accepts permitted, the impostor score of
/// rank p + 1 must be rejected, and with it all that tie with it; so the smallest threshold is the next float above it.
/// </summary>
internal static class ExactThreshold
{
    /// <summary>The threshold; null where the number of impostor scores permits no false accept.</summary>
    public static float? Of(double far, long impostors, ImpostorTail tail)
    {
        long permitted = FarTargets.Permitted(far, impostors);
        return permitted < 1 ? null : MathF.BitIncrement(tail.ScoreAt(permitted + 1));
    }

    /// <summary>How many impostor scores reach a threshold of this rule.</summary>
    public static long FalseAccepts(float threshold, ImpostorTail tail) => tail.CountAbove(MathF.BitDecrement(threshold));

    /// <summary>What genuine scores reach at a rate; null where it is refused.</summary>
    public static FarPoint? Point(double far, long impostors, float[] genuine, ImpostorTail tail)
    {
        if (Of(far, impostors, tail) is not { } threshold)
        {
            return null;
        }

        long accepted = CountAtLeast(genuine, threshold);
        return new FarPoint(far, threshold, FalseAccepts(threshold, tail), accepted, (double)accepted / genuine.Length);
    }

    /// <summary>An empty tail that reaches far enough for these rates.</summary>
    public static ImpostorTail TailFor(IReadOnlyList<double> fars, long impostors, int workers)
    {
        const long small = 1 << 20; // 4 MB
        return new ImpostorTail(fars.Max(far => FarTargets.Permitted(far, impostors)) + 1, workers, small);
    }

    private static long CountAtLeast(ReadOnlySpan<float> scores, float threshold)
    {
        long count = 0;
        foreach (float score in scores)
        {
            count += score >= threshold ? 1 : 0;
        }

        return count;
    }

    /// <summary>The tail of scores that are all at hand.</summary>
    public static ImpostorTail TailOf(float[] scores, IReadOnlyList<double> fars)
    {
        var tail = TailFor(fars, scores.LongLength, 1);
        tail.Add(0, scores);
        return tail;
    }
}
