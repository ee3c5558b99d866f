using FaceDistill.Native;
using TorchSharp;

namespace FaceDistill.Evaluation;

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
