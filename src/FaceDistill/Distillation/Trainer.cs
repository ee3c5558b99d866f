using System.Diagnostics;
using FaceDistill.Faces;
using FaceDistill.Native;
using FaceDistill.Students;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Distillation;

/// <summary>
/// Distils one student: minimises the squared difference to the teacher's embeddings, with a checkpoint after each epoch and when
/// cancelled.
/// </summary>
public sealed class Trainer : IDisposable
{
    private readonly TrainingFaces _faces;
    private DistillOptions _options;
    private readonly StudentDescription _description;
    private readonly string _folder;
    private readonly Device _device;
    private readonly MobileNetV1 _model;
    private readonly AdamWState _optimizer;
    private readonly BatchReader _reader;
    private TrainingState _state = new(0, 0, 0, []);

    /// <summary>Prepares a run; nothing is written yet.</summary>
    /// <param name="faces">Faces and targets.</param>
    /// <param name="description">The student, without target scale, which the faces decide.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="folder">The run folder.</param>
    public Trainer(TrainingFaces faces, StudentDescription description, DistillOptions options, string folder)
    {
        ArgumentNullException.ThrowIfNull(faces);
        ArgumentNullException.ThrowIfNull(description);
        ArgumentNullException.ThrowIfNull(options);
        (_faces, _options, _folder) = (faces, options.Validated(), folder);
        _description = description with { TargetScale = faces.Scaling.Scale };
        _device = TorchDevice.Resolve(options.Device);
        HostMemory.KeepFreed();
        if (faces.Training.Length < options.BatchSize)
        {
            throw new FaceDistillException($"{faces.Training.Length} training faces are fewer than one batch of {options.BatchSize}; lower --batch-size or add faces");
        }

        _model = new MobileNetV1(description.Architecture(), options.Seed);
        _model.to(_device);
        _optimizer = new AdamWState(_model, options.WeightDecay);
        _reader = new BatchReader(faces, description.Contract.Size, options.BatchSize, options.Seed, options.Mirror);
    }

    /// <summary>The checkpoint file of the run.</summary>
    public string CheckpointPath => Path.Combine(_folder, StudentCheckpoint.FileName);

    /// <summary>Takes up where a checkpoint of the same run left off.</summary>
    /// <exception cref="FaceDistillException">The checkpoint belongs to other options, another teacher or other faces.</exception>
    public void Resume(StudentCheckpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        _options = _options.Precision == PrecisionMode.Auto ? _options with { Precision = checkpoint.Options.Precision } : _options;
        if (checkpoint.Options with { Device = _options.Device } != _options)
        {
            throw new FaceDistillException($"{checkpoint.Path} belongs to a run with other options; resume with the same ones, or choose another --output");
        }

        if (checkpoint.Description.TeacherHash != _description.TeacherHash || !checkpoint.Scaling.Mean.SequenceEqual(_faces.Scaling.Mean))
        {
            throw new FaceDistillException($"{checkpoint.Path} belongs to another teacher or other faces; choose another --output");
        }

        checkpoint.RestoreModel(_model);
        checkpoint.RestoreOptimizer(_optimizer);
        _state = checkpoint.State;
    }

    /// <summary>Trains to the end.</summary>
    /// <returns>The finished run's state.</returns>
    /// <exception cref="OperationCanceledException">Cancelled; the checkpoint holds everything done so far.</exception>
    /// <exception cref="FaceDistillException">The loss is no longer finite, or a face cannot be read.</exception>
    public TrainingState Run(IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        _options = _options with { Precision = PrecisionChoice.Resolve(_options.Precision, _model.Architecture, _options.BatchSize, _device) };
        _model.TrainingType = PrecisionChoice.TypeOf(_options.Precision);
        long totalSteps = (long)_reader.StepsPerEpoch * _options.Epochs;
        var schedule = new CosineSchedule(_options.LearningRate, _options.WarmupEpochs * _reader.StepsPerEpoch, totalSteps);
        while (_state.Epoch < _options.Epochs)
        {
            try
            {
                RunEpoch(schedule, totalSteps, progress, cancel);
            }
            catch (OperationCanceledException)
            {
                Save();
                throw;
            }

            Save();
            TrainingLogFile.Write(_folder, _state.Log);
        }

        return _state;
    }

