using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Stores;

namespace FaceDistill.Evaluation.Metrics;

/// <summary>
/// Scores every pair of N faces, and keeps what exact thresholds need: the genuine scores, and the highest of the impostors'.
/// </summary>
/// <remarks>
/// Time is that of half an N x N x D matrix product and one look at each score; memory is the embeddings, all genuine scores, and about twice the impostor
/// scores that the largest rate permits, but no more than <see cref="MostHeld"/>: ranks that would need more are found by a second look
/// (<see cref="DeepRanks"/>). Nothing is rounded into bins, and equal pairs have equal scores: see <see cref="ScoredVectors"/>.
/// </remarks>
internal sealed class ThresholdPass
{
    /// <summary>The most impostor scores that are held.</summary>
    public const long MostHeld = EvaluationOptions.UsualHeld;

    private const long SmallTail = 1 << 20; // 4 MB

    private ThresholdPass(ScoredPairs pairs, float[] genuine, TopImpostorScores tail, DeepRanks? deep) =>
        (Pairs, Genuine, Tail, Deep) = (pairs, genuine, tail, deep);

    /// <summary>Which pairs were scored.</summary>
    public ScoredPairs Pairs { get; }

    /// <summary>Who is who.</summary>
    public IdentityGroups Groups => Pairs.Groups;

    /// <summary>All genuine scores: for each row in the order of the groups, those with the later rows of its group.</summary>
    public float[] Genuine { get; }

    /// <summary>The highest impostor scores.</summary>
    public TopImpostorScores Tail { get; }

    /// <summary>Of ranks beyond them; null where none was asked for.</summary>
    public DeepRanks? Deep { get; }

    /// <summary>All ranks that were asked for, after <see cref="Finish"/>.</summary>
    public IRankedScores Ranked => Deep is null ? Tail : Deep;

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
    public static RatesAtFar Score(ScoredVectors vectors, IdentityGroups groups, IReadOnlyList<double> fars, JobContext? job = null) =>
        Score(new ScoredPairs(vectors, vectors, groups), fars, job);

    /// <summary>Scores all pairs, and finds the thresholds at false accept rates.</summary>
    /// <param name="pairs">The pairs.</param>
    /// <param name="fars">The false accept rates.</param>
    /// <param name="job">Told after each tile.</param>
    /// <param name="stage">What it calls the work.</param>
    /// <param name="held">The most impostor scores to hold.</param>
    public static RatesAtFar Score(ScoredPairs pairs, IReadOnlyList<double> fars, JobContext? job = null, string stage = "scoring", long held = MostHeld)
    {
        FarTargets.Check(fars);
        job ??= JobContext.None;
        var pass = At(pairs, [.. AllRanks(fars, pairs.Impostors)], job, stage, held);
        pass.Finish(job, stage);
        return pass.Result(fars);
    }

    /// <summary>Scores all pairs of vectors, for all ranks up to one.</summary>
    /// <param name="vectors">In the order of the groups.</param>
    /// <param name="groups">Who is who.</param>
    /// <param name="ranks">The lowest rank (from 1) of an impostor score that will be asked for.</param>
    /// <param name="job">Told after each tile.</param>
    public static ThresholdPass At(ScoredVectors vectors, IdentityGroups groups, long ranks, JobContext job)
    {
        var pass = At(new ScoredPairs(vectors, vectors, groups), [ranks], job);
        pass.Finish(job);
        return pass;
    }

    /// <summary>Scores all pairs. Where <see cref="Deep"/> is not null, a second look must follow: <see cref="Finish"/>, or that of the metrics.</summary>
    /// <param name="pairs">The pairs.</param>
    /// <param name="ranks">The ranks (from 1) of the impostor scores that will be asked for.</param>
    /// <param name="job">Told after each tile.</param>
    /// <param name="stage">What it calls the work.</param>
    /// <param name="held">The most impostor scores to hold.</param>
    public static ThresholdPass At(ScoredPairs pairs, IReadOnlyList<long> ranks, JobContext job, string stage = "scoring", long held = MostHeld)
    {
        long[] deep = [.. ranks.Where(rank => IsDeep(rank, held))];
        long top = ranks.Except(deep).DefaultIfEmpty(1).Max();
        float bound = LikelyBound(pairs, top), floor = deep.Length == 0 ? bound : LikelyBound(pairs, deep.Max());
        const float all = float.NegativeInfinity;
        return TryAt(pairs, top, deep, bound, floor, job, stage) ?? TryAt(pairs, top, deep, all, all, job, stage)!;
    }

    /// <summary>Whether a rank is too deep for all scores up to it to be held.</summary>
    public static bool IsDeep(long rank, long held = MostHeld) => rank > held / 2;

    /// <summary>The first look; null where fewer impostor scores than are wanted lie above the bounds.</summary>
    private static ThresholdPass? TryAt(ScoredPairs pairs, long top, long[] ranks, float bound, float floor, JobContext job, string stage)
    {
        var tail = new TopImpostorScores(top, TileRows.Workers, SmallTail, bound);
        var deep = ranks.Length == 0 ? null : new DeepRanks(pairs, ranks, tail, floor, TileRows.Workers);
        float[] genuine = new float[pairs.Genuine];
        using var tiles = pairs.Tiles();
        var selection = new TileSelection(pairs, genuine, tail, deep);
        long done = 0;
        foreach (var tile in tiles.All())
        {
            job.Cancel.ThrowIfCancellationRequested();
            done += selection.Take(tile, tiles);
            job.Progress?.Report(new WorkProgress(stage, done, pairs.Genuine + pairs.Impostors, "pairs"));
        }

        return tail.Complete && deep?.Pin() != false ? new ThresholdPass(pairs, genuine, tail, deep) : null;
    }

