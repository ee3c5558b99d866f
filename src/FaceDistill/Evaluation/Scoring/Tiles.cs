using FaceDistill.Kernels;
using TorchSharp;

namespace FaceDistill.Evaluation.Scoring;

/// <summary>A rectangle of the score matrix: rows by columns, both row numbers of the embeddings.</summary>
internal readonly record struct PairTile(int Row, int Rows, int Column, int Columns);

/// <summary>The scores of some of N vectors with some of M others, by libtorch's matrix product on all cores.</summary>
internal sealed class TileProduct : IDisposable
{
    private const int Chunk = 1024; // columns of an exact product: with 512 rows 4 MB of double precision, which stay in the cache

    private readonly ScoredVectors _rows, _columns;
    private readonly int _mostRows;
    private readonly UnitBlock _unitRows, _unitColumns;
    private readonly torch.Tensor _scores;                            // the memory of Scores
    private (double[] Rows, double[] Columns, double[] Products)? _wide; // of a tile's rows and of some of its columns

    /// <param name="rows">N vectors; not copied.</param>
    /// <param name="columns">M others.</param>
    /// <param name="mostRows">The most rows of a tile.</param>
    /// <param name="mostColumns">Its most columns.</param>
    public TileProduct(ScoredVectors rows, ScoredVectors columns, int mostRows, int mostColumns)
    {
        TorchNative.EnsureLoaded();
        (_rows, _columns, _mostRows) = (rows, columns, mostRows);
        (_unitRows, _unitColumns) = (new UnitBlock(rows, mostRows), new UnitBlock(columns, mostColumns));
        Scores = new float[(long)mostRows * mostColumns];
        _scores = torch.frombuffer(Scores, torch.ScalarType.Float32);
    }

    /// <summary>The scores of the tile last multiplied: row-major, [tile.Rows, tile.Columns].</summary>
    public float[] Scores { get; }

    /// <summary>Fills <see cref="Scores"/> with what differs from the scores by <see cref="ScoredVectors.Allowance"/> at most; of cosines only.</summary>
    public void Fast(PairTile tile)
    {
        using var noGradient = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var target = _scores.narrow(0, 0, (long)tile.Rows * tile.Columns).view(tile.Rows, tile.Columns);
        var columns = _unitColumns.Of(tile.Column, tile.Columns).t();
        target.addmm_(_unitRows.Of(tile.Row, tile.Rows), columns, 0f, 1f); // into place: a new tensor each time would cost page faults
    }

    /// <summary>Fills <see cref="Scores"/> with the scores, from a product in double precision that takes twice as long.</summary>
    public void Exact(PairTile tile)
    {
        int dimension = _rows.Dimension;
        _wide ??= (new double[_mostRows * dimension], new double[Chunk * dimension], new double[_mostRows * Chunk]);
        var (left, right, products) = _wide.Value;
        Widen(_rows, tile.Row, tile.Rows, left);
        using var noGradient = torch.no_grad();
        for (int start = 0; start < tile.Columns; start += Chunk)
        {
            int columns = Math.Min(Chunk, tile.Columns - start), first = start;
            Widen(_columns, tile.Column + start, columns, right);
            using (torch.NewDisposeScope())
            {
                var target = Part(products, tile.Rows, columns);
                target.addmm_(Part(left, tile.Rows, dimension), Part(right, columns, dimension).t(), 0f, 1f);
            }

            TileRows.ForEach(tile.Rows, (_, i) => _rows.Round(tile.Row + i, _columns, tile.Column + first,
                products.AsSpan(i * columns, columns), Scores.AsSpan((i * tile.Columns) + first, columns)));
        }
    }

    public void Dispose()
    {
        _scores.Dispose();
        _unitRows.Dispose();
        _unitColumns.Dispose();
    }

    private static void Widen(ScoredVectors vectors, int first, int rows, double[] target) => TileRows.ForEach(
        rows, (_, i) => vectors.Widen(first + i, target.AsSpan(i * vectors.Dimension, vectors.Dimension)));

    private static torch.Tensor Part(double[] values, int rows, int columns) =>
        torch.frombuffer(values, torch.ScalarType.Float64, (long)rows * columns).view(rows, columns);

    /// <summary>Consecutive vectors at unit length, a block at a time: tiles come in an order in which the next has the same columns, so that a copy of all
    /// vectors is not needed.</summary>
    /// <param name="vectors">The vectors.</param>
    /// <param name="most">The most of a block.</param>
    private sealed class UnitBlock(ScoredVectors vectors, int most) : IDisposable
    {
        private float[]? _values;
        private torch.Tensor? _matrix; // float32 [most, D], the memory of _values
        private int _first, _count;

        /// <summary>float32 [count, D], in the present scope.</summary>
        public torch.Tensor Of(int first, int count)
        {
            int dimension = vectors.Dimension;
            if (_matrix is null)
            {
                _values = new float[(long)most * dimension];
                _matrix = torch.frombuffer(_values, torch.ScalarType.Float32).view(most, dimension).DetachFromDisposeScope();
            }

            if (first < _first || first + count > _first + _count)
            {
                TileRows.ForEach(count, (_, i) => vectors.UnitRow(first + i, _values.AsSpan(i * dimension, dimension)));
                (_first, _count) = (first, count);
            }

            return _matrix.narrow(0, first - _first, count);
        }

        public void Dispose() => _matrix?.Dispose();
    }
}

