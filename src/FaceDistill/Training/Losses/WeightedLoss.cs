using System.Text.Json.Serialization;
using FaceDistill.Files;
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
            People = people >= 2 ? new ArcFace(people, dimension, seed, weights.ArcFaceScale, weights.ArcFaceMargin) : throw new FaceDistillException(
                $"ArcFace needs faces of at least two known people, a sub-folder for each, and the data have {people}; leave --loss-arcface out, or add "
                    + $"such data");
            People.to(device);
        }
    }

    /// <summary>The people's centres, which are trained beside the student; null without ArcFace.</summary>
    public ArcFace? People { get; }

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
        Add(_weights.ArcFace, () => People!.Loss(student, labels));
        return sum!.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() => People?.Dispose();
}

/// <summary>The weight of each loss in the sum that training minimises; 0 leaves it out.</summary>
public sealed record LossOptions
{
    /// <summary>The weight of <see cref="SquaredDifference"/>, 0 to 1000. Default 1.</summary>
    public double Squared { get; init; } = 1;

    /// <summary>The weight of <see cref="CosineDistance"/>, 0 to 1000. Default 0.</summary>
    public double Cosine { get; init; }

    /// <summary>The weight of <see cref="RelationalDistance"/>, 0 to 1000; the paper's is 25 beside a task loss, which is too much beside the squared
    /// difference (eval/README.md). Default 0.</summary>
    public double Distance { get; init; }

    /// <summary>The weight of <see cref="RelationalAngle"/>, 0 to 1000; the paper's is 50 beside a task loss, which is too much beside the squared difference
    /// (eval/README.md). Default 0.</summary>
    public double Angle { get; init; }

    /// <summary>The weight of <see cref="FaceDistill.Training.Losses.ArcFace"/>, which needs identities (a sub-folder for each person), 0 to 1000. Alone it is
    /// a training without a teacher. Default 0.</summary>
    public double ArcFace { get; init; }

    /// <summary>What ArcFace multiplies cosines by, 1 to 1000. Default 64, the paper's.</summary>
    public double ArcFaceScale { get; init; } = FaceDistill.Training.Losses.ArcFace.PaperScale;

    /// <summary>ArcFace's margin in radians, 0 to 1. Default 0.5, the paper's; with few faces a person only a smaller one may be learned.</summary>
    public double ArcFaceMargin { get; init; } = FaceDistill.Training.Losses.ArcFace.PaperMargin;

    /// <summary>Whether any loss looks at the teacher.</summary>
    [JsonIgnore]
    public bool IsDistilled => Squared + Cosine + Distance + Angle > 0;

    /// <summary>Checks every range.</summary>
    /// <returns>The options themselves.</returns>
    /// <exception cref="FaceDistillException">A weight is out of its range, or all are 0.</exception>
    public LossOptions Validated()
    {
        foreach (var (name, weight) in new[] { ("squared difference", Squared), ("cosine loss", Cosine), ("distances", Distance), ("angles", Angle),
            ("ArcFace loss", ArcFace) })
        {
            if (!(weight is >= 0 and <= 1000))
            {
                throw new FaceDistillException(InvariantText.Of($"the weight of the {name} is 0 to 1000, not {weight}"));
            }
        }

        string? wrong = Squared + Cosine + Distance + Angle + ArcFace == 0 ? "every loss has the weight 0; give one a weight"
            : !(ArcFaceScale is >= 1 and <= 1000) ? InvariantText.Of($"ArcFace's scale is 1 to 1000, not {ArcFaceScale}")
            : !(ArcFaceMargin is >= 0 and <= 1) ? InvariantText.Of($"ArcFace's margin is 0 to 1 radians, not {ArcFaceMargin}")
            : null;
        return wrong is null ? this : throw new FaceDistillException(wrong);
    }

    /// <inheritdoc/>
    public override string ToString() =>
        string.Join(" + ", new[] { (Squared, "squared"), (Cosine, "cosine"), (Distance, "distance"), (Angle, "angle"), (ArcFace, "ArcFace") }
        .Where(l => l.Item1 > 0).Select(l => l.Item1 == 1 ? l.Item2 : InvariantText.Of($"{l.Item1} {l.Item2}")));
}
