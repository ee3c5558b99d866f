using FaceDistill.Cluster;
using FaceDistill.Faces;
using FaceDistill.Students;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Losses;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Training;

/// <summary>What one step came to.</summary>
/// <param name="Loss">The loss before the update.</param>
/// <param name="GradientNorm">The gradients' norm before clipping.</param>
internal readonly record struct StepResult(double Loss, double GradientNorm)
{
    /// <summary>Whether both are numbers; where not, nothing was updated.</summary>
    public bool IsFinite => double.IsFinite(Loss) && double.IsFinite(GradientNorm);
}

/// <summary>One student being trained: its weights, optimizer and moving average, and the step that changes them.</summary>
internal sealed class TrainingStep : IDisposable
{
    private readonly ModelInputSpec _contract;
    private readonly Device _device;
    private readonly double _clip;
    private readonly Ranks? _ranks;
    private Replicas? _replicas;

    /// <summary>Makes a student with random weights.</summary>
    /// <param name="description">The student.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="device">Where it computes.</param>
    /// <param name="people">How many people the faces' identities name, for ArcFace.</param>
    /// <param name="ranks">The processes that train together; null for this one alone.</param>
    /// <exception cref="FaceDistillException">ArcFace is asked for and there are fewer than two people; there are more ranks than parts of a batch.</exception>
    public TrainingStep(StudentDescription description, DistillOptions options, Device device, int people = 0, Ranks? ranks = null)
    {
        ArgumentNullException.ThrowIfNull(description);
        ArgumentNullException.ThrowIfNull(options);
        (_contract, _device, _clip, _ranks) = (description.Contract, device, options.Optimizer.Clip, ranks);
        Model = new MobileNetV1(description.Architecture(), options.Run.Seed);
        Model.to(device);
        Model.TrainingType = options.Run.Precision == PrecisionMode.Auto ? Model.TrainingType : PrecisionChoice.TypeOf(options.Run.Precision);
        Loss = new WeightedLoss(options.Loss, people, description.Dimension, options.Run.Seed, device);
        Optimizer = options.Optimizer.Kind switch
        {
            OptimizerKind.AdamW => new AdamWState(Model, options.Optimizer.WeightDecay, Loss.ClassCentres),
            OptimizerKind.Muon => new MuonState(Model, options.Optimizer.WeightDecay, Loss.ClassCentres, ranks),
            OptimizerKind.Sgd => new NesterovState(Model, options.Optimizer.WeightDecay, Loss.ClassCentres),
            _ => throw new ArgumentOutOfRangeException(nameof(options), options.Optimizer.Kind, "no such optimizer"),
        };
        Ema = options.Optimizer.Ema > 0 ? new EmaWeights(Model, options.Optimizer.Ema, device) : null;
        Split(options.Run.Replicas ?? Replicas.Usual(options.Run.BatchSize, device.type, ranks?.Count ?? 1));
    }

    /// <summary>
    /// Sets in how many parts a batch is computed (<see cref="TrainingRunOptions.Replicas"/>), at once on the CPU. A GPU computes its rank's faces whole.
    /// </summary>
    /// <param name="replicas">1 or more.</param>
    /// <exception cref="FaceDistillException">There are more ranks.</exception>
    internal void Split(int replicas)
    {
        Parts = BatchParts.Of(_device.type == DeviceType.CPU ? replicas : _ranks?.Count ?? 1, _ranks);
        _replicas?.Dispose();
        _replicas = Parts.Whole > 1 ? new Replicas(Model, Optimizer.Weights, Parts, _ranks) : null;
    }

    /// <summary>The parts of a batch that are computed here.</summary>
    internal BatchParts Parts { get; private set; }

    /// <summary>The network that is trained.</summary>
    public MobileNetV1 Model { get; }

    /// <summary>What is minimised.</summary>
    public WeightedLoss Loss { get; }

    /// <summary>The optimizer.</summary>
    public IStudentOptimizer Optimizer { get; }

    /// <summary>The moving average; null without one.</summary>
    public EmaWeights? Ema { get; }

    /// <summary>The network that is measured and exported: the average where there is one.</summary>
    public MobileNetV1 Student => Ema?.Model ?? Model;

    /// <summary>Everything of it that a checkpoint holds.</summary>
    /// <param name="estimated">See <see cref="TrainedStudent.Estimated"/>.</param>
    internal TrainedStudent Trained(MobileNetV1? estimated = null) =>
        new(Model) { Optimizer = Optimizer, Average = Ema, ClassCentres = Loss.ClassCentres, Estimated = estimated };

    /// <summary>Whether every weight is a number. A step's loss is computed before its update: whether the last update was sound, only the weights
    /// tell.</summary>
    public bool IsFinite
    {
        get
        {
            using var scope = NewDisposeScope();
            return Model.state_dict().Values.All(t => t.isfinite().all().item<bool>());
        }
    }

    /// <summary>Makes one step; the network must be in training mode.</summary>
    /// <param name="batch">Faces, of any size that the network takes, and targets.</param>
    /// <param name="learningRate">The step's rate.</param>
    public StepResult Run(TrainingBatch batch, double learningRate)
    {
        ArgumentNullException.ThrowIfNull(batch);
        using var scope = NewDisposeScope();
        var target = batch.Targets.narrow(0, 0, batch.Count).to(_device);
        var labels = batch.Labels.narrow(0, 0, batch.Count).to(_device);
        Tensor Input(int first, int count) => StudentInput.Normalize(batch.Pixels.narrow(0, first, count).to(_device), _contract);
        Optimizer.ZeroGradients();
        double loss = _replicas?.Run(batch.Count, Input, target, (output, wanted) => Loss.Of(output, wanted, labels), Loss.IsOfEachFace)
            ?? Whole(Input(0, batch.Count), target, labels);
        var result = new StepResult(loss, GradientClip.Apply(Optimizer.Weights.Gradients, _clip));
        if (result.IsFinite)
        {
            Optimizer.Step(learningRate);
            Ema?.Update(Optimizer.Steps);
        }

        return result;
    }

    private double Whole(Tensor input, Tensor target, Tensor labels)
    {
        var loss = Loss.Of(Model.forward(input), target, labels);
        loss.backward();
        return loss.item<float>();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _replicas?.Dispose();
        Ema?.Dispose();
        Optimizer.Dispose();
        Loss.Dispose();
        Model.Dispose();
    }
}
