using FaceDistill.Native;
using FaceDistill.Students;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Distillation;

/// <summary>A layer's values on the faces of a start, in batches of float32 [n, C, H, W], and what is measured of them.</summary>
internal sealed class Activations(List<Tensor> batches) : IDisposable
{
    /// <summary>The batches; they stay this object's.</summary>
    public IReadOnlyList<Tensor> Batches => batches;

    /// <summary>Puts a layer's output in place of its input, batch by batch.</summary>
    /// <param name="layer">Makes a new tensor of a batch.</param>
    public void Replace(Func<Tensor, Tensor> layer)
    {
        using var inference = no_grad();
        for (int i = 0; i < batches.Count; i++)
        {
            using var scope = NewDisposeScope();
            var made = layer(batches[i]).DetachFromDisposeScope();
            batches[i].Dispose();
            batches[i] = made;
        }
    }

    /// <summary>A layer's output, while its input stays; the caller disposes it.</summary>
    /// <param name="layer">Makes a new tensor of a batch.</param>
    public Activations Map(Func<Tensor, Tensor> layer)
    {
        using var inference = no_grad();
        using var scope = NewDisposeScope();
        return new Activations([.. batches.Select(b => layer(b).DetachFromDisposeScope())]);
    }

    /// <summary>Mean and variance of each channel over faces and positions.</summary>
    public (double[] Mean, double[] Variance) Moments()
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        long count = batches.Sum(b => b.numel() / b.shape[1]);
        double[] Total(Func<Tensor, Tensor> of) => Values(batches.Select(b =>
        {
            using var wide = b.to(ScalarType.Float64);
            using var value = of(wide);
            return value.sum([0, 2, 3]);
        }).Aggregate((a, b) => a.Plus(b)));
        double[] mean = [.. Total(b => b.alias()).Select(s => s / count)];
        using var centre = tensor(mean, [1, mean.Length, 1, 1]);
        return (mean, [.. Total(b => (b - centre).Squared()).Select(s => s / Math.Max(1, count - 1))]);
    }

    /// <inheritdoc/>
    public void Dispose() => batches.ForEach(b => b.Dispose());

    private static double[] Values(Tensor tensor) => tensor.contiguous().data<double>().ToArray();
}

/// <summary>Covariances of a layer's channels, and of these with those of another layer of the same map.</summary>
/// <param name="Mean">float64 [p].</param>
/// <param name="Covariance">float64 [p, p].</param>
/// <param name="OtherMean">float64 [q].</param>
/// <param name="Cross">float64 [p, q].</param>
internal sealed record Covariances(Tensor Mean, Tensor Covariance, Tensor OtherMean, Tensor Cross)
{
    /// <summary>Measures them; the tensors belong to the caller's dispose scope.</summary>
    /// <param name="values">p channels.</param>
    /// <param name="others">q channels of as many faces and positions; null for one that is 0.</param>
    public static Covariances Of(IEnumerable<Tensor> values, IEnumerable<Tensor>? others = null)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        Tensor? sum = null, otherSum = null, squares = null, cross = null;
        long count = 0;
        using var other = others?.GetEnumerator();
        foreach (var value in values)
        {
            using var step = NewDisposeScope();
            var x = Rows(value);
            count += x.shape[0];
            Add(ref sum, x.sum(dim: 0));
            Add(ref squares, x.t().mm(x));
            var z = other?.MoveNext() == true ? Rows(other.Current) : zeros(x.shape[0], 1);
            Add(ref otherSum, z.sum(dim: 0));
            Add(ref cross, x.t().mm(z));
        }

        var (mean, otherMean) = (sum!.Over(count), otherSum!.Over(count));
        return new Covariances(
            mean.MoveToOuterDisposeScope(), (squares!.Over(count) - mean.outer(mean)).MoveToOuterDisposeScope(),
            otherMean.MoveToOuterDisposeScope(), (cross!.Over(count) - mean.outer(otherMean)).MoveToOuterDisposeScope());
    }

    /// <summary>
    /// The matrix [q, p] and the offset [q] with which the channels give the others best, in the least squares, held to a matrix given.
    /// </summary>
    /// <param name="prior">float64 [q, p]: what the matrix is held to.</param>
    /// <param name="ridge">How much, as a part of the channels' mean variance.</param>
    public (Tensor Matrix, Tensor Offset) Solve(Tensor prior, double ridge)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        long p = Mean.shape[0];
        var least = Covariance.diagonal().mean().Times(ridge).Plus(1e-12); // channels that are 0 everywhere have no variance
        var held = Covariance.Plus(eye(p, dtype: ScalarType.Float64).mul_(least));
        var matrix = prior.Plus(linalg.solve(held, Cross - Covariance.mm(prior.t())).t());
        return (matrix.MoveToOuterDisposeScope(), (OtherMean - matrix.mv(Mean)).MoveToOuterDisposeScope());
    }

    private static Tensor Rows(Tensor value) => value.dim() == 4 ? value.permute(0, 2, 3, 1).reshape(-1, value.shape[1]) : value;

    private static void Add(ref Tensor? total, Tensor part)
    {
        using var wide = part.to(ScalarType.Float64);
        if (total is null)
        {
            total = wide.clone().MoveToOuterDisposeScope();
        }
        else
        {
            total.Add(wide);
        }
    }
}
