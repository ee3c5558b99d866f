using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Stores;

namespace FaceDistill.Evaluation.Metrics;

/// <summary>
/// Scores every pair of N faces once, and keeps what exact thresholds need: the genuine scores, and the highest of the impostors'.
/// </summary>
/// <remarks>
/// Time is that of half an N x N x D matrix product and one look at each score; memory is the embeddings, all genuine scores, and about twice the impostor
/// scores that the largest rate permits. Nothing is rounded into bins, and equal pairs have equal scores: see <see cref="ScoredVectors"/>.
/// </remarks>
internal sealed class ThresholdPass
{
    private const long SmallTail = 1 << 20; // 4 MB

    private ThresholdPass(IdentityGroups groups, float[] genuine, TopImpostorScores tail) => (Groups, Genuine, Tail) = (groups, genuine, tail);

    /// <summary>Who is who.</summary>
    public IdentityGroups Groups { get; }

    /// <summary>All genuine scores: for each row in the order of the groups, those with the later rows of its group.</summary>
    public float[] Genuine { get; }

    /// <summary>The highest impostor scores.</summary>
    public TopImpostorScores Tail { get; }

    /// <summary>Scores all pairs of a set.</summary>
    /// <param name="set">The embeddings, of any length other than zero, each with its identity.</param>
    /// <param name="fars">The false accept rates; null for <see cref="FarTargets.Default"/>.</param>
    /// <param name="score">How two embeddings make a score.</param>
    /// <param name="job">Told after each tile of pairs.</param>
    /// <exception cref="FaceDistillException">An embedding is unusable (for distances in float32 also one that is too long or too short), an identity is
    /// missing, or there is no genuine or no impostor pair.</exception>
    public static RatesAtFar Score(EmbeddingSet set, IReadOnlyList<double>? fars = null, ScoreKind score = ScoreKind.Cosine, JobContext? job = null)
    {
        ArgumentNullException.ThrowIfNull(set);
        var groups = IdentityGroups.Of(set);
        return Score(ScoredVectors.Of(set, groups.Order, score), groups, fars ?? FarTargets.Default, job);
    }

    /// <summary>Scores all pairs of vectors, and finds the thresholds at false accept rates.</summary>
    public static RatesAtFar Score(ScoredVectors vectors, IdentityGroups groups, IReadOnlyList<double> fars, JobContext? job = null)
    {
        FarTargets.Check(fars);
        return At(vectors, groups, Ranks(fars, groups.ImpostorPairs), job ?? JobContext.None).Result(fars);
    }

    /// <summary>Scores all pairs.</summary>
    /// <param name="vectors">In the order of the groups.</param>
    /// <param name="groups">Who is who.</param>
    /// <param name="ranks">The lowest rank (from 1) of an impostor score that will be asked for.</param>
    /// <param name="job">Told after each tile.</param>
    public static ThresholdPass At(
        ScoredVectors vectors, IdentityGroups groups, long ranks, JobContext job)
    {
        float bound = LikelyBound(vectors, groups, ranks);
        return TryAt(vectors, groups, ranks, bound, job) ?? TryAt(vectors, groups, ranks, float.NegativeInfinity, job)!;
    }

    /// <summary>All that <see cref="At"/> gives; null where fewer impostor scores than are wanted lie above the bound.</summary>
    private static ThresholdPass? TryAt(ScoredVectors vectors, IdentityGroups groups, long ranks, float bound, JobContext job)
    {
        var tail = new TopImpostorScores(ranks, TileRows.Workers, SmallTail, bound);
        float[] genuine = new float[groups.GenuinePairs];
        using var tiles = new PairTiles(vectors);
        var selection = new TileSelection(vectors, groups, genuine, tail);
        long done = 0;
        foreach (var tile in tiles.All())
        {
            job.Cancel.ThrowIfCancellationRequested();
            done += selection.Take(tile, tiles);
            job.Progress?.Report(new WorkProgress("scoring", done, genuine.Length + groups.ImpostorPairs, "pairs"));
        }

        return tail.Complete ? new ThresholdPass(groups, genuine, tail) : null;
    }

