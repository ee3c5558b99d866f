namespace FaceDistill.Evaluation;

/// <summary>Shares the rows of a tile among as many workers as there are processors.</summary>
internal static class TileRows
{
    /// <summary>How many workers there are: worker numbers are below it.</summary>
    public static int Workers => Environment.ProcessorCount;

    /// <summary>Calls with each row of the tile, from the worker that has it.</summary>
    /// <param name="tile">The tile.</param>
    /// <param name="take">Takes the worker's number and the row's within the tile.</param>
    public static void ForEach(PairTile tile, Action<int, int> take)
    {
        int workers = Math.Min(Workers, tile.Rows);
        Parallel.For(0, workers, worker =>
        {
            int end = (int)((long)tile.Rows * (worker + 1) / workers);
            for (int i = (int)((long)tile.Rows * worker / workers); i < end; i++)
            {
                take(worker, i);
            }
        });
    }

    /// <summary>Where the pairs (i, j) with i below j of a row begin in a tile, and where those of two people do; both as
    /// columns of the whole matrix.</summary>
    public static (int First, int Impostors) Split(PairTile tile, int row, IdentityGroups groups)
    {
        int last = tile.Column + tile.Columns;
        return (Math.Clamp(row + 1, tile.Column, last), Math.Clamp(groups.End[row], tile.Column, last));
    }

    /// <summary>How many pairs (i, j) with i below j a tile has.</summary>
    public static long Pairs(PairTile tile)
    {
        long pairs = 0;
        for (int row = tile.Row; row < tile.Row + tile.Rows; row++)
        {
            pairs += tile.Column + tile.Columns - Math.Clamp(row + 1, tile.Column, tile.Column + tile.Columns);
        }

        return pairs;
    }
}
