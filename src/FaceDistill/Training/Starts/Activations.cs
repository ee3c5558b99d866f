using System.Numerics.Tensors;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Students;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace FaceDistill.Training.Starts;

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

/// <summary>
/// Chooses channels one after the other: always the one that explains most of what the chosen ones leave unexplained of some outputs, in the least squares
/// (forward selection; a column's share is taken out of all others as in Gram and Schmidt's orthogonalisation).
/// </summary>
internal static class GreedyChannels
{
    // A channel whose variance is so small a part of the largest holds nothing but rounding.
    private const double Nothing = 1e-9;

    /// <summary>Chooses.</summary>
    /// <param name="covariance">float64 [count, count], that of the channels; it is changed.</param>
    /// <param name="cross">float64 [count, q], channels with outputs; it is changed.</param>
    /// <param name="count">The channels.</param>
    /// <param name="keep">How many are chosen.</param>
    /// <returns>Their places, ascending.</returns>
    public static int[] Choose(double[] covariance, double[] cross, int count, int keep)
    {
        int outputs = cross.Length / count;
        var left = Enumerable.Range(0, count).ToList();
        double floor = Enumerable.Range(0, count).Max(i => covariance[(i * count) + i]) * Nothing;
        var chosen = new List<int>(keep);
        double[] column = new double[count], shares = new double[outputs];
        while (chosen.Count < keep)
        {
            double Gain(int i)
            {
                double own = covariance[(i * count) + i];
                return own > floor ? TensorPrimitives.SumOfSquares<double>(cross.AsSpan(i * outputs, outputs)) / own : 0;
            }

            int best = left.MaxBy(Gain);
            left.Remove(best);
            chosen.Add(best);
            double variance = covariance[(best * count) + best];
            if (variance <= floor)
            {
                continue; // nothing is left to explain: the rest is taken in order
            }

            covariance.AsSpan(best * count, count).CopyTo(column);
            cross.AsSpan(best * outputs, outputs).CopyTo(shares);
            foreach (int i in left)
            {
                double part = -column[i] / variance;
                Span<double> own = covariance.AsSpan(i * count, count), with = cross.AsSpan(i * outputs, outputs);
                TensorPrimitives.MultiplyAdd(column, part, own, own);
                TensorPrimitives.MultiplyAdd(shares, part, with, with);
            }
        }

        return [.. chosen.Order()];
    }
}

/// <summary>
/// The embedding layer that gives the teacher's embeddings best from the features of a network as it is: ridge regression on training faces, held to
/// the layer that was there. How much it is held, a part of the faces decides that is not fitted.
/// </summary>
internal static class EmbeddingFit
{
    private const int FacesPerFeature = 2;
    private const int Parts = 4; // one is not fitted
    private static readonly double[] Ridges = [1e-3, 1e-2, 1e-1, 1, 10, 100];

    /// <summary>Fits the layer.</summary>
    /// <param name="model">The network, on any device.</param>
    /// <param name="faces">Training faces with their targets.</param>
    /// <param name="keep">Whether to begin at the layer as it is; otherwise it counts as 0.</param>
    /// <returns>A few words for the run's line.</returns>
    /// <exception cref="FaceDistillException">A face cannot be read.</exception>
    public static string Apply(MobileNetV1 model, StartFaces faces, bool keep)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var rows = new List<(Tensor Features, Tensor Targets)>();
        foreach (var (input, targets) in faces.Batches(Math.Max(faces.Count, FacesPerFeature * model.Architecture.Features)))
        {
            using (input)
            {
                rows.Add((StartLayers.Features(model, input), targets));
            }
        }

        var features = cat(rows.Select(r => r.Features).ToArray()).to(ScalarType.Float64);
        var wanted = cat(rows.Select(r => r.Targets).ToArray()).to(ScalarType.Float64);
        rows.ForEach(r => r.Targets.Dispose());
        var (weight, bias) = model.EmbeddingLayer;
        var prior = keep ? weight.detach().cpu().to(ScalarType.Float64) : zeros(weight.shape, ScalarType.Float64);
        long count = features.shape[0], fitted = count - (count / Parts);
        Covariances Of(long from, long length) => Covariances.Of([features.narrow(0, from, length)], [wanted.narrow(0, from, length)]);
        var part = Of(0, fitted);
        var (testFeatures, testWanted) = (features.narrow(0, fitted, count - fitted), wanted.narrow(0, fitted, count - fitted));
        double Error(double ridge)
        {
            using var step = NewDisposeScope();
            var (matrix, offset) = part.Solve(prior, ridge);
            return (testFeatures.mm(matrix.t()).Plus(offset) - testWanted).Squared().mean().item<double>();
        }

        var tried = Ridges.Select(r => (Ridge: r, Error: Error(r))).ToList();
        var (best, error) = tried.MinBy(t => t.Error);
        var (all, shift) = Of(0, count).Solve(prior, best);
        StartLayers.Put(weight, StartLayers.Values(all.to(ScalarType.Float32)));
        StartLayers.Put(bias, StartLayers.Values(shift.to(ScalarType.Float32)));
        return InvariantText.Of($"embedding layer fitted on {count} faces (squared difference {error:0.000} on a quarter of them left out)");
    }
}
