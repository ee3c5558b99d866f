using FaceDistill.Kernels;
using FaceDistill.Students;
using FaceDistill.Training.Optimizers;
using MathNet.Numerics.LinearAlgebra;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Training.Optimizers;

public sealed class MuonStateTests
{
    private const double Rate = 0.01, Decay = 0.1;

    public MuonStateTests() => TorchNative.EnsureLoaded();

    [Theory]
    [InlineData(0.25)]
    [InlineData(0.3)] // 153 and 307 rows
    public void Steps_of_matrices_equal_a_plain_twin_in_float64_and_the_rest_follows_AdamW(double width)
    {
        var architecture = new MobileNetV1Architecture(new StudentSpec(width, 64), HeadKind.Gdc, 8);
        using var model = new MobileNetV1(architecture, seed: 1);
        using var same = new MobileNetV1(architecture, seed: 1);
        using var muon = new MuonState(model, Decay);
        using var adamW = new AdamWState(same, Decay);
        var twins = model.named_parameters().Where(p => p.parameter.dim() > 1 && p.parameter.shape[1] > 1)
            .ToDictionary(p => p.name, p => new Twin(Rows(p.parameter)));
        Assert.Equal(["conv0.weight", .. Enumerable.Range(1, 13).Select(i => $"pw{i}.weight"), "embedding.weight"], twins.Keys);
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        for (int step = 0; step < 3; step++)
        {
            muon.ZeroGradients();
            adamW.ZeroGradients();
            foreach (var ((name, ours), theirs) in model.named_parameters().Zip(same.parameters()))
            {
                var gradient = randn(ours.shape, generator: generator);
                ours.grad!.copy_(gradient);
                theirs.grad!.copy_(gradient);
                if (twins.TryGetValue(name, out var twin))
                {
                    twin.Step(Rows(gradient));
                }
            }

            muon.Step(Rate);
            adamW.Step(Rate);
        }

        Assert.Equal(3, muon.Steps);
        foreach (var ((name, ours), theirs) in model.named_parameters().Zip(same.parameters()))
        {
            double difference = twins.TryGetValue(name, out var twin)
                ? (Rows(ours) - twin.Weight).Enumerate().Max(Math.Abs)
                : (ours - theirs).abs().max().item<float>();
            Assert.True(difference < 2e-5, FormattableString.Invariant($"{name} differs by {difference}"));
        }
    }

