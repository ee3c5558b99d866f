using FaceDistill.Cluster;
using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Students;
using static TorchSharp.torch;

namespace FaceDistill.Training.Optimizers;

/// <summary>
/// Muon (Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024) for every weight that mixes channels, seen as a matrix
/// [out, in k k], of which the fewest equal blocks of at most 128 rows (of the shorter side) are taken by themselves: m = 0.95 m + 0.05 g;
/// u = 0.95 m + 0.05 g (Nesterov); w -= rate (0.2 sqrt(max(rows, columns)) O(u) + decay w), where O(u) has u's singular vectors and singular
/// values near 1. The factor gives a step the size of AdamW's (Liu et al., "Muon is scalable for LLM training", 2025, section 2.2), so both
/// take the same learning rate and decay. O is computed in bfloat16 where the training is
/// (<see cref="MobileNetV1.TrainingType"/>), which is precise enough (Jordan et al.). Depthwise filters, batch norms, biases and what is trained beside the
/// network are left to <see cref="AdamWState"/>.
/// </summary>
internal sealed class MuonState : IStudentOptimizer
{
    private const double Momentum = 0.95, AdamWSize = 0.2, Epsilon = 1e-7;
    private const int NewtonSchulzSteps = 5;

    /// <summary>
    /// The most rows that are orthogonalised together; a larger matrix is so many blocks of rows (Khaled et al., "MuonBP", 2025, without its whole steps in
    /// between).
    /// The steps cost 20 m^2 n + 10 m^3 multiplications for m rows of n: of 1024 x 1024 whole they would take as long as the rest of a training step. Blocks of
    /// 128 learned
    /// as well as whole matrices, blocks of 64 less well (eval/README.md).
    /// </summary>
    internal const int BlockRows = 128;

    // The quintic's coefficients, found by Jordan et al. so that small singular values rise fast; large ones end between 0.7 and 1.2.
    private const float A = 3.4445f, B = -4.7750f, C = 2.0315f;

    private readonly FlatWeights _weights;
    private readonly AdamWState _others;
    private readonly Tensor _momentum;
    private readonly double _weightDecay;
    private readonly MobileNetV1 _model;
    private readonly IReadOnlyList<MatrixPlace>[] _shares; // of each rank
    private readonly Ranks? _ranks;

    /// <summary>Makes the optimizer of a network that already lies on its device, and takes its weights into one memory block.</summary>
    /// <param name="model">The network.</param>
    /// <param name="weightDecay">The decay, 0 to 1; not for batch norms and biases.</param>
    /// <param name="alsoTrained">What is trained beside it; null for nothing.</param>
    /// <param name="ranks">The processes among which the matrices are parted: each makes the steps of its own, and tells the others. Null for this one
    /// alone.</param>
    public MuonState(MobileNetV1 model, double weightDecay, nn.Module? alsoTrained = null, Ranks? ranks = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        _weights = new FlatWeights(model, alsoTrained);
        (_model, _weightDecay, _ranks) = (model, weightDecay, ranks);
        _others = new AdamWState(_weights, weightDecay, _weights.MatrixCount);
        _momentum = zeros(new[] { _weights.MatrixCount }, ScalarType.Float32, _weights.Values.device).DetachFromDisposeScope();
        _shares = Shares(_weights.Matrices, ranks?.Count ?? 1);
    }

    /// <inheritdoc/>
    public long Steps
    {
        get => _others.Steps;
        set => _others.Steps = value;
    }

    /// <inheritdoc/>
    public FlatWeights Weights => _weights;

    /// <inheritdoc/>
    public IEnumerable<(string Name, Tensor Tensor)> Tensors() =>
        _weights.Views(_momentum).Select(v => (v.Name + ".momentum", v.View)).Concat(_others.Tensors());

    /// <inheritdoc/>
    public void ZeroGradients() => _weights.ZeroGradients();

    /// <inheritdoc/>
    public void Step(double learningRate)
    {
        _others.Step(learningRate);
        using var frozen = no_grad();
        using (var gradient = _weights.Gradients.narrow(0, 0, _weights.MatrixCount))
        using (var values = _weights.Values.narrow(0, 0, _weights.MatrixCount))
        {
            _momentum.Multiply(Momentum).Add(gradient, 1 - Momentum);
            gradient.Multiply(1 - Momentum).Add(_momentum, Momentum);
            values.Multiply(1 - (learningRate * _weightDecay));
        }

        using var scope = NewDisposeScope();
        var directions = empty(new[] { _weights.MatrixCount }, _model.TrainingType, device: _weights.Values.device); // share by share
        foreach (var (matrix, direction) in Places(directions, _shares).Where(p => _ranks is null || _shares[_ranks.Rank].Contains(p.Matrix)))
        {
            using var own = NewDisposeScope();
            // each by itself: several of one shape at once are no faster
            direction.copy_(Orthogonalize(Within(_weights.Gradients, matrix), _model.TrainingType));
        }

        _ranks?.Gather(directions, _shares.Select(share => share.Sum(m => m.Rows * m.Columns)));
        foreach (var (matrix, direction) in Places(directions, _shares))
        {
            Within(_weights.Values, matrix).Add(direction, -learningRate * AdamWSize * Math.Sqrt(Math.Max(matrix.Rows, matrix.Columns)));
        }
    }

