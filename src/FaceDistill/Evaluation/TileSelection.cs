namespace FaceDistill.Evaluation;

/// <summary>Takes the genuine and the impostor scores out of a tile, on all cores.</summary>
internal sealed class TileSelection
{
    private readonly IdentityGroups _groups;
    private readonly float[] _genuine;
    private readonly ImpostorTail _tail;
    private readonly int[] _firstGenuine; // where each row's genuine scores begin: each has its place, whoever writes it

    /// <param name="groups">Who is who.</param>
    /// <param name="genuine">Takes all genuine scores: float32 [groups.GenuinePairs].</param>
    /// <param name="tail">Takes the impostor scores; must have been made for as many workers as there are processors.</param>
    public TileSelection(IdentityGroups groups, float[] genuine, ImpostorTail tail)
    {
        (_groups, _genuine, _tail) = (groups, genuine, tail);
        _firstGenuine = new int[groups.End.Length];
        for (int row = 1; row < _firstGenuine.Length; row++)
        {
            _firstGenuine[row] = _firstGenuine[row - 1] + groups.End[row - 1] - row;
        }
    }

    /// <summary>Takes the tile's pairs (i, j) with i below j; returns how many they are.</summary>
    /// <param name="tile">Where it lies.</param>
    /// <param name="scores">float32 [tile.Rows, tile.Columns], row-major.</param>
    public long Take(PairTile tile, float[] scores)
    {
        TileRows.ForEach(tile, (worker, i) => TakeRow(worker, tile, tile.Row + i, scores.AsSpan(i * tile.Columns, tile.Columns)));
        _tail.Trim();
        return TileRows.Pairs(tile);
    }

    private void TakeRow(int worker, PairTile tile, int row, ReadOnlySpan<float> scores)
    {
        var (from, impostors) = TileRows.Split(tile, row, _groups);
        if (from < impostors)
        {
            var place = _genuine.AsSpan(_firstGenuine[row] + from - (row + 1));
            scores[(from - tile.Column)..(impostors - tile.Column)].CopyTo(place);
        }

        _tail.Add(worker, scores[(impostors - tile.Column)..]);
    }
}
