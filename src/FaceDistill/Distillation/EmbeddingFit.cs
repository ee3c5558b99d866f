using FaceDistill.Native;
using FaceDistill.Students;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Distillation;

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
        return FormattableString.Invariant($"embedding layer fitted on {count} faces (squared difference {error:0.000} on a quarter of them left out)");
    }
}
