using System.Numerics.Tensors;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Files;

namespace FaceDistill.Evaluation.Agreement;

/// <summary>A vector that can be dropped because an earlier one that stays is as good.</summary>
/// <param name="Row">The vector to drop.</param>
/// <param name="Kept">The most similar one that stays; it comes before <paramref name="Row"/>.</param>
/// <param name="Score">Their cosine.</param>
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
    /// <param name="vectors">The vectors, scored by cosine.</param>
    /// <param name="threshold">The least score of a pair.</param>
    /// <param name="gone">The rows that neither stay nor are dropped here: they were found in another way.</param>
    /// <param name="job">Told after each tile.</param>
    /// <returns>How many pairs there are, and which rows to drop, in their order.</returns>
    /// <exception cref="FaceDistillException">There are more than ten million pairs.</exception>
    public static (long Pairs, IReadOnlyList<NearDuplicate> Drop) Find(
        ScoredVectors vectors, float threshold, IReadOnlySet<int> gone, JobContext job)
    {
        long count = vectors.Count, done = 0, all = count * (count - 1) / 2;
        var found = Enumerable.Range(0, TileRows.Workers).Select(_ => new List<NearDuplicate>()).ToArray(); // each pair with its later row as the one to drop
        float least = threshold - vectors.Allowance; // of the product in float32
        using var tiles = new PairTiles(vectors);
        foreach (var tile in tiles.All())
        {
            job.Cancel.ThrowIfCancellationRequested();
            tiles.MultiplyFast(tile);
            TileRows.ForEach(tile.Rows, (worker, i) =>
            {
                int row = tile.Row + i;
                for (int column = Math.Max(row + 1, tile.Column); column < tile.Column + tile.Columns; column++)
                {
                    if (tiles.Scores[(i * tile.Columns) + column - tile.Column] >= least && !gone.Contains(row) && !gone.Contains(column)
                        && vectors.Score(row, column) is var score && score >= threshold)
                    {
                        found[worker].Add(new NearDuplicate(column, row, score));
                    }
                }
            });
            if (found.Sum(list => (long)list.Count) > MostPairs)
            {
                throw new FaceDistillException(InvariantText.Of(
                    $"more than {MostPairs:N0} pairs of training faces are at or above {threshold}: that finds people, not duplicates; raise "
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
/// <param name="Score">Their cosine.</param>
/// <param name="Pairs">How many others are at or above the threshold.</param>
internal readonly record struct CrossMatch(int Row, int Column, float Score, int Pairs);

/// <summary>Finds the vectors of one set that are alike to one of another, by cosine, in tiles.</summary>
internal static class CrossMatches
{
    /// <summary>Searches.</summary>
    /// <param name="rows">N vectors, at least one, scored by cosine.</param>
    /// <param name="columns">M others, likewise.</param>
    /// <param name="threshold">The least score of a match.</param>
    /// <param name="stage">What <paramref name="job"/> calls it.</param>
    /// <param name="job">Told after each tile.</param>
    /// <returns>The vectors with a match, in the order of their rows.</returns>
    public static IReadOnlyList<CrossMatch> Find(
        ScoredVectors rows, ScoredVectors columns, float threshold, string stage, JobContext job)
    {
        int count = rows.Count;
        float least = threshold - rows.Allowance; // of the product in float32
        var found = new CrossMatch[count]; // without pairs where nothing was found
        using var tiles = new CrossTiles(rows, columns);
        foreach (var tile in tiles.All())
        {
            job.Cancel.ThrowIfCancellationRequested();
            tiles.MultiplyFast(tile);
            Parallel.For(0, tile.Rows, i => found[tile.Row + i] =
                Match(rows, tile.Row + i, columns, tiles.Scores.AsSpan(i * tiles.Columns, tiles.Columns), least, threshold));
            job.Progress?.Report(new WorkProgress(stage, tile.Row + tile.Rows, count, "images"));
        }

        return [.. found.Where(match => match.Pairs > 0)];
    }

    private static CrossMatch Match(
        ScoredVectors rows, int row, ScoredVectors columns, ReadOnlySpan<float> products, float least, float threshold)
    {
        var best = new CrossMatch(row, 0, float.NegativeInfinity, 0);
        if (TensorPrimitives.Max(products) < least)
        {
            return best;
        }

        int pairs = 0;
        for (int column = 0; column < products.Length; column++)
        {
            if (products[column] >= least && rows.Score(row, columns, column) is var score && score >= threshold)
            {
                pairs++;
                best = score > best.Score ? new CrossMatch(row, column, score, 0) : best;
            }
        }

        return best with { Pairs = pairs };
    }
}
