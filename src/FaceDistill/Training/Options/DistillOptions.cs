using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Students;
using FaceDistill.Training.Losses;
using FaceDistill.Training.Optimizers;
using FaceDistill.Views;

namespace FaceDistill.Training.Options;

/// <summary>Everything that decides a training run besides teacher and faces.</summary>
public sealed record DistillOptions
{
    /// <summary>The student, for example mobilenet-v1:0.5@96.</summary>
    public required string Student { get; init; }

    /// <summary>The head: gap or gdc. Default gdc, the better one where it was measured (eval/README.md, "What each part is worth").</summary>
    public HeadKind Head { get; init; } = HeadKind.Gdc;

    /// <summary>The embedding's length, 1 to 4,096 and at most the teacher's; a shorter one is the teacher's through a projector. Default null: the
    /// teacher's.</summary>
    public int? Dimension { get; init; }

    /// <summary>What is minimised. Default the squared difference alone.</summary>
    public LossOptions Loss { get; init; } = new();

    /// <summary>Passes over the faces, 1 to 10,000. Default 20.</summary>
    public int Epochs { get; init; } = 20;

    /// <summary>Faces a step, 2 to 4,096. Default 64.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Minutes that the training may take, above 0 and at most 100,000; the epochs are then as many as fit by a measurement at the beginning. Default
    /// null: as many as asked for.</summary>
    public double? Minutes { get; init; }

    /// <summary>adamw, muon or sgd (Nesterov's momentum 0.9). Default muon: it needs less than half of AdamW's epochs (eval/README.md).</summary>
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.Muon;

    /// <summary>The highest learning rate, above 0 and at most 1. Default <see cref="UsualLearningRate"/> of Muon without a start.</summary>
    public double LearningRate { get; init; } = UsualLearningRate(OptimizerKind.Muon);

    /// <summary>How the learning rate falls: cosine, linear or wsd (stable, then linear over the last third). Default linear: at few epochs it learned more
    /// than cosine (eval/README.md).</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Linear;

    /// <summary>Epochs over which the learning rate rises linearly from 0: 0 to 100, not necessarily whole. Default 0.3.</summary>
    public double WarmupEpochs { get; init; } = 0.3;

    /// <summary>
    /// The weight decay, 0 to 1: decoupled with AdamW and Muon, added to the gradient with SGD; not applied to batch norms and biases. Default
    /// <see cref="UsualWeightDecay"/> of Muon.
    /// </summary>
    public double WeightDecay { get; init; } = UsualWeightDecay(OptimizerKind.Muon);

    /// <summary>The decay of the weights' moving average, which is what is measured and exported: 0 (none) or up to 0.99999. Default 0: beside a learning rate
    /// that falls to 0 it was worth nothing (eval/README.md).</summary>
    public double Ema { get; init; }

    /// <summary>The largest norm of a step's gradients, 0 (no limit) to 1000. Default 1.</summary>
    public double Clip { get; init; } = 1;

    /// <summary>Which student is exported and evaluated: best (by the held-out people's true accept rate, else by the centred cosine on the held-out faces) or
    /// last. Default best.</summary>
    public KeepKind Keep { get; init; }

    /// <summary>Epochs without a better one after which the training ends, 0 (never) to 10,000. Default 0.</summary>
    public int Patience { get; init; }

    /// <summary>The part of the resolution at which the first epochs are trained, 0.3 to 1 (none); see <see cref="ResolutionSchedule"/>. Default 1.</summary>
    public double Progressive { get; init; } = 1;

    /// <summary>
    /// The run folder or checkpoint whose weights the student starts with, or the card of a published backbone (a name or a .json file), of the same or a
    /// greater width;
    /// see weight transfer. Default null: random weights.
    /// </summary>
    public string? Init { get; init; }

    /// <summary>Which channels of a wider start are kept. Default reconstruction.</summary>
    public ChannelRule InitChannels { get; init; } = ChannelRule.Reconstruction;

    /// <summary>Whether layers that lost inputs to a narrower student are fitted on training faces to what the wide ones compute. Default true.</summary>
    public bool InitRefit { get; init; } = true;

    /// <summary>Whether each face is mirrored in half of its appearances, with the teacher's embedding of the mirrored face as target. Default true.</summary>
    public bool Mirror { get; init; } = true;

    /// <summary>How much the views that train differ from the aligned face; each with the teacher's embedding of the same view. Default none.</summary>
    public AugmentOptions Augment { get; init; } = AugmentOptions.None;

    /// <summary>Whether the teacher embeds augmented views beforehand or while the student trains. Default cached.</summary>
    public TargetMode Targets { get; init; }

    /// <summary>With cached targets, how many augmented views of each face the teacher embeds, 1 to 256. Default 8.</summary>
    public int Views { get; init; } = 8;

