namespace FaceDistill.Evaluation;

/// <summary>Takes the genuine and the impostor scores out of rows of a teacher-by-student score matrix, on all cores.</summary>
internal sealed class CrossModelSelection
{
    private readonly IdentityGroups _groups;
    private readonly float[] _genuine;
    private readonly ImpostorTail _tail;
    private readonly int[] _start;         // of each row's group
    private readonly long[] _firstGenuine; // where each row's genuine scores begin: each has its place, whoever writes it

    /// <param name="groups">Who is who, in the order of both matrices.</param>
    /// <param name="genuine">Takes all genuine scores: float32 [2 * groups.GenuinePairs].</param>
    /// <param name="tail">Takes the impostor scores; must have been made for as many workers as there are processors.</param>
    public CrossModelSelection(IdentityGroups groups, float[] genuine, ImpostorTail tail)
    {
        (_groups, _genuine, _tail) = (groups, genuine, tail);
        _start = new int[groups.End.Length];
        _firstGenuine = new long[groups.End.Length];
        for (int row = 1; row < _start.Length; row++)
        {
            _start[row] = groups.End[row - 1] == row ? row : _start[row - 1];
            _firstGenuine[row] = _firstGenuine[row - 1] + groups.End[row - 1] - _start[row - 1] - 1;
        }
    }

    /// <summary>Takes the tile's pairs (i, j), j other than i.</summary>
    /// <param name="tile">Its rows.</param>
    /// <param name="scores">float32 [tile.Rows, N], row-major.</param>
    public void Take(CrossTile tile, float[] scores)
    {
        int columns = _start.Length;
        int workers = Math.Min(Environment.ProcessorCount, tile.Rows);
        Parallel.For(0, workers, worker =>
        {
            int end = (int)((long)tile.Rows * (worker + 1) / workers);
            for (int i = (int)((long)tile.Rows * worker / workers); i < end; i++)
            {
                TakeRow(worker, tile.Row + i, scores.AsSpan(i * columns, columns));
            }
        });
        _tail.Trim();
    }

    private void TakeRow(int worker, int row, ReadOnlySpan<float> scores)
    {
        int start = _start[row], end = _groups.End[row];
        var place = _genuine.AsSpan((int)_firstGenuine[row], end - start - 1);
        scores[start..row].CopyTo(place);
        scores[(row + 1)..end].CopyTo(place[(row - start)..]);
        _tail.Add(worker, scores[..start]);
        _tail.Add(worker, scores[end..]);
    }
}