    /// <summary>
    /// A score that half as many impostors again as are wanted most likely exceed, from the pairs of some faces; minus infinity where that says nothing. It
    /// saves asking for the scores of many pairs that the tail would let go of later; where it is too high, all is done again without it.
    /// </summary>
    private static float LikelyBound(ScoredVectors vectors, IdentityGroups groups, long ranks)
    {
        const int faces = 1024;
        if (vectors.Unit is null || vectors.Count < 4 * faces)
        {
            return float.NegativeInfinity;
        }

        int[] some = [.. Enumerable.Range(0, faces).Select(i => (int)((long)i * vectors.Count / faces))];
        int[] others = [.. some.Select(row => Array.BinarySearch(some, groups.End[row])).Select(at => at < 0 ? ~at : at)];
        double pairs = others.Sum(first => (double)(faces - first));
        double expected = pairs * ranks / groups.ImpostorPairs, wanted = (1.5 * expected) + (6 * Math.Sqrt(expected)) + 16;
        if (wanted * 4 > pairs)
        {
            return float.NegativeInfinity;
        }

        var sample = new TopImpostorScores((long)wanted, 1, SmallTail);
        using var tiles = new PairTiles(vectors.Of(some));
        foreach (var tile in tiles.All())
        {
            tiles.MultiplyFast(tile);
            for (int i = 0; i < tile.Rows; i++)
            {
                int first = Math.Max(others[tile.Row + i], tile.Column) - tile.Column;
                sample.Add(0, tiles.Scores.AsSpan((i * tile.Columns) + first, Math.Max(0, tile.Columns - first)));
            }
        }

        return sample.ScoreAt((long)wanted);
    }

    /// <summary>The lowest rank that the thresholds at these rates need.</summary>
    public static long Ranks(IReadOnlyList<double> fars, long impostorPairs) =>
        fars.Max(far => FarTargets.Permitted(far, impostorPairs)) + 1;

    /// <summary>The thresholds at these rates, and what they accept.</summary>
    public RatesAtFar Result(IReadOnlyList<double> fars) => new(
        Groups.Order.Length, Groups.Identities, Genuine.Length, Groups.ImpostorPairs, [.. fars],
            [.. fars.Select(far => ExactThreshold.Point(far, Groups.ImpostorPairs, Genuine, Tail))]);
}

/// <summary>
/// The rule by which a permitted false accept rate becomes a threshold: with p false accepts permitted, the impostor score of
/// rank p + 1 must be rejected, and with it all that tie with it; so the smallest threshold is the next float above it.
/// </summary>
internal static class ExactThreshold
{
    /// <summary>The threshold; null where the number of impostor scores permits no false accept.</summary>
    public static float? Of(double far, long impostors, TopImpostorScores tail)
    {
        long permitted = FarTargets.Permitted(far, impostors);
        return permitted < 1 ? null : MathF.BitIncrement(tail.ScoreAt(permitted + 1));
    }

    /// <summary>How many impostor scores reach a threshold of this rule.</summary>
    public static long FalseAccepts(float threshold, TopImpostorScores tail) => tail.CountAbove(MathF.BitDecrement(threshold));

    /// <summary>What genuine scores reach at a rate; null where it is refused.</summary>
    public static FarPoint? Point(double far, long impostors, float[] genuine, TopImpostorScores tail)
    {
        if (Of(far, impostors, tail) is not { } threshold)
        {
            return null;
        }

        long accepted = CountAtLeast(genuine, threshold);
        return new FarPoint(far, threshold, FalseAccepts(threshold, tail), accepted, (double)accepted / genuine.Length);
    }

    /// <summary>An empty tail that reaches far enough for these rates.</summary>
    public static TopImpostorScores TailFor(IReadOnlyList<double> fars, long impostors, int workers)
    {
        const long small = 1 << 20; // 4 MB
        return new TopImpostorScores(fars.Max(far => FarTargets.Permitted(far, impostors)) + 1, workers, small);
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
    public static TopImpostorScores TailOf(float[] scores, IReadOnlyList<double> fars)
    {
        var tail = TailFor(fars, scores.LongLength, 1);
        tail.Add(0, scores);
        return tail;
    }
}
