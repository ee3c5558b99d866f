using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FaceDistill.Files;

namespace FaceDistill.Evaluation.Scoring;

/// <summary>Which pairs are scored: each two faces of one set once; or, of two models of the same faces, each face by the one with every other by the other, so
/// that two faces make two pairs.</summary>
internal sealed class ScoredPairs
{
    private readonly int[] _first;         // the first of each row's group; the row itself where pairs come once
    private readonly int[] _genuineBefore; // how many genuine pairs the rows before have

    /// <param name="rows">N vectors, in the order of the groups.</param>
    /// <param name="columns">The same object, or the other model's vectors of the same faces.</param>
    /// <param name="groups">Who is who.</param>
    /// <exception cref="FaceDistillException">There are more genuine pairs than can be kept.</exception>
    public ScoredPairs(ScoredVectors rows, ScoredVectors columns, IdentityGroups groups)
    {
        (Rows, Columns, Groups, Twice) = (rows, columns, groups, !ReferenceEquals(rows, columns));
        if (Genuine > Array.MaxLength)
        {
            throw new FaceDistillException(InvariantText.Of(
                $"{Genuine:N0} ordered genuine pairs are more than the {Array.MaxLength:N0} that can be kept; evaluate fewer images an identity"));
        }

        _first = new int[groups.End.Length];
        _genuineBefore = new int[groups.End.Length];
        for (int row = 0; row < _first.Length; row++)
        {
            _first[row] = !Twice || row == 0 || groups.End[row - 1] == row ? row : _first[row - 1];
            _genuineBefore[row] = row == 0 ? 0 : _genuineBefore[row - 1] + groups.End[row - 1] - _first[row - 1] - 1;
        }
    }

    /// <summary>The vectors of one side.</summary>
    public ScoredVectors Rows { get; }

    /// <summary>Those of the other.</summary>
    public ScoredVectors Columns { get; }

    /// <summary>Who is who.</summary>
    public IdentityGroups Groups { get; }

    /// <summary>Whether two faces make two pairs.</summary>
    public bool Twice { get; }

    /// <summary>How many pairs of one person there are.</summary>
    public long Genuine => (Twice ? 2 : 1) * Groups.GenuinePairs;

    /// <summary>How many of two people.</summary>
    public long Impostors => (Twice ? 2 : 1) * Groups.ImpostorPairs;

    /// <summary>The tiles with all pairs.</summary>
    public PairTiles Tiles() => new(Rows, Columns);

    /// <summary>The score of a pair.</summary>
    public float Score(int row, int column) => Rows.Score(row, Columns, column);

    /// <summary>The place of a pair among the genuine ones.</summary>
    public int Place(int row, int column) => _genuineBefore[row] + column - _first[row] - (column > row ? 1 : 0);

    /// <summary>The columns of a tile that make impostor pairs with a row: from the first up to, not including, the second, and from the third on.</summary>
    public (int First, int End, int Second) ImpostorColumns(PairTile tile, int row)
    {
        int last = tile.Column + tile.Columns;
        return (tile.Column, Twice ? Math.Clamp(_first[row], tile.Column, last) : tile.Column, Math.Clamp(Groups.End[row], tile.Column, last));
    }

    /// <summary>Those that make genuine pairs: before the row, and after it.</summary>
    public (Range Before, Range After) GenuineColumns(PairTile tile, int row)
    {
        int Within(int column) => Math.Clamp(column, tile.Column, tile.Column + tile.Columns);
        return (Within(_first[row])..Within(row), Within(row + 1)..Within(Groups.End[row]));
    }

    /// <summary>The pairs of some of the faces.</summary>
    /// <param name="some">Their rows, rising.</param>
    public ScoredPairs Of(int[] some)
    {
        var rows = Rows.Of(some);
        return new ScoredPairs(rows, Twice ? Columns.Of(some) : rows, new IdentityGroups([.. some.Select(row => Groups.Names[Groups.Group[row]])]));
    }
}

/// <summary>The places of the scores above a limit, found with the widest vectors that the processor has; to be walked through.</summary>
/// <param name="scores">The scores.</param>
/// <param name="limit">What they exceed.</param>
internal ref struct ScoresAbove(ReadOnlySpan<float> scores, float limit)
{
    private readonly ReadOnlySpan<float> _scores = scores;
    private readonly Vector512<float> _limits = Vector512.Create(limit);
    private ulong _hits;          // those of 16 scores that were found and not yet given
    private int _from = -16, _next; // where these begin; what is looked at next

    /// <summary>The place found.</summary>
    public int Current { get; private set; }

    /// <summary>For <c>foreach</c>.</summary>
    public readonly ScoresAbove GetEnumerator() => this;

    /// <summary>Finds the next.</summary>
    public bool MoveNext()
    {
        while (_hits == 0)
        {
            if (_next >= _scores.Length)
            {
                return false;
            }

            _from = _next;
            _next += Vector512<float>.Count;
            if (_next <= _scores.Length)
            {
                var some = Vector512.LoadUnsafe(ref MemoryMarshal.GetReference(_scores), (nuint)_from);
                _hits = Vector512.GreaterThan(some, _limits).ExtractMostSignificantBits();
                continue;
            }

            for (int i = _from; i < _scores.Length; i++)
            {
                _hits |= _scores[i] > limit ? 1UL << (i - _from) : 0;
            }
        }

        Current = _from + BitOperations.TrailingZeroCount(_hits);
        _hits &= _hits - 1;
        return true;
    }
}
