using FaceDistill.Kernels;
using TorchSharp;

namespace FaceDistill.Evaluation.Scoring;

/// <summary>A rectangle of the score matrix: rows by columns, both row numbers of the embeddings.</summary>
internal readonly record struct PairTile(int Row, int Rows, int Column, int Columns);

/// <summary>
/// The upper triangle of the score matrix of N vectors, one tile at a time, by libtorch's matrix product on all cores, and
/// from it, where the score is a distance, by <see cref="EuclideanScores"/>.
/// </summary>
/// <remarks>
/// The tiles depend on N alone, so that a run gives the same scores each time. A product in other tiles may round a score
/// differently in its last bit.
/// </remarks>
internal sealed class PairTiles : IDisposable
{
    // 512 x 4096 floats are 8 MB: they stay in the last-level cache between product and selection, and what the tiles
    // compute below the diagonal is 4% of the work at 13,000 faces.
    private const int RowBlock = 512;
    private const int ColumnBlock = 4096;

    private readonly int _count;
    private readonly EuclideanScores? _distances;
    private readonly torch.Tensor _vectors; // float32 [N, D]
    private readonly torch.Tensor _scores;  // float32 [RowBlock * ColumnBlock], the memory of Scores

    /// <param name="vectors">float32 [N, D], row-major, scored by their inner product.</param>
    /// <param name="dimension">D.</param>
    public PairTiles(float[] vectors, int dimension)
        : this(new ScoredVectors(vectors, dimension, null))
    {
    }

    /// <param name="vectors">The vectors; pinned, not copied, until disposed.</param>
    public PairTiles(ScoredVectors vectors)
    {
        TorchNative.EnsureLoaded();
        _count = vectors.Values.Length / vectors.Dimension;
        _distances = vectors.Squares is null ? null : new EuclideanScores(vectors);
        Scores = new float[(long)Math.Min(RowBlock, _count) * Math.Min(ColumnBlock, _count)];
        using var flat = torch.frombuffer(vectors.Values, torch.ScalarType.Float32);
        _vectors = flat.view(_count, vectors.Dimension);
        _scores = torch.frombuffer(Scores, torch.ScalarType.Float32);
    }

    /// <summary>The scores of the tile last multiplied: row-major, [tile.Rows, tile.Columns].</summary>
    public float[] Scores { get; }

    /// <summary>The tiles that cover every pair (i, j) with i below j.</summary>
    public IEnumerable<PairTile> All()
    {
        for (int row = 0; row < _count; row += RowBlock)
        {
            for (int column = row; column < _count; column += ColumnBlock)
            {
                yield return new PairTile(row, Math.Min(RowBlock, _count - row), column, Math.Min(ColumnBlock, _count - column));
            }
        }
    }

    /// <summary>Fills <see cref="Scores"/>.</summary>
    public void Multiply(PairTile tile)
    {
        using var noGradient = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var rows = _vectors.narrow(0, tile.Row, tile.Rows);
        var columns = _vectors.narrow(0, tile.Column, tile.Columns).t();
        var target = _scores.narrow(0, 0, (long)tile.Rows * tile.Columns).view(tile.Rows, tile.Columns);
        target.addmm_(rows, columns, 0f, 1f); // into place: a new tensor each time would cost page faults
        if (_distances is not null)
        {
            TileRows.ForEach(tile, (_, i) => _distances.Apply(tile.Row + i, tile.Column, Scores.AsSpan(i * tile.Columns, tile.Columns)));
        }
    }

    public void Dispose()
    {
        _vectors.Dispose();
        _scores.Dispose();
    }
}

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

/// <summary>Takes the genuine and the impostor scores out of a tile, on all cores.</summary>
internal sealed class TileSelection
{
    private readonly IdentityGroups _groups;
    private readonly float[] _genuine;
    private readonly TopImpostorScores _tail;
    private readonly int[] _firstGenuine; // where each row's genuine scores begin: each has its place, whoever writes it

    /// <param name="groups">Who is who.</param>
    /// <param name="genuine">Takes all genuine scores: float32 [groups.GenuinePairs].</param>
    /// <param name="tail">Takes the impostor scores; must have been made for as many workers as there are processors.</param>
    public TileSelection(IdentityGroups groups, float[] genuine, TopImpostorScores tail)
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