    private void Save()
    {
        // A step's loss is computed before its update: whether the last update was sound, only the weights tell.
        using (NewDisposeScope())
        {
            if (_model.state_dict().Values.Any(t => !t.isfinite().all().item<bool>()))
            {
                throw NotFinite();
            }
        }

        StudentCheckpoint.Write(CheckpointPath, _model, _optimizer, _faces.Scaling, _description, _options, _state);
    }

    private void RunEpoch(CosineSchedule schedule, long totalSteps, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        var watch = Stopwatch.StartNew();
        int firstStep = _state.Step;
        long before = (long)_state.Epoch * _reader.StepsPerEpoch;
        _model.train();
        foreach (var batch in _reader.Training(_state.Epoch, firstStep, cancel))
        {
            double loss = Step(batch, schedule.At(before + _state.Step));
            _state = _state with { Step = _state.Step + 1, LossSum = _state.LossSum + loss };
            progress?.Report(new WorkProgress("training", (before + _state.Step) * _options.BatchSize, totalSteps * _options.BatchSize, "images",
                FormattableString.Invariant($"epoch {_state.Epoch + 1}/{_options.Epochs} loss {_state.LossSum / _state.Step:0.000}")));
            cancel.ThrowIfCancellationRequested();
        }

        double rate = (_state.Step - firstStep) * (double)_options.BatchSize / watch.Elapsed.TotalSeconds;
        var (validationLoss, cosine) = Validate(cancel);
        var log = new EpochLog(_state.Epoch + 1, _state.LossSum / _state.Step, validationLoss, cosine,
            schedule.At(before + _state.Step - 1), watch.Elapsed.TotalSeconds, rate);
        _state = new TrainingState(_state.Epoch + 1, 0, 0, [.. _state.Log, log]);
    }

    private double Step(TrainingBatch batch, double learningRate)
    {
        using var scope = NewDisposeScope();
        var input = FaceTensor.Normalize(batch.Pixels.narrow(0, 0, batch.Count).to(_device), _description.Contract);
        var target = batch.Targets.narrow(0, 0, batch.Count).to(_device);
        var loss = SquaredDifference.Loss(_model.forward(input), target);
        _optimizer.ZeroGradients();
        loss.backward();
        double value = loss.item<float>();
        if (!double.IsFinite(value))
        {
            throw NotFinite();
        }

        _optimizer.Step(learningRate);
        return value;
    }

    private FaceDistillException NotFinite() => new(
        $"the loss is no longer finite after {((long)_state.Epoch * _reader.StepsPerEpoch) + _state.Step} steps; lower --learning-rate"
        + (File.Exists(CheckpointPath) ? $". The last checkpoint is whole: {CheckpointPath}" : ""));

    private (double? Loss, double? Cosine) Validate(CancellationToken cancel)
    {
        if (_faces.Validation.Length == 0)
        {
            return (null, null);
        }

        _model.eval();
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var mean = tensor(_faces.Scaling.Mean, device: _device);
        using var scale = _faces.Scaling.Scale.ToScalar();
        double loss = 0, cosine = 0;
        foreach (var batch in _reader.Validation(cancel))
        {
            using var step = NewDisposeScope();
            var input = FaceTensor.Normalize(batch.Pixels.narrow(0, 0, batch.Count).to(_device), _description.Contract);
            var target = batch.Targets.narrow(0, 0, batch.Count).to(_device);
            var output = _model.forward(input);
            loss += SquaredDifference.Loss(output, target).item<float>() * batch.Count;
            cosine += nn.functional.cosine_similarity(
                output.mul(scale) + mean, target.mul(scale) + mean, dim: 1).sum().item<float>();
        }

        return double.IsFinite(loss + cosine) ? (loss / _faces.Validation.Length, cosine / _faces.Validation.Length) : throw NotFinite();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _reader.Dispose();
        _optimizer.Dispose();
        _model.Dispose();
    }
}
