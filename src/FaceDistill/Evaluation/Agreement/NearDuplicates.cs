using System.Numerics.Tensors;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Files;

namespace FaceDistill.Evaluation.Agreement;

/// <summary>A vector that can be dropped because an earlier one that stays is as good.</summary>
/// <param name="Row">The vector to drop.</param>
/// <param name="Kept">The most similar one that stays; it comes before <paramref name="Row"/>.</param>
/// <param name="Score">Their inner product.</param>
internal readonly record struct NearDuplicate(int Row, int Kept, float Score);

/// <summary>
/// Finds near duplicates within a set and chooses which to drop: in the order of the rows, each stays unless it is alike to one that
/// stays already. So no two that stay are alike, and a chain in which only neighbours are alike keeps every other one.
/// </summary>
internal static class NearDuplicates
{
    // Some 200 MB while they are sorted; more pairs than this are not duplicates but people.
    private const int MostPairs = 10_000_000;

    /// <summary>Searches.</summary>
    /// <param name="vectors">float32 [N, D], row-major, each of unit length.</param>
    /// <param name="dimension">D.</param>
    /// <param name="threshold">The least inner product of a pair.</param>
    /// <param name="gone">The rows that neither stay nor are dropped here: they were found in another way.</param>
    /// <param name="job">Told after each tile.</param>
    /// <returns>How many pairs there are, and which rows to drop, in their order.</returns>
    /// <exception cref="FaceDistillException">There are more than ten million pairs.</exception>
    public static (long Pairs, IReadOnlyList<NearDuplicate> Drop) Find(
        float[] vectors, int dimension, float threshold, IReadOnlySet<int> gone, JobContext job)
    {
        long count = vectors.Length / dimension, done = 0, all = count * (count - 1) / 2;
        var found = Enumerable.Range(0, TileRows.Workers).Select(_ => new List<NearDuplicate>()).ToArray(); // each pair with its later row as the one to drop
        using var tiles = new PairTiles(vectors, dimension);
        foreach (var tile in tiles.All())
        {
            job.Cancel.ThrowIfCancellationRequested();
            tiles.Multiply(tile);
            TileRows.ForEach(tile, (worker, i) =>
            {
                int row = tile.Row + i;
                for (int column = Math.Max(row + 1, tile.Column); column < tile.Column + tile.Columns; column++)
                {
                    float score = tiles.Scores[(i * tile.Columns) + column - tile.Column];
                    if (score >= threshold && !gone.Contains(row) && !gone.Contains(column))
                    {
                        found[worker].Add(new NearDuplicate(column, row, score));
                    }
                }
            });
            if (found.Sum(list => (long)list.Count) > MostPairs)
            {
                throw new FaceDistillException(InvariantText.Of(
                    $"more than {MostPairs} pairs of training faces are at or above {threshold}: that finds people, not duplicates; raise "
                        + $"--duplicate-threshold"));
            }

            done += TileRows.Pairs(tile);
            job.Progress?.Report(new WorkProgress("searching duplicates", done, all, "pairs"));
        }

        NearDuplicate[] pairs = [.. found.SelectMany(list => list)];
        return (pairs.LongLength, Choose(pairs));
    }

    private static List<NearDuplicate> Choose(NearDuplicate[] pairs)
    {
        var drop = new List<NearDuplicate>();
        var dropped = new HashSet<int>();
        foreach (var partners in pairs.GroupBy(pair => pair.Row).OrderBy(group => group.Key))
        {
            NearDuplicate[] staying = [.. partners.Where(pair => !dropped.Contains(pair.Kept)).OrderByDescending(pair => pair.Score).ThenBy(pair => pair.Kept)];
            if (staying.Length > 0)
            {
                drop.Add(staying[0]);
                dropped.Add(partners.Key);
            }
        }

        return drop;
    }
}

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
    /// <param name="stage">What <paramref name="job"/> calls it.</param>
    /// <param name="job">Told after each tile.</param>
    /// <returns>The vectors with a match, in the order of their rows.</returns>
    public static IReadOnlyList<CrossMatch> Find(
        float[] rows, float[] columns, int dimension, float threshold, string stage, JobContext job)
    {
        int count = rows.Length / dimension;
        var found = new CrossMatch[count]; // without pairs where nothing was found
        using var tiles = new CrossTiles(rows, columns, dimension);
        foreach (var tile in tiles.All())
        {
            job.Cancel.ThrowIfCancellationRequested();
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
            job.Progress?.Report(new WorkProgress(stage, tile.Row + tile.Rows, count, "images"));
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
