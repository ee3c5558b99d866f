using FaceDistill.Teachers;

namespace FaceDistill.Evaluation;

/// <summary>
/// Scores every pair of N faces by cosine and finds the exact thresholds at given false accept rates.
/// </summary>
/// <remarks>
/// Time is that of half an N x N x D matrix product and one look at each score; memory is the embeddings, all genuine
/// scores, and about twice the impostor scores that the largest rate permits. Nothing is rounded into bins. The scores are
/// float32; see <see cref="PairTiles"/> for their last bit.
/// </remarks>
public static class PairScorer
{
    private const long SmallTail = 1 << 20; // 4 MB

    /// <summary>Scores all pairs.</summary>
    /// <param name="set">The embeddings, of any length other than zero, each with its identity.</param>
    /// <param name="fars">The false accept rates; null for <see cref="FarTargets.Default"/>.</param>
    /// <param name="progress">Told after each tile of pairs.</param>
    /// <param name="cancel">Stops between tiles.</param>
    /// <exception cref="FaceDistillException">An embedding is unusable, an identity is missing, or there is no genuine or
    /// no impostor pair.</exception>
    public static AllPairsResult Score(
        EmbeddingSet set,
        IReadOnlyList<double>? fars = null,
        IProgress<WorkProgress>? progress = null,
        CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(set);
        var groups = IdentityGroups.Of(set);
        return Score(UnitEmbeddings.From(set, groups.Order), set.Dimension, groups, fars ?? FarTargets.Default, progress, cancel);
    }

    /// <summary>Scores all pairs of vectors by their inner product as they are.</summary>
    /// <param name="vectors">float32 [N, D], row-major, in the order of the groups.</param>
    /// <param name="dimension">D.</param>
    /// <param name="groups">Who is who.</param>
    /// <param name="fars">The false accept rates.</param>
    /// <param name="progress">Told after each tile.</param>
    /// <param name="cancel">Stops between tiles.</param>
    internal static AllPairsResult Score(
        float[] vectors,
        int dimension,
        IdentityGroups groups,
        IReadOnlyList<double> fars,
        IProgress<WorkProgress>? progress = null,
        CancellationToken cancel = default)
    {
        FarTargets.Check(fars);
        long ranks = fars.Max(far => FarTargets.Permitted(far, groups.ImpostorPairs)) + 1;
        var tail = new ImpostorTail(ranks, Environment.ProcessorCount, SmallTail);
        float[] genuine = new float[groups.GenuinePairs];
        using (var tiles = new PairTiles(vectors, dimension))
        {
            var selection = new TileSelection(groups, genuine, tail);
            long done = 0;
            foreach (var tile in tiles.All())
            {
                cancel.ThrowIfCancellationRequested();
                tiles.Multiply(tile);
                done += selection.Take(tile, tiles.Scores);
                progress?.Report(new WorkProgress("scoring", done, genuine.Length + groups.ImpostorPairs, "pairs"));
            }
        }

        var points = fars.Select(far => PointAt(far, groups.ImpostorPairs, genuine, tail)).ToArray();
        return new AllPairsResult(groups.Order.Length, groups.Identities, genuine.Length, groups.ImpostorPairs, [.. fars], points);
    }

    /// <summary>
    /// With p false accepts permitted, the impostor score of rank p + 1 must be rejected, and with it all that tie with it;
    /// so the smallest threshold is the next float above it.
    /// </summary>
    private static FarPoint? PointAt(double far, long impostorPairs, float[] genuine, ImpostorTail tail)
    {
        long permitted = FarTargets.Permitted(far, impostorPairs);
        if (permitted < 1)
        {
            return null;
        }

        float rejected = tail.ScoreAt(permitted + 1);
        float threshold = MathF.BitIncrement(rejected);
        long trueAccepts = CountAtLeast(genuine, threshold);
        return new FarPoint(far, threshold, tail.CountAbove(rejected), trueAccepts, (double)trueAccepts / genuine.Length);
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
}