    [Theory]
    [InlineData(24, 64)]
    [InlineData(64, 24)]
    [InlineData(64, 64)]
    [InlineData(192, 200)] // two blocks of 96 rows
    public void A_step_leaves_singular_vectors_and_brings_singular_values_near_one(long rows, long columns)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var matrices = randn([2, rows, columns], generator: generator);
        foreach (var (type, most) in new[] { (ScalarType.Float32, 1e-4), (ScalarType.BFloat16, 0.05) })
        {
            var result = MuonState.Orthogonalize(matrices, type);
            Assert.Equal(type, result.dtype);
            result = result.to(ScalarType.Float32);
            for (int i = 0; i < 2; i++)
            {
                var ofBlocks = rows > 128 ? result[i].narrow(0, 0, rows / 2) : result[i];
                var (u, s, vh) = linalg.svd(rows > 128 ? matrices[i].narrow(0, 0, rows / 2) : matrices[i], fullMatrices: false);
                var core = u.t().matmul(ofBlocks).matmul(vh.t());
                var values = core.diagonal();
                Assert.True((core - diag(values)).abs().max().item<float>() < most, "singular vectors were turned");
                // The smallest of a square random matrix may need more than five steps to come up.
                Assert.InRange(values.max().item<float>(), 0.7, 1.25);
                Assert.True(values.topk((int)s.numel() * 9 / 10).values.min().item<float>() > 0.6, "singular values stayed small");
            }
        }
    }

    [Theory]
    [InlineData(307, 307)] // a prime
    [InlineData(179, 358)]
    [InlineData(358, 179)]
    [InlineData(260, 300)] // would part evenly in four, does not in three
    public void Rows_that_do_not_part_evenly_are_the_fewest_blocks_all_the_same(long rows, long columns)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var matrices = randn([2, rows, columns], generator: generator);
        var result = MuonState.Orthogonalize(matrices, ScalarType.Float32);
        Assert.Equal([2, rows, columns], result.shape);
        for (int i = 0; i < 2; i++)
        {
            double difference = (Rows(result[i]) - Twin.Direction(Rows(matrices[i]))).Enumerate().Max(Math.Abs);
            Assert.True(difference < 2e-4, FormattableString.Invariant($"differs by {difference}"));
        }
    }

    [Fact]
    public void State_is_the_momentum_of_matrices_and_AdamWs_moments_of_the_rest()
    {
        using var model = new MobileNetV1(new MobileNetV1Architecture(new StudentSpec(0.25, 64), HeadKind.Gap, 8), seed: 1);
        using var muon = new MuonState(model, Decay);
        string[] names = [.. muon.Tensors().Select(t => t.Name)];
        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.Contains("pw13.weight.momentum", names);
        Assert.Contains("dw1.weight.exp_avg", names);
        Assert.Contains("embedding.bias.exp_avg_sq", names);
        Assert.DoesNotContain("pw13.weight.exp_avg", names);
        Assert.DoesNotContain("dw1.weight.momentum", names);
        Assert.Equal(model.parameters().Sum(p => p.numel()), muon.Tensors().Where(t => !t.Name.EndsWith("_sq", StringComparison.Ordinal))
            .Sum(t => t.Tensor.numel()));
    }

    // [out, kh kw in]: the order of columns changes nothing in an orthogonalised matrix but the order of its columns.
    private static Matrix<double> Rows(Tensor filter)
    {
        using var scope = NewDisposeScope();
        var flat = (filter.dim() == 4 ? filter.permute(0, 2, 3, 1) : filter).reshape(filter.shape[0], -1).contiguous();
        return Matrix<double>.Build.Dense((int)flat.shape[0], (int)flat.shape[1], (r, c) => flat[r, c].item<float>());
    }

    /// <summary>The formulas of the documentation, one matrix at a time in float64.</summary>
    private sealed class Twin(Matrix<double> weight)
    {
        private Matrix<double> _momentum = Matrix<double>.Build.Dense(weight.RowCount, weight.ColumnCount);

        public Matrix<double> Weight { get; private set; } = weight;

        public void Step(Matrix<double> gradient)
        {
            _momentum = (0.95 * _momentum) + (0.05 * gradient);
            var update = (0.95 * _momentum) + (0.05 * gradient);
            Weight = ((1 - (Rate * Decay)) * Weight) - (Rate * 0.2 * Math.Sqrt(Math.Max(update.RowCount, update.ColumnCount)) * Direction(update));
        }

        // The last block has what is left.
        public static Matrix<double> Direction(Matrix<double> update)
        {
            bool tall = update.RowCount > update.ColumnCount;
            var wide = tall ? update.Transpose() : update.Clone();
            double blocks = Math.Ceiling(wide.RowCount / 128.0);
            int rows = (int)Math.Ceiling(wide.RowCount / blocks);
            for (int first = 0; first < wide.RowCount; first += rows)
            {
                wide.SetSubMatrix(first, 0, Orthogonal(wide.SubMatrix(first, Math.Min(rows, wide.RowCount - first), 0, wide.ColumnCount)));
            }

            return tall ? wide.Transpose() : wide;
        }

        private static Matrix<double> Orthogonal(Matrix<double> block)
        {
            var x = block / block.FrobeniusNorm();
            for (int step = 0; step < 5; step++)
            {
                var gram = x * x.Transpose();
                x = (3.4445 * x) + (((-4.7750 * gram) + (2.0315 * gram * gram)) * x);
            }

            return x;
        }
    }
}