    /// <summary>Alpha of MixUp's beta distribution, 0 (none) to 10; with live targets only. Default 0.</summary>
    public double MixUp { get; init; }

    /// <summary>Whether training shows other views than the aligned and the mirrored face.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsAugmented => Targets == TargetMode.Live || Augment != AugmentOptions.None;

    /// <summary>The part of the faces held out to measure agreement with the teacher, 0 to 0.5. Default 0.02.</summary>
    public double Validation { get; init; } = 0.02;

    /// <summary>
    /// How many people with two pictures or more are held out with all their pictures, to choose the best epoch by their true accept rate, 0 (none) to 100,000;
    /// see people held out for who they are. Default null: a tenth of those who could be, at most 300, where there are 100 or more and their pairs
    /// permit a measurement; without a teacher none.
    /// </summary>
    [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
    public int? ValidationPeople { get; init; }

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
    [System.Text.Json.Serialization.JsonIgnore(Condition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull)]
    public int? Replicas { get; init; }

    /// <summary>
    /// Minutes after which a checkpoint is written within an epoch, 0 (at epochs' ends and when the run stops, no others) to 100,000. Default 10: a killed run
    /// loses no more. It does not decide what the student becomes.
    /// </summary>
    public double CheckpointMinutes { get; init; } = 10;

    /// <summary>auto, cpu or cuda. Default auto.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>
    /// A learning rate to begin with: for Muon 1.6e-2, or 8e-3 where the student starts from another one or a backbone; 4e-3 for AdamW (both in
    /// eval/README.md); 0.1 for
    /// SGD, the usual rate with momentum 0.9.
    /// </summary>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="starts">Whether the student starts from other weights than random ones.</param>
    public static double UsualLearningRate(OptimizerKind optimizer, bool starts = false) => optimizer switch
    {
        OptimizerKind.AdamW => 4e-3,
        OptimizerKind.Muon => starts ? 8e-3 : 1.6e-2,
        _ => 0.1,
    };

    /// <summary>The options with another start; a learning rate that was the usual one becomes that of the start.</summary>
    /// <param name="init">See <see cref="Init"/>.</param>
    public DistillOptions From(string? init) => this with
    {
        Init = init,
        LearningRate = LearningRate == UsualLearningRate(Optimizer, Init is not null) ? UsualLearningRate(Optimizer, init is not null) : LearningRate,
    };

    /// <summary>
    /// A weight decay to begin with: 0.1 for Muon (Liu et al., 2025, and eval/README.md) and 0.02 for AdamW, which multiply it by the learning rate only; 1e-4
    /// for SGD.
    /// </summary>
    /// <param name="optimizer">The optimizer.</param>
    public static double UsualWeightDecay(OptimizerKind optimizer) => optimizer switch { OptimizerKind.AdamW => 0.02, OptimizerKind.Muon => 0.1, _ => 1e-4 };

    /// <summary>The options with the optimizer's usual learning rate, weight decay, or both.</summary>
    /// <param name="rate">Whether to take the usual learning rate.</param>
    /// <param name="decay">Whether to take the usual weight decay.</param>
    public DistillOptions WithUsual(bool rate, bool decay) => this with
    {
        LearningRate = rate ? UsualLearningRate(Optimizer, Init is not null) : LearningRate,
        WeightDecay = decay ? UsualWeightDecay(Optimizer) : WeightDecay,
    };

    /// <summary>The options with what a run decided by measurement at its beginning: the precision, the epochs of a time budget, how many people it held out
    /// and its replicas.</summary>
    /// <param name="decided">The options of the run's checkpoint.</param>
    public DistillOptions With(DistillOptions decided)
    {
        ArgumentNullException.ThrowIfNull(decided);
        return this with
        {
            Epochs = Minutes is null ? Epochs : decided.Epochs,
            Precision = Precision == PrecisionMode.Auto ? decided.Precision : Precision,
            ValidationPeople = ValidationPeople ?? decided.ValidationPeople,
            Replicas = Replicas ?? decided.Replicas,
        };
    }

    /// <summary>Checks every range.</summary>
    /// <returns>The options themselves.</returns>
    /// <exception cref="FaceDistillException">A value is out of its range; the message names it.</exception>
    public DistillOptions Validated()
    {
        StudentSpec.Parse(Student);
        Augment.Validated();
        Loss.Validated();
        string? wrong = Epochs is < 1 or > 10_000 ? $"epochs are 1 to 10000, not {Epochs}"
            : BatchSize is < 2 or > 4096 ? $"the batch size is 2 to 4096, not {BatchSize}"
            : !(LearningRate is > 0 and <= 1) ? InvariantText.Of($"the learning rate is above 0 and at most 1, not {LearningRate}")
            : !(WarmupEpochs is >= 0 and <= 100) ? InvariantText.Of($"warm-up epochs are 0 to 100, not {WarmupEpochs}")
            : !(Minutes is null or (> 0 and <= 100_000)) ? InvariantText.Of($"minutes are above 0 and at most 100000, not {Minutes}")
            : !(CheckpointMinutes is >= 0 and <= 100_000) ? InvariantText.Of($"minutes between checkpoints are 0 to 100000, not {CheckpointMinutes}")
            : !(Ema is >= 0 and <= 0.99999) ? InvariantText.Of($"the decay of the moving average is 0 to 0.99999, not {Ema}")
            : !(Clip is >= 0 and <= 1000) ? InvariantText.Of($"the clipping norm is 0 to 1000, not {Clip}")
            : Patience is < 0 or > 10_000 ? $"the patience is 0 to 10000 epochs, not {Patience}"
            : !(Progressive is >= 0.3 and <= 1) ? InvariantText.Of($"the first part of the resolution is 0.3 to 1, not {Progressive}")
            : Progressive < 1 && Head == HeadKind.Gdc ? "progressive resolution needs the gap head: gdc's weights fit one resolution only"
            : Replicas is < 1 or > 64 ? $"replicas are 1 to 64, not {Replicas}"
            : Replicas > BatchSize / 2 ? $"{Replicas} replicas would have less than two faces each of a batch of {BatchSize}; give fewer --replicas"
            : ValidationPeople is < 0 or > 100_000 ? $"the people held out are 0 to 100000, not {ValidationPeople}"
            : Patience > 0 && Validation == 0 && ValidationPeople is not > 0
                ? "patience needs held-out faces or people; give --validation or --validation-people above 0"
            : !(WeightDecay is >= 0 and <= 1) ? InvariantText.Of($"the weight decay is 0 to 1, not {WeightDecay}")
            : !(Validation is >= 0 and <= 0.5) ? InvariantText.Of($"the validation part is 0 to 0.5, not {Validation}")
            : Views is < 1 or > 256 ? $"the cached views of a face are 1 to 256, not {Views}"
            : !(MixUp is >= 0 and <= 10) ? InvariantText.Of($"MixUp's alpha is 0 to 10, not {MixUp}")
            : MixUp > 0 && Targets != TargetMode.Live ? "MixUp needs live targets: no embedding made beforehand fits a blend; give --targets live"
            : Dimension is < 1 or > 4096 ? $"the embedding's length is 1 to 4096, not {Dimension}"
            : Loss.Angle > 0 && BatchSize > RelationalAngle.MaxBatch
                ? $"the angle loss takes batches of at most {RelationalAngle.MaxBatch} faces, since it looks at all triples; lower --batch-size"
            : Loss.ArcFace > 0 && MixUp > 0 ? "a blend of two faces is nobody's: MixUp and ArcFace exclude each other"
            : !Loss.IsDistilled && Targets == TargetMode.Live
                ? "without a loss that looks at the teacher there is nothing to embed live; leave --targets live out"
            : !Loss.IsDistilled && Patience > 0 && ValidationPeople is not > 0
                ? "without a teacher only held-out people can tell a best epoch; give --validation-people, or leave --patience out"
            : null;
        return wrong is null ? this : throw new FaceDistillException(wrong);
    }
}

/// <summary>Which student of a run is exported and evaluated.</summary>
public enum KeepKind
{
    /// <summary>
    /// The one of the best epoch: by the held-out people's true accept rate, or by the centred cosine on held-out faces (best epoch).
    /// </summary>
    Best,

    /// <summary>The one at the end of the last epoch.</summary>
    Last,
}

/// <summary>What the convolutions of a training step compute in; weights and optimizer are float32 always.</summary>
public enum PrecisionMode
{
    /// <summary>float32.</summary>
    Fp32,

    /// <summary>bfloat16, with float32 sums.</summary>
    Bf16,

    /// <summary>The faster of the two here, found by a short measurement when the run starts; the checkpoint keeps the choice.</summary>
    Auto,
}

/// <summary>Which channels of a wider start a narrower student keeps.</summary>
public enum ChannelRule
{
    /// <summary>Those whose filters have the largest L1 norm (Li et al., "Pruning filters for efficient ConvNets", 2017).</summary>
    L1,

    /// <summary>
    /// Those whose batch norms have the largest weight (Liu et al., "Learning efficient convolutional networks through network slimming", 2017).
    /// </summary>
    BatchNorm,

    /// <summary>
    /// Those from which, on training faces, most of the next pointwise layer's output can be computed: chosen one after the other, each with
    /// what the ones before it leave unexplained (in the manner of Luo et al., "ThiNet", 2017).
    /// </summary>
    Reconstruction,
}
