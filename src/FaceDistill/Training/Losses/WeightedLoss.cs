using FaceDistill.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Training.Losses;

/// <summary>The sum of a run's losses, each times its weight.</summary>
internal sealed class WeightedLoss : IDisposable
{
    private readonly LossOptions _weights;

    /// <summary>Prepares the losses that have a weight.</summary>
    /// <param name="weights">The weights.</param>
    /// <param name="people">The number of known people, for ArcFace.</param>
    /// <param name="dimension">D.</param>
    /// <param name="seed">Decides ArcFace's first centres.</param>
    /// <param name="device">Where it computes.</param>
    /// <exception cref="FaceDistillException">ArcFace has a weight and there are fewer than two people.</exception>
    public WeightedLoss(LossOptions weights, int people, int dimension, long seed, Device device)
    {
        ArgumentNullException.ThrowIfNull(weights);
        _weights = weights;
        if (weights.ArcFace > 0)
        {
            RequirePeople(people);
            ClassCentres = new ArcFace(people, dimension, seed, weights.ArcFaceScale, weights.ArcFaceMargin);
            ClassCentres.to(device);
        }
    }

    /// <summary>Refuses ArcFace on faces of fewer than two known people.</summary>
    /// <param name="people">The number of known people.</param>
    /// <exception cref="FaceDistillException">There are fewer.</exception>
    public static void RequirePeople(int people)
    {
        if (people < 2)
        {
            throw new FaceDistillException(
                $"ArcFace needs faces of at least two known people, a sub-folder for each, and the data have {people}; leave --loss-arcface out, or add "
                    + "such data");
        }
    }

    /// <summary>The people's centres, which are trained beside the student; null without ArcFace.</summary>
    public ArcFace? ClassCentres { get; }

    /// <summary>Whether a batch's loss is the mean of what each face costs by itself, so that parts of a batch need not know each other.</summary>
    public bool IsOfEachFace => _weights is { Distance: 0, Angle: 0, ArcFace: 0 };

    /// <summary>The loss of a batch.</summary>
    /// <param name="student">float32 [N, D], the network's output.</param>
    /// <param name="target">float32 [N, D], centred and scaled.</param>
    /// <param name="labels">int64 [N], -1 where a person is not known.</param>
    /// <returns>float32 scalar.</returns>
    public Tensor Of(Tensor student, Tensor target, Tensor labels)
    {
        using var scope = NewDisposeScope();
        Tensor? sum = null;
        void Add(double weight, Func<Tensor> loss)
        {
            if (weight > 0)
            {
                var term = weight == 1 ? loss() : loss().Times(weight);
                sum = sum is null ? term : sum.Plus(term);
            }
        }

        Add(_weights.Squared, () => SquaredDifference.Loss(student, target));
        Add(_weights.Cosine, () => CosineDistance.Loss(student, target));
        Add(_weights.Distance, () => RelationalDistance.Loss(student, target));
        Add(_weights.Angle, () => RelationalAngle.Loss(student, target));
        Add(_weights.ArcFace, () => ClassCentres!.Loss(student, labels));
        return sum!.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => ClassCentres?.Dispose();
}
