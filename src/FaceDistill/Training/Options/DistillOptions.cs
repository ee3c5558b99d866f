using System.Text.Json.Serialization;
using FaceDistill.Files;
using FaceDistill.Students;
using FaceDistill.Training.Losses;

namespace FaceDistill.Training.Options;

/// <summary>Everything that decides a training run besides teacher and faces. In files the groups' members stand side by side, in an order of their
/// own.</summary>
[JsonMemberOrder("student head dimension loss epochs batchSize minutes optimizer learningRate schedule warmupEpochs weightDecay ema clip keep patience "
    + "progressive init initChannels initRefit mirror augment targets views mixUp validation validationPeople seed precision replicas checkpointMinutes "
    + "pictureMemory device")]
public sealed record DistillOptions
{
    /// <summary>The student, and what it starts with.</summary>
    [JsonFlattened]
    public required StudentOptions Student { get; init; }

    /// <summary>What is minimised. Default the squared difference alone.</summary>
    public LossOptions Loss { get; init; } = new();

    /// <summary>How long, and how a step is computed.</summary>
    [JsonFlattened]
    public TrainingRunOptions Run { get; init; } = new();

    /// <summary>How gradients become steps.</summary>
    [JsonFlattened]
    public OptimizerOptions Optimizer { get; init; } = new();

    /// <summary>Which views train.</summary>
    [JsonFlattened]
    public TargetOptions Targets { get; init; } = new();

    /// <summary>What is held out, and what it decides.</summary>
    [JsonFlattened]
    public HeldOutOptions HeldOut { get; init; } = new();

    /// <summary>The part of the faces that is held out: none where nothing is learned of a teacher, whose embeddings of them would be compared.</summary>
    [JsonIgnore]
    internal double HeldPart => Loss.IsDistilled ? HeldOut.Part : 0;

    /// <summary>The options with another start; a learning rate that was the usual one becomes that of the start.</summary>
    /// <param name="init">See <see cref="StudentOptions.Init"/>.</param>
    internal DistillOptions From(string? init)
    {
        bool usual = Optimizer.LearningRate == OptimizerOptions.UsualLearningRate(Optimizer.Kind, Student.Init is not null);
        return (this with { Student = Student with { Init = init } }).WithUsual(rate: usual, decay: false);
    }

    /// <summary>The options with the optimizer's usual learning rate, weight decay, or both.</summary>
    /// <param name="rate">Whether to take the usual learning rate.</param>
    /// <param name="decay">Whether to take the usual weight decay.</param>
    internal DistillOptions WithUsual(bool rate, bool decay) => this with
    {
        Optimizer = Optimizer with
        {
            LearningRate = rate ? OptimizerOptions.UsualLearningRate(Optimizer.Kind, Student.Init is not null) : Optimizer.LearningRate,
            WeightDecay = decay ? OptimizerOptions.UsualWeightDecay(Optimizer.Kind) : Optimizer.WeightDecay,
        },
    };

    /// <summary>The options with what a run decided by measurement at its beginning: the precision, the time budget and its epochs, how many people it held
    /// out and its replicas.</summary>
    /// <param name="decided">The options of the run's checkpoint.</param>
    internal DistillOptions With(DistillOptions decided)
    {
        ArgumentNullException.ThrowIfNull(decided);
        return this with
        {
            Run = Run with
            {
                Minutes = Run.Minutes ?? decided.Run.Minutes,
                Epochs = Run.Minutes is null ? Run.Epochs : decided.Run.Epochs,
                Precision = Run.Precision == PrecisionMode.Auto ? decided.Run.Precision : Run.Precision,
                Replicas = Run.Replicas ?? decided.Run.Replicas,
            },
            HeldOut = HeldOut with { People = HeldOut.People ?? decided.HeldOut.People },
        };
    }

    /// <summary>Checks every range, and what one group asks of another.</summary>
    /// <returns>The options themselves.</returns>
    /// <exception cref="FaceDistillException">A value is out of its range, or two do not go together; the message names it.</exception>
    public DistillOptions Validated()
    {
        Student.Validated();
        Loss.Validated();
        Run.Validated();
        Optimizer.Validated();
        Targets.Validated();
        HeldOut.Validated();
        string? wrong = Run.Progressive < 1 && Student.Head == HeadKind.Gdc
                ? "progressive resolution needs the gap head: gdc's weights fit one resolution only"
            : Loss.Angle > 0 && Run.BatchSize > RelationalAngle.MaxBatch
                ? $"the angle loss takes batches of at most {RelationalAngle.MaxBatch} faces, since it looks at all triples; lower --batch-size"
            : Loss.Angle > 0 && Run.BatchSize < RelationalAngle.MinBatch
                ? $"the angle loss takes batches of at least {RelationalAngle.MinBatch} faces, since it looks at triples; raise --batch-size"
            : Loss.ArcFace > 0 && Targets.MixUp > 0 ? "a blend of two faces is nobody's: MixUp and ArcFace exclude each other"
            : !Loss.IsDistilled && Targets.Mode == TargetMode.Live
                ? "without a loss that looks at the teacher there is nothing to embed live; leave --targets live out"
            : !Loss.IsDistilled && HeldOut.Patience > 0 && HeldOut.People is not > 0
                ? "without a teacher only held-out people can tell a best epoch; give --validation-people, or leave --patience out"
            : null;
        return wrong is null ? this : throw new FaceDistillException(wrong);
    }
}
