using FaceDistill.Students;

namespace FaceDistill.Distillation;

/// <summary>Everything that decides a training run besides teacher and faces.</summary>
public sealed record DistillOptions
{
    /// <summary>The student, for example mobilenet-v1:0.5@96.</summary>
    public required string Student { get; init; }

    /// <summary>The head: gap or gdc. Default gap, the better one where it was measured (eval/README.md).</summary>
    public HeadKind Head { get; init; } = HeadKind.Gap;

    /// <summary>Passes over the faces, 1 to 10,000. Default 20.</summary>
    public int Epochs { get; init; } = 20;

    /// <summary>Faces a step, 2 to 4,096. Default 64.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>The highest learning rate, above 0 and at most 1. Default 4e-3.</summary>
    public double LearningRate { get; init; } = 4e-3;

    /// <summary>Epochs over which the learning rate rises linearly from 0: 0 to 100, not necessarily whole. Default 1.</summary>
    public double WarmupEpochs { get; init; } = 1;

    /// <summary>AdamW's decoupled weight decay, 0 to 1; not applied to batch norms and biases. Default 0.02.</summary>
    public double WeightDecay { get; init; } = 0.02;

    /// <summary>Whether each face is mirrored in half of its appearances, with the teacher's embedding of the mirrored face as target. Default true.</summary>
    public bool Mirror { get; init; } = true;

    /// <summary>The part of the faces held out to measure agreement with the teacher, 0 to 0.5. Default 0.02.</summary>
    public double Validation { get; init; } = 0.02;

    /// <summary>Decides initial weights, order and augmentation. Default 1.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>What the convolutions of a step compute in. Default fp32.</summary>
    public PrecisionMode Precision { get; init; } = PrecisionMode.Fp32;

    /// <summary>auto, cpu or cuda. Default auto.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Checks every range.</summary>
    /// <returns>The options themselves.</returns>
    /// <exception cref="FaceDistillException">A value is out of its range; the message names it.</exception>
    public DistillOptions Validated()
    {
        StudentSpec.Parse(Student);
        string? wrong = Epochs is < 1 or > 10_000 ? $"epochs are 1 to 10000, not {Epochs}"
            : BatchSize is < 2 or > 4096 ? $"the batch size is 2 to 4096, not {BatchSize}"
            : !(LearningRate is > 0 and <= 1) ? FormattableString.Invariant($"the learning rate is above 0 and at most 1, not {LearningRate}")
            : !(WarmupEpochs is >= 0 and <= 100) ? FormattableString.Invariant($"warm-up epochs are 0 to 100, not {WarmupEpochs}")
            : !(WeightDecay is >= 0 and <= 1) ? FormattableString.Invariant($"the weight decay is 0 to 1, not {WeightDecay}")
            : !(Validation is >= 0 and <= 0.5) ? FormattableString.Invariant($"the validation part is 0 to 0.5, not {Validation}")
            : null;
        return wrong is null ? this : throw new FaceDistillException(wrong);
    }
}
