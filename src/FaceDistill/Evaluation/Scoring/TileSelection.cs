namespace FaceDistill.Evaluation.Scoring;

/// <summary>Takes the genuine and the highest impostor scores out of tiles, on all cores.</summary>
/// <remarks>
/// Most tiles are multiplied in float32. What lies further below the tail's bound than that product may be off cannot be of the tail; each of the few others,
/// and each genuine pair, gets its score by itself. Where a tile would have many of these, all of it is multiplied in double precision.
/// </remarks>
internal sealed class TileSelection
{
    /// <summary>From an eighth of a tile's pairs on one product in double precision is faster than their scores one by one.</summary>
    public const int ManyInverse = 8;

    private readonly ScoredPairs _pairs;
    private readonly float[] _genuine;
    private readonly TopImpostorScores _tail;
    private readonly DeepRanks? _deep;
    private readonly long[] _asked;       // by worker: pairs of a tile that got their score by themselves
    private long _impostors;              // seen so far
    private bool _tied;                   // too many were asked for once: scores gather at the bound

    /// <param name="pairs">The pairs.</param>
    /// <param name="genuine">Takes all genuine scores: float32 [pairs.Genuine]; each has its place, whoever writes it.</param>
    /// <param name="tail">Takes the impostor scores; must have been made for as many workers as there are processors.</param>
    /// <param name="deep">Counts them, likewise; null for no counts.</param>
    public TileSelection(ScoredPairs pairs, float[] genuine, TopImpostorScores tail, DeepRanks? deep)
    {
        (_pairs, _genuine, _tail, _deep) = (pairs, genuine, tail, deep);
        _asked = new long[TileRows.Workers];
    }

    /// <summary>Multiplies a tile and takes its pairs; returns how many they are.</summary>
    public long Take(PairTile tile, PairTiles tiles)
    {
        long genuine = 0, impostors = 0;
        for (int row = tile.Row; row < tile.Row + tile.Rows; row++)
        {
            var (before, after) = _pairs.GenuineColumns(tile, row);
            var (first, end, second) = _pairs.ImpostorColumns(tile, row);
            genuine += Length(before) + Length(after);
            impostors += end - first + tile.Column + tile.Columns - second;
        }

        double share = _impostors > 0 ? (double)_tail.Held / _impostors : _tail.Bound == float.NegativeInfinity ? 1 : 0;
        bool exact = _tied || !_pairs.Rows.Cosine || (genuine + (impostors * share)) * ManyInverse > (long)tile.Rows * tile.Columns;
        if (exact)
        {
            tiles.Multiply(tile);
        }
        else
        {
            tiles.MultiplyFast(tile);
        }

        Array.Clear(_asked);
        TileRows.ForEach(tile.Rows, (worker, i) => TakeRow(worker, tile, tile.Row + i, tiles.Scores.AsSpan(i * tile.Columns, tile.Columns), exact));
        _tied |= _asked.Sum() * ManyInverse > genuine + impostors;
        _impostors += impostors;
        _tail.Trim();
        return genuine + impostors;
    }

    private static int Length(Range range) => Math.Max(0, range.End.Value - range.Start.Value);

    private void TakeRow(int worker, PairTile tile, int row, ReadOnlySpan<float> scores, bool exact)
    {
        var (before, after) = _pairs.GenuineColumns(tile, row);
        TakeGenuine(row, before, scores, tile.Column, exact);
        TakeGenuine(row, after, scores, tile.Column, exact);
        var (first, end, second) = _pairs.ImpostorColumns(tile, row);
        TakeImpostors(worker, row, first, scores[..(end - tile.Column)], exact);
        TakeImpostors(worker, row, second, scores[(second - tile.Column)..], exact);
    }

    private void TakeGenuine(int row, Range columns, ReadOnlySpan<float> scores, int first, bool exact)
    {
        for (int column = columns.Start.Value; column < columns.End.Value; column++)
        {
            _genuine[_pairs.Place(row, column)] = exact ? scores[column - first] : _pairs.Score(row, column);
        }
    }

    private void TakeImpostors(int worker, int row, int column, ReadOnlySpan<float> scores, bool exact)
    {
        _deep?.Count(worker, scores);
        if (exact)
        {
            _tail.Add(worker, scores);
            return;
        }

        foreach (int i in new ScoresAbove(scores, _tail.Bound - _pairs.Rows.Allowance))
        {
            _tail.Add(worker, _pairs.Score(row, column + i));
            _asked[worker]++;
        }
    }
}
