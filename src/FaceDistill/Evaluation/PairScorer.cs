using FaceDistill.Teachers;

namespace FaceDistill.Evaluation;

/// <summary>
/// Scores every pair of N faces and finds the exact thresholds at given false accept rates.
/// </summary>
/// <remarks>
/// Time is that of half an N x N x D matrix product and one look at each score; memory is the embeddings, all genuine
/// scores, and about twice the impostor scores that the largest rate permits. Nothing is rounded into bins. The scores are
/// float32; see <see cref="PairTiles"/> for their last bit.
/// </remarks>
public static class PairScorer
{
    /// <summary>Scores all pairs by cosine.</summary>
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
        CancellationToken cancel = default) => Score(set, ScoreKind.Cosine, fars, progress, cancel);

    /// <summary>Scores all pairs.</summary>
    /// <param name="set">The embeddings, of any length other than zero, each with its identity.</param>
    /// <param name="score">How two embeddings make a score.</param>
    /// <param name="fars">The false accept rates; null for <see cref="FarTargets.Default"/>.</param>
    /// <param name="progress">Told after each tile of pairs.</param>
    /// <param name="cancel">Stops between tiles.</param>
    /// <exception cref="FaceDistillException">As for the cosine; also where embeddings are too long or too short for distances
    /// in float32.</exception>
    public static AllPairsResult Score(
        EmbeddingSet set,
        ScoreKind score,
        IReadOnlyList<double>? fars = null,
        IProgress<WorkProgress>? progress = null,
        CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(set);
        var groups = IdentityGroups.Of(set);
        return Score(ScoredVectors.Of(set, groups.Order, score), groups, fars ?? FarTargets.Default, progress, cancel);
    }

    /// <summary>Scores all pairs of vectors.</summary>
    /// <param name="vectors">In the order of the groups.</param>
    /// <param name="groups">Who is who.</param>
    /// <param name="fars">The false accept rates.</param>
    /// <param name="progress">Told after each tile.</param>
    /// <param name="cancel">Stops between tiles.</param>
    internal static AllPairsResult Score(
        ScoredVectors vectors,
        IdentityGroups groups,
        IReadOnlyList<double> fars,
        IProgress<WorkProgress>? progress = null,
        CancellationToken cancel = default)
    {
        FarTargets.Check(fars);
        return FirstLook.At(vectors, groups, FirstLook.Ranks(fars, groups.ImpostorPairs), progress, cancel).Result(fars);
    }
}
