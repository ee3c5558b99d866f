using System.Numerics.Tensors;

namespace FaceDistill.Evaluation;

/// <summary>A vector and the most similar one of others.</summary>
/// <param name="Row">The vector.</param>
/// <param name="Column">The most similar other; the first where several are.</param>
/// <param name="Score">Their inner product.</param>
/// <param name="Pairs">How many others are at or above the threshold.</param>
internal readonly record struct CrossMatch(int Row, int Column, float Score, int Pairs);

/// <summary>Finds the vectors of one set that are alike to one of another, by inner products in tiles.</summary>
internal static class CrossMatches
{
    /// <summary>Searches.</summary>
    /// <param name="rows">float32 [N, D], row-major, each of unit length, N at least 1.</param>
    /// <param name="columns">float32 [M, D], likewise.</param>
    /// <param name="dimension">D.</param>
    /// <param name="threshold">The least inner product of a match.</param>
    /// <param name="stage">What <paramref name="progress"/> calls it.</param>
    /// <param name="progress">Told after each tile.</param>
    /// <param name="cancel">Stops between tiles.</param>
    /// <returns>The vectors with a match, in the order of their rows.</returns>
    public static IReadOnlyList<CrossMatch> Find(
        float[] rows, float[] columns, int dimension, float threshold, string stage, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        int count = rows.Length / dimension;
        var found = new CrossMatch[count]; // without pairs where nothing was found
        using var tiles = new CrossTiles(rows, columns, dimension);
        foreach (var tile in tiles.All())
        {
            cancel.ThrowIfCancellationRequested();
            tiles.Multiply(tile);
            Parallel.For(0, tile.Rows, i =>
            {
                var scores = tiles.Scores.AsSpan(i * tiles.Columns, tiles.Columns);
                int best = TensorPrimitives.IndexOfMax<float>(scores);
                if (scores[best] >= threshold)
                {
                    found[tile.Row + i] = new CrossMatch(tile.Row + i, best, scores[best], CountAtLeast(scores, threshold));
                }
            });
            progress?.Report(new WorkProgress(stage, tile.Row + tile.Rows, count, "images"));
        }

        return [.. found.Where(match => match.Pairs > 0)];
    }

    private static int CountAtLeast(ReadOnlySpan<float> scores, float threshold)
    {
        int count = 0;
        foreach (float score in scores)
        {
            count += score >= threshold ? 1 : 0;
        }

        return count;
    }
}
