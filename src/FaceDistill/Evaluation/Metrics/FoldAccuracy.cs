namespace FaceDistill.Evaluation.Metrics;

/// <summary>A scored pair that belongs to a fold.</summary>
/// <param name="Fold">From 0.</param>
/// <param name="Score">Cosine.</param>
/// <param name="Same">Whether both images show one person.</param>
internal readonly record struct FoldPair(int Fold, float Score, bool Same);

/// <summary>Accuracy over folds: the threshold that is right most often on the other folds is applied to each.</summary>
internal static class FoldAccuracy
{
    /// <summary>Each fold's accuracy, 0..1, and the threshold that gave it.</summary>
    /// <param name="pairs">All pairs, in any order; every fold has one.</param>
    /// <param name="folds">How many folds, at least 2.</param>
    public static (double Accuracy, float Threshold)[] Of(IEnumerable<FoldPair> pairs, int folds)
    {
        FoldPair[] falling = [.. pairs.OrderByDescending(pair => pair.Score)];
        return [.. Enumerable.Range(0, folds).Select(fold =>
        {
            float threshold = BestThreshold(falling.Where(pair => pair.Fold != fold).ToList());
            return (falling.Where(pair => pair.Fold == fold).Average(pair => pair.Score >= threshold == pair.Same ? 1.0 : 0.0), threshold);
        })];
    }

    /// <summary>
    /// The threshold with most right decisions, the smallest where several are equally good; it lies midway between the
    /// lowest score that it accepts and the next lower one.
    /// </summary>
    /// <param name="pairs">By falling score, at least one.</param>
    private static float BestThreshold(List<FoldPair> pairs)
    {
        int right = pairs.Count(pair => !pair.Same); // all rejected
        int best = right;
        float threshold = MathF.BitIncrement(pairs[0].Score);
        for (int i = 0; i < pairs.Count; i++)
        {
            right += pairs[i].Same ? 1 : -1;
            float next = i + 1 < pairs.Count ? pairs[i + 1].Score : -1;
            bool tied = i + 1 < pairs.Count && next == pairs[i].Score;
            if (!tied && right >= best)
            {
                best = right;
                threshold = MathF.Max(MathF.BitIncrement(next), (pairs[i].Score + next) / 2);
            }
        }

        return threshold;
    }
}