/// <summary>The score matrix of N vectors with M others, or its upper triangle where they are the same, one tile at a time.</summary>
internal sealed class PairTiles : IDisposable
{
    // 512 x 4096 floats are 8 MB: they stay in the last-level cache between product and selection, and what the tiles
    // compute below the diagonal is 4% of the work at 13,000 faces.
    private const int RowBlock = 512;
    private const int ColumnBlock = 4096;

    private readonly int _rows, _columns;
    private readonly bool _triangle;
    private readonly TileProduct _product;

    /// <param name="vectors">The vectors; not copied.</param>
    public PairTiles(ScoredVectors vectors)
        : this(vectors, vectors)
    {
    }

    /// <param name="rows">N vectors; not copied.</param>
    /// <param name="columns">M others, or the same object.</param>
    public PairTiles(ScoredVectors rows, ScoredVectors columns)
    {
        (_rows, _columns, _triangle) = (rows.Count, columns.Count, ReferenceEquals(rows, columns));
        _product = new TileProduct(rows, columns, Math.Min(RowBlock, _rows), Math.Min(ColumnBlock, _columns));
    }

    /// <summary>The scores of the tile last multiplied: row-major, [tile.Rows, tile.Columns].</summary>
    public float[] Scores => _product.Scores;

    /// <summary>The tiles that cover every pair (i, j), of a triangle those with i below j; all tiles of some columns, then those of the next.</summary>
    public IEnumerable<PairTile> All()
    {
        for (int first = 0; first < _columns; first += ColumnBlock)
        {
            int end = Math.Min(_columns, first + ColumnBlock);
            for (int row = 0; row < (_triangle ? end : _rows); row += RowBlock)
            {
                int column = _triangle ? Math.Max(first, row) : first;
                yield return new PairTile(row, Math.Min(RowBlock, _rows - row), column, end - column);
            }
        }
    }

    /// <summary>Fills <see cref="Scores"/> as <see cref="TileProduct.Fast"/>.</summary>
    public void MultiplyFast(PairTile tile) => _product.Fast(tile);

    /// <summary>Fills <see cref="Scores"/>.</summary>
    public void Multiply(PairTile tile) => _product.Exact(tile);

    public void Dispose() => _product.Dispose();
}

/// <summary>Shares the rows of a tile among as many workers as there are processors.</summary>
internal static class TileRows
{
    /// <summary>How many workers there are: worker numbers are below it.</summary>
    public static int Workers => Environment.ProcessorCount;

    /// <summary>Calls with each row of a tile, from the worker that has it.</summary>
    /// <param name="rows">How many there are.</param>
    /// <param name="take">Takes the worker's number and the row's within the tile.</param>
    public static void ForEach(int rows, Action<int, int> take)
    {
        int workers = Math.Min(Workers, rows);
        Parallel.For(0, workers, worker =>
        {
            int end = (int)((long)rows * (worker + 1) / workers);
            for (int i = (int)((long)rows * worker / workers); i < end; i++)
            {
                take(worker, i);
            }
        });
    }

    /// <summary>Where a row's pairs of two people begin in a tile: a column of the whole matrix.</summary>
    public static int Impostors(PairTile tile, int row, IdentityGroups groups) =>
        Math.Clamp(groups.End[row], tile.Column, tile.Column + tile.Columns);

    /// <summary>How many pairs (i, j) with i below j a tile has; or, of two models, with i other than j.</summary>
    public static long Pairs(PairTile tile, bool twice = false)
    {
        long pairs = 0;
        if (twice)
        {
            int same = Math.Min(tile.Row + tile.Rows, tile.Column + tile.Columns) - Math.Max(tile.Row, tile.Column);
            return ((long)tile.Rows * tile.Columns) - Math.Max(0, same);
        }

        for (int row = tile.Row; row < tile.Row + tile.Rows; row++)
        {
            pairs += tile.Column + tile.Columns - Math.Clamp(row + 1, tile.Column, tile.Column + tile.Columns);
        }

        return pairs;
    }
}

/// <summary>Rows of a score matrix, with all columns, some rows at a time.</summary>
internal sealed class CrossTiles : IDisposable
{
    // About 8 MB of scores stay in the last-level cache between product and selection; fewer than 64 rows would read
    // the other matrix from memory too often.
    private const int TileScores = 1 << 21;
    private const int MostRows = 512;
    private const int FewestRows = 64;

    private readonly int _count;
    private readonly int _block;
    private readonly TileProduct _product;

    /// <param name="rows">N vectors, at least one; pinned, not copied, until disposed.</param>
    /// <param name="columns">M others, likewise.</param>
    public CrossTiles(ScoredVectors rows, ScoredVectors columns)
    {
        (_count, Columns) = (rows.Count, columns.Count);
        _block = Math.Min(_count, Math.Clamp(TileScores / Columns, FewestRows, MostRows));
        _product = new TileProduct(rows, columns, _block, Columns);
    }

    /// <summary>M.</summary>
    public int Columns { get; }

    /// <summary>The scores of the tile last multiplied: row-major, [tile.Rows, M].</summary>
    public float[] Scores => _product.Scores;

    /// <summary>The tiles, from the first row to the last.</summary>
    public IEnumerable<PairTile> All()
    {
        for (int row = 0; row < _count; row += _block)
        {
            yield return new PairTile(row, Math.Min(_block, _count - row), 0, Columns);
        }
    }

    /// <summary>Fills <see cref="Scores"/> as <see cref="TileProduct.Fast"/>.</summary>
    public void MultiplyFast(PairTile tile) => _product.Fast(tile);

    /// <summary>Fills <see cref="Scores"/>.</summary>
    public void Multiply(PairTile tile) => _product.Exact(tile);

    public void Dispose() => _product.Dispose();
}
