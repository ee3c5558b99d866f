using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FaceDistill.Evaluation.Scoring;

/// <summary>Takes the genuine and the highest impostor scores out of tiles, on all cores.</summary>
/// <remarks>
/// Most tiles are multiplied in float32. What lies further below the tail's bound than that product may be off cannot be of the tail; each of the few others,
/// and each genuine pair, gets its score by itself. Where a tile would have many of these, all of it is multiplied in double precision.
/// </remarks>
internal sealed class TileSelection
{
    private const int ManyInverse = 8; // from an eighth of a tile's pairs on one product in double precision is faster than their scores one by one
    private readonly ScoredVectors _vectors;
    private readonly IdentityGroups _groups;
    private readonly float[] _genuine;
    private readonly TopImpostorScores _tail;
    private readonly int[] _firstGenuine; // where each row's genuine scores begin: each has its place, whoever writes it
    private readonly long[] _asked;       // by worker: pairs of a tile that got their score by themselves
    private long _impostors;              // seen so far
    private bool _tied;                   // too many were asked for once: scores gather at the bound

    /// <param name="vectors">The vectors, in the order of the groups.</param>
    /// <param name="groups">Who is who.</param>
    /// <param name="genuine">Takes all genuine scores: float32 [groups.GenuinePairs].</param>
    /// <param name="tail">Takes the impostor scores; must have been made for as many workers as there are processors.</param>
    public TileSelection(ScoredVectors vectors, IdentityGroups groups, float[] genuine, TopImpostorScores tail)
    {
        (_vectors, _groups, _genuine, _tail) = (vectors, groups, genuine, tail);
        _asked = new long[TileRows.Workers];
        _firstGenuine = new int[groups.End.Length];
        for (int row = 1; row < _firstGenuine.Length; row++)
        {
            _firstGenuine[row] = _firstGenuine[row - 1] + groups.End[row - 1] - row;
        }
    }

    /// <summary>Multiplies a tile and takes its pairs (i, j) with i below j; returns how many they are.</summary>
    public long Take(PairTile tile, PairTiles tiles)
    {
        long pairs = TileRows.Pairs(tile), genuine = 0;
        for (int row = tile.Row; row < tile.Row + tile.Rows; row++)
        {
            var (from, impostors) = TileRows.Split(tile, row, _groups);
            genuine += Math.Max(0, impostors - from);
        }

        double share = _impostors > 0 ? (double)_tail.Held / _impostors : _tail.Bound == float.NegativeInfinity ? 1 : 0;
        double expected = genuine + ((pairs - genuine) * share);
        bool exact = _tied || _vectors.Unit is null || expected * ManyInverse > (long)tile.Rows * tile.Columns;
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
        _tied |= _asked.Sum() * ManyInverse > pairs;
        _impostors += pairs - genuine;
        _tail.Trim();
        return pairs;
    }

    private void TakeRow(int worker, PairTile tile, int row, ReadOnlySpan<float> scores, bool exact)
    {
        var (from, impostors) = TileRows.Split(tile, row, _groups);
        if (from < impostors)
        {
            var place = _genuine.AsSpan(_firstGenuine[row] + from - (row + 1), impostors - from);
            scores[(from - tile.Column)..(impostors - tile.Column)].CopyTo(place);
            for (int i = 0; !exact && i < place.Length; i++)
            {
                place[i] = _vectors.Score(row, from + i);
            }
        }

        if (exact)
        {
            _tail.Add(worker, scores[(impostors - tile.Column)..]);
        }
        else
        {
            _asked[worker] += Ask(worker, row, impostors, scores[(impostors - tile.Column)..]);
        }
    }

    private long Ask(int worker, int row, int column, ReadOnlySpan<float> scores)
    {
        float limit = _tail.Bound - _vectors.Allowance;
        var limits = Vector512.Create(limit);
        ref float first = ref MemoryMarshal.GetReference(scores);
        long asked = 0;
        int i = 0;
        for (; i <= scores.Length - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            ulong hits = Vector512.GreaterThan(Vector512.LoadUnsafe(ref first, (nuint)i), limits).ExtractMostSignificantBits();
            for (; hits != 0; hits &= hits - 1, asked++)
            {
                _tail.Add(worker, _vectors.Score(row, column + i + BitOperations.TrailingZeroCount(hits)));
            }
        }

        for (; i < scores.Length; i++)
        {
            if (scores[i] > limit)
            {
                _tail.Add(worker, _vectors.Score(row, column + i));
                asked++;
            }
        }

        return asked;
    }
}