    /// <summary>
    /// A score that half as many impostors again as are wanted most likely exceed, from the pairs of some faces; minus infinity where that says nothing. It
    /// saves asking for the scores of many pairs that the tail would let go of later; where it is too high, all is done again without it.
    /// </summary>
    private static float LikelyBound(ScoredPairs pairs, long ranks)
    {
        const int faces = 1024;
        int count = pairs.Rows.Count;
        if (!pairs.Rows.Cosine || count < 4 * faces)
        {
            return float.NegativeInfinity;
        }

        var some = pairs.Of([.. Enumerable.Range(0, faces).Select(i => (int)((long)i * count / faces))]);
        double expected = (double)some.Impostors * ranks / pairs.Impostors, wanted = (1.5 * expected) + (6 * Math.Sqrt(expected)) + 16;
        return wanted * 4 > some.Impostors ? float.NegativeInfinity
            : TryAt(some, (long)wanted, [], float.NegativeInfinity, 0, JobContext.None, "")!.Tail.ScoreAt((long)wanted);
    }

    /// <summary>The second look at all pairs, where a rank needs one and none has looked yet.</summary>
    public void Finish(JobContext job, string stage = "scoring")
    {
        if (Deep is null or { Done: true })
        {
            return;
        }

        using var tiles = Pairs.Tiles();
        bool exact = !Pairs.Rows.Cosine;
        long done = 0, all = Pairs.Genuine + Pairs.Impostors;
        foreach (var tile in tiles.All())
        {
            job.Cancel.ThrowIfCancellationRequested();
            if (exact)
            {
                tiles.Multiply(tile);
            }
            else
            {
                tiles.MultiplyFast(tile);
            }

            long asked = 0;
            TileRows.ForEach(tile.Rows, (_, i) =>
            {
                var scores = tiles.Scores.AsSpan(i * tile.Columns, tile.Columns);
                var (first, end, second) = Pairs.ImpostorColumns(tile, tile.Row + i);
                Interlocked.Add(ref asked, Deep.Take(tile.Row + i, first, scores[..(end - first)], exact)
                    + Deep.Take(tile.Row + i, second, scores[(second - first)..], exact));
            });
            exact |= asked * TileSelection.ManyInverse > (long)tile.Rows * tile.Columns; // scores gather in a window
            done += TileRows.Pairs(tile, Pairs.Twice);
            job.Progress?.Report(new WorkProgress($"{stage} again", done, all, "pairs"));
        }

        Deep.Finish();
    }

    /// <summary>The lowest rank that the thresholds at these rates need.</summary>
    public static long Ranks(IReadOnlyList<double> fars, long impostorPairs) => AllRanks(fars, impostorPairs).Max();

    /// <summary>The ranks that they need.</summary>
    public static IEnumerable<long> AllRanks(IEnumerable<double> fars, long impostorPairs) => fars.Select(far => FarTargets.Permitted(far, impostorPairs) + 1);

    /// <summary>The thresholds at these rates, and what they accept. A rate needs as many pairs of faces as within one model: that each is scored twice makes
    /// no more of them.</summary>
    public RatesAtFar Result(IReadOnlyList<double> fars) => new(Groups.Order.Length, Groups.Identities, Genuine.Length, Pairs.Impostors, [.. fars],
        [.. fars.Select(far => FarTargets.Permitted(far, Groups.ImpostorPairs) < 1 ? null : ExactThreshold.Point(far, Pairs.Impostors, Genuine, Ranked))]);
}

/// <summary>
/// The rule by which a permitted false accept rate becomes a threshold: with p false accepts permitted, the impostor score of
/// rank p + 1 must be rejected, and with it all that tie with it; so the smallest threshold is the next float above it.
/// </summary>
internal static class ExactThreshold
{
    /// <summary>The threshold; null where the number of impostor scores permits no false accept.</summary>
    public static float? Of(double far, long impostors, IRankedScores tail)
    {
        long permitted = FarTargets.Permitted(far, impostors);
        return permitted < 1 ? null : MathF.BitIncrement(tail.ScoreAt(permitted + 1));
    }

    /// <summary>How many impostor scores reach a threshold of this rule.</summary>
    public static long FalseAccepts(float threshold, IRankedScores tail) => tail.CountAbove(MathF.BitDecrement(threshold));

    /// <summary>What genuine scores reach at a rate; null where it is refused.</summary>
    public static FarPoint? Point(double far, long impostors, float[] genuine, IRankedScores tail)
    {
        if (Of(far, impostors, tail) is not { } threshold)
        {
            return null;
        }

        long accepted = CountAtLeast(genuine, threshold);
        return new FarPoint(far, threshold, FalseAccepts(threshold, tail), accepted, (double)accepted / genuine.Length);
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
        var tail = new TopImpostorScores(fars.Max(far => FarTargets.Permitted(far, scores.LongLength)) + 1, 1, 0);
        tail.Add(0, scores);
        return tail;
    }
}