    // [1, rows, columns] of a block that holds the matrices of the first share, of the second ...
    private static IEnumerable<(MatrixPlace Matrix, Tensor Place)> Places(Tensor block, IReadOnlyList<MatrixPlace>[] shares)
    {
        long place = 0;
        foreach (var matrix in shares.SelectMany(share => share))
        {
            yield return (matrix, Within(block, matrix with { Offset = place }));
            place += matrix.Rows * matrix.Columns;
        }
    }

    /// <summary>The matrices parted among ranks by the multiplications of their steps: the dearest first, each to whom has least.</summary>
    internal static List<MatrixPlace>[] Shares(IReadOnlyList<MatrixPlace> matrices, int ranks)
    {
        List<MatrixPlace>[] shares = [.. Enumerable.Range(0, ranks).Select(_ => new List<MatrixPlace>())];
        double[] work = new double[ranks];
        foreach (var (matrix, cost) in matrices.Select(m => (m, Cost: Cost(m))).OrderByDescending(m => m.Cost).ThenBy(m => m.m.Offset))
        {
            int least = Array.IndexOf(work, work.Min());
            shares[least].Add(matrix);
            work[least] += cost;
        }

        return shares;
    }

    private static double Cost(MatrixPlace matrix)
    {
        var (blocks, each) = Blocks(Math.Min(matrix.Rows, matrix.Columns));
        double rows = each, columns = Math.Max(matrix.Rows, matrix.Columns);
        return blocks * ((2 * rows * rows * columns) + (rows * rows * rows));
    }

    /// <summary>Near the orthogonal factor of each matrix's polar decomposition, by five Newton-Schulz steps X = a X + (b X X' + c (X X')^2) X.</summary>
    /// <param name="matrices">float32 [N, rows, columns].</param>
    /// <param name="type">What the steps compute in.</param>
    /// <returns>Of that type, [N, rows, columns].</returns>
    internal static Tensor Orthogonalize(Tensor matrices, ScalarType type)
    {
        using var scope = NewDisposeScope();
        bool tall = matrices.shape[1] > matrices.shape[2];
        var wide = tall ? matrices.transpose(1, 2).contiguous() : matrices;
        var (rows, columns) = (wide.shape[1], wide.shape[2]);
        var (count, each) = Blocks(rows);
        long lacking = (count * each) - rows; // rows of zeros, which the steps leave zero, fill the last block
        var blocks = (lacking == 0 ? wide : cat([wide, zeros_like(wide.narrow(1, 0, lacking))], 1)).reshape(-1, each, columns);
        var x = blocks.div(blocks.Squared().sum([1, 2], keepdim: true).sqrt().Add(Epsilon)).to(type);
        for (int step = 0; step < NewtonSchulzSteps; step++)
        {
            using var round = NewDisposeScope();
            var gram = x.bmm(x.transpose(1, 2));
            var polynomial = gram.baddbmm(gram, gram, beta: B, alpha: C); // alpha gram gram + beta gram
            x = polynomial.baddbmm(x, x, beta: A, alpha: 1).MoveToOuterDisposeScope();
        }

        x = x.reshape(-1, count * each, columns).narrow(1, 0, rows);
        return (tall ? x.transpose(1, 2) : x).MoveToOuterDisposeScope();
    }

    // The fewest equal blocks of at most BlockRows rows; together they may have some rows more.
    private static (long Count, long Rows) Blocks(long rows)
    {
        long blocks = (rows + BlockRows - 1) / BlockRows;
        return (blocks, (rows + blocks - 1) / blocks);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _momentum.Dispose();
        _others.Dispose();
    }

    // [1, rows, columns].
    private static Tensor Within(Tensor block, MatrixPlace matrix) => block.as_strided(
        [1, matrix.Rows, matrix.Columns], [matrix.Rows * matrix.Columns, matrix.Columns, 1], matrix.Offset);
}
