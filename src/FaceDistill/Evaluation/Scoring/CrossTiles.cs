using System.Numerics.Tensors;
using FaceDistill.Kernels;
using TorchSharp;

namespace FaceDistill.Evaluation.Scoring;

/// <summary>Whole rows of a score matrix.</summary>
internal readonly record struct CrossTile(int Row, int Rows);

/// <summary>
/// The inner products of N vectors with M others, some rows at a time, by libtorch's matrix product on all cores.
/// </summary>
internal sealed class CrossTiles : IDisposable
{
    // About 8 MB of scores stay in the last-level cache between product and selection; fewer than 64 rows would read
    // the other matrix from memory too often.
    private const int TileScores = 1 << 21;
    private const int MostRows = 512;
    private const int FewestRows = 64;

    private readonly int _count;
    private readonly int _block;
    private readonly torch.Tensor _rows;    // float32 [N, D]
    private readonly torch.Tensor _columns; // float32 [D, M], a view
    private readonly torch.Tensor _scores;  // the memory of Scores

    /// <param name="rows">float32 [N, D], row-major, N at least 1; pinned, not copied, until disposed.</param>
    /// <param name="columns">float32 [M, D], likewise.</param>
    /// <param name="dimension">D.</param>
    public CrossTiles(float[] rows, float[] columns, int dimension)
    {
        TorchNative.EnsureLoaded();
        _count = rows.Length / dimension;
        Columns = columns.Length / dimension;
        _block = Math.Min(_count, Math.Clamp(TileScores / Columns, FewestRows, MostRows));
        Scores = new float[(long)_block * Columns];
        using var flatRows = torch.frombuffer(rows, torch.ScalarType.Float32);
        _rows = flatRows.view(_count, dimension);
        using var flatColumns = torch.frombuffer(columns, torch.ScalarType.Float32);
        using var matrix = flatColumns.view(Columns, dimension);
        _columns = matrix.t();
        _scores = torch.frombuffer(Scores, torch.ScalarType.Float32);
    }

    /// <summary>M.</summary>
    public int Columns { get; }

    /// <summary>The inner products of the tile last multiplied: row-major, [tile.Rows, M].</summary>
    public float[] Scores { get; }

    /// <summary>The tiles, from the first row to the last.</summary>
    public IEnumerable<CrossTile> All()
    {
        for (int row = 0; row < _count; row += _block)
        {
            yield return new CrossTile(row, Math.Min(_block, _count - row));
        }
    }

    /// <summary>Fills <see cref="Scores"/>.</summary>
    public void Multiply(CrossTile tile)
    {
        using var noGradient = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var target = _scores.narrow(0, 0, (long)tile.Rows * Columns).view(tile.Rows, Columns);
        target.addmm_(_rows.narrow(0, tile.Row, tile.Rows), _columns, 0f, 1f); // into place, as PairTiles
    }

    public void Dispose()
    {
        _rows.Dispose();
        _columns.Dispose();
        _scores.Dispose();
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
