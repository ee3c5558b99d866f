using System.Text.Json.Serialization;
using FaceDistill.Files;
using FaceDistill.Kernels;
using FaceDistill.Training.Optimizers;

namespace FaceDistill.Training.Options;

/// <summary>How long a run goes on, and how its steps are computed.</summary>
public sealed record TrainingRunOptions
{
    /// <summary>Passes over the faces, 1 to 10,000. Default 20.</summary>
    public int Epochs { get; init; } = 20;

    /// <summary>Faces a step, 2 to 4,096. Default 64.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Minutes that the training may take, above 0 and at most 100,000; the epochs are then as many as fit by a measurement at the beginning. Default
    /// null: as many as asked for.</summary>
    public double? Minutes { get; init; }

    /// <summary>The part of the resolution at which the first epochs are trained, 0.3 to 1 (none); see <see cref="ResolutionSchedule"/>. Default 1.</summary>
    public double Progressive { get; init; } = 1;

    /// <summary>Decides initial weights, order and augmentation. Default 1.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>What the convolutions of a step compute in. Default auto: the faster one here; bf16 cost no quality that was measured
    /// (eval/README.md).</summary>
    public PrecisionMode Precision { get; init; } = PrecisionMode.Auto;

    /// <summary>
    /// In how many parts a batch is computed at once on the CPU, each by a copy of the student with threads of its own and with batch norm over its part, 1 to
    /// 64 and at
    /// most half the batch. Default null: one for each of torch's threads as long as each gets <see cref="FaceDistill.Training.Replicas.LeastFaces"/> faces;
    /// the run keeps
    /// what it began with.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Replicas { get; init; }

    /// <summary>
    /// Minutes after which a checkpoint is written within an epoch, 0 (at epochs' ends and when the run stops, no others) to 100,000. Default 10: a killed run
    /// loses no more. It does not decide what the student becomes.
    /// </summary>
    public double CheckpointMinutes { get; init; } = 10;

    /// <summary>
    /// Gigabytes (10^9 bytes) of memory in which a process keeps decoded pictures, so that each is decoded once, 0 (none) to 1,000,000. Default null: a third
    /// of what processes may use on the machine, shared by those that train together on it. It does not decide what the student becomes.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? PictureMemory { get; init; }

    /// <summary>auto, cpu or cuda. Default auto.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Checks every range.</summary>
    /// <returns>The options themselves.</returns>
    /// <exception cref="FaceDistillException">A value is out of its range; the message names it.</exception>
    public TrainingRunOptions Validated()
    {
        string? wrong = Epochs is < 1 or > 10_000 ? $"epochs are 1 to 10000, not {Epochs}"
            : BatchSize is < 2 or > 4096 ? $"the batch size is 2 to 4096, not {BatchSize}"
            : !(Minutes is null or (> 0 and <= 100_000)) ? InvariantText.Of($"minutes are above 0 and at most 100000, not {Minutes}")
            : !(Progressive is >= 0.3 and <= 1) ? InvariantText.Of($"the first part of the resolution is 0.3 to 1, not {Progressive}")
            : Replicas is < 1 or > 64 ? $"replicas are 1 to 64, not {Replicas}"
            : Replicas > BatchSize / 2 ? $"{Replicas} replicas would have less than two faces each of a batch of {BatchSize}; give fewer --replicas"
            : !(CheckpointMinutes is >= 0 and <= 100_000) ? InvariantText.Of($"minutes between checkpoints are 0 to 100000, not {CheckpointMinutes}")
            : !(PictureMemory is null or (>= 0 and <= 1_000_000)) ? InvariantText.Of($"gigabytes for pictures are 0 to 1000000, not {PictureMemory}")
            : !TorchDevice.Names.Contains(Device) ? $"no device '{Device}'; there are {string.Join(", ", TorchDevice.Names)}"
            : null;
        return wrong is null ? this : throw new FaceDistillException(wrong);
    }
}

/// <summary>What the convolutions of a training step compute in; weights and optimizer are float32 always.</summary>
public enum PrecisionMode
{
    /// <summary>float32.</summary>
    Fp32,

    /// <summary>bfloat16, with float32 sums.</summary>
    Bf16,

    /// <summary>The faster of the two here, by the processor's instructions (elsewhere by a short measurement); the checkpoint keeps the choice.</summary>
    Auto,
}
