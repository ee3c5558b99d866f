using System.Numerics.Tensors;
using FaceDistill.Teachers;

namespace FaceDistill.Evaluation;

/// <summary>What the search of a probe found.</summary>
/// <param name="Best">The best score in the whole gallery.</param>
/// <param name="Own">The best score among the gallery's images of the probe's own identity; NaN where it has none.</param>
/// <param name="Rank">How many identities score as well as the own one or better, itself included: 1 is right and alone; 0 where
/// the gallery lacks the identity.</param>
internal readonly record struct ProbeOutcome(float Best, float Own, int Rank)
{
    /// <summary>Whether the probe's identity is in the gallery.</summary>
    public bool Known => Rank > 0;
}

/// <summary>Searches every probe in a gallery by cosine; an identity's score is that of its best image.</summary>
internal static class IdentificationSearch
{
    /// <summary>Searches.</summary>
    /// <param name="set">Paths and identities; each of them given.</param>
    /// <param name="unit">Its embeddings at unit length: float32 [N, D].</param>
    /// <param name="gallery">The gallery's rows, at least one.</param>
    /// <param name="probes">The probes' rows, at least one.</param>
    /// <param name="progress">Told after each tile of probes.</param>
    /// <param name="cancel">Stops between tiles.</param>
    /// <returns>One for each probe, in their order.</returns>
    public static ProbeOutcome[] Run(
        EmbeddingSet set, float[] unit, IReadOnlyList<int> gallery, IReadOnlyList<int> probes, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        var identities = gallery.GroupBy(row => set.Identities[row], StringComparer.Ordinal).ToList();
        var numbers = identities.Select((group, i) => (group.Key, i)).ToDictionary(entry => entry.Key, entry => entry.i, StringComparer.Ordinal);
        int[] starts = new int[identities.Count + 1]; // of each identity's images among the columns
        for (int i = 0; i < identities.Count; i++)
        {
            starts[i + 1] = starts[i] + identities[i].Count();
        }

        int[] own = [.. probes.Select(row => numbers.GetValueOrDefault(set.Identities[row], -1))];
        var outcomes = new ProbeOutcome[probes.Count];
        using var tiles = new CrossTiles(
            EmbeddingRows.Values(unit, set.Dimension, probes),
            EmbeddingRows.Values(unit, set.Dimension, [.. identities.SelectMany(group => group)]),
            set.Dimension);
        foreach (var tile in tiles.All())
        {
            cancel.ThrowIfCancellationRequested();
            tiles.Multiply(tile);
            Parallel.For(0, tile.Rows, i => outcomes[tile.Row + i] =
                Outcome(tiles.Scores.AsSpan(i * tiles.Columns, tiles.Columns), starts, own[tile.Row + i]));
            progress?.Report(new WorkProgress("searching", tile.Row + tile.Rows, probes.Count, "probes"));
        }

        return outcomes;
    }

    private static ProbeOutcome Outcome(ReadOnlySpan<float> scores, int[] starts, int own)
    {
        if (own < 0)
        {
            return new ProbeOutcome(TensorPrimitives.Max(scores), float.NaN, 0);
        }

        float ownScore = TensorPrimitives.Max(scores[starts[own]..starts[own + 1]]);
        float best = float.NegativeInfinity;
        int rank = 0;
        for (int identity = 0; identity + 1 < starts.Length; identity++)
        {
            float score = scores[starts[identity]];
            for (int i = starts[identity] + 1; i < starts[identity + 1]; i++)
            {
                score = MathF.Max(score, scores[i]);
            }

            best = MathF.Max(best, score);
            rank += score >= ownScore ? 1 : 0;
        }

        return new ProbeOutcome(best, ownScore, rank);
    }
}
