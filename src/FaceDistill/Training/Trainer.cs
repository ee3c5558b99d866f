using System.Diagnostics;
using FaceDistill.Cluster;
using FaceDistill.Files;
using FaceDistill.Kernels;
using FaceDistill.Students;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;
using FaceDistill.Training.Starts;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Training;

/// <summary>
/// Distils one student: minimises its losses, with a checkpoint after each epoch, every few minutes within one, when
/// cancelled and when something fails, and the best student so far beside it. Under MPI each rank has one: the first measures and writes, the others
/// compute their parts of the batches.
/// </summary>
internal sealed class Trainer : IDisposable
{
    private readonly TrainingFaces _faces;
    private readonly string _folder;
    private readonly Device _device;
    private readonly TrainingStep _student;
    private readonly ValidationPass _validation;
    private readonly IStudentMeasure? _measure;
    private readonly TimeProvider _clock;
    private readonly BatchNormStatistics _statistics;
    private readonly RankedRun? _ranked;
    private DistillOptions _options;
    private StudentDescription _description;
    private readonly BatchReaders _readers;
    private TrainingState _state = new(0, 0, 0, []);
    private long _saved; // the clock's time of the last checkpoint
    private bool _within; // a step: weights, moments and state do not belong together

    /// <summary>Prepares a run; nothing is written yet.</summary>
    /// <param name="faces">Faces and targets.</param>
    /// <param name="description">The student, without target scale, which the faces decide.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="folder">The run folder.</param>
    /// <param name="measure">Measures the held-out people, by whom the best epoch is then chosen; null for the centred cosine to choose it.</param>
    /// <param name="clock">Says when <see cref="TrainingRunOptions.CheckpointMinutes"/> are over; null for the system's.</param>
    /// <param name="ranks">The processes that train together; null for this one alone.</param>
    public Trainer(
        TrainingFaces faces, StudentDescription description, DistillOptions options, string folder, IStudentMeasure? measure = null,
        TimeProvider? clock = null, Ranks? ranks = null)
    {
        ArgumentNullException.ThrowIfNull(faces);
        (_faces, _options, _folder, _measure, _clock) = (faces, options.Validated(), folder, measure, clock ?? TimeProvider.System);
        _description = description with { TargetScale = faces.Scaling.Scale, Origins = [] };
        _device = TorchDevice.Resolve(options.Run.Device);
        faces.RequireBatch(options.Run.BatchSize);
        _student = new TrainingStep(_description, options, _device, faces.PeopleCount, ranks);
        _ranked = ranks is null ? null : new RankedRun(ranks, _student);
        var memory = PictureMemory.Of(options.Run, ranks?.OnThisMachine ?? 1);
        _validation = new ValidationPass(faces, description.Contract, options, _device, measure, memory);
        _readers = new BatchReaders(size => new BatchReader(faces, size, options.Run.BatchSize, options.Run.Seed, options.Targets.Mirror, memory));
        _statistics = new BatchNormStatistics(faces, _description, options, _device, memory);
    }

    /// <summary>The checkpoint file of the run.</summary>
    public string CheckpointPath => Path.Combine(_folder, StudentCheckpoint.FileName);

    /// <summary>What the student started from, the nearest first; empty for random weights.</summary>
    internal IReadOnlyList<StudentOrigin> Origins => _description.Origins ?? [];

    /// <summary>The network's state as it is now; the tensors stay the network's.</summary>
    internal Dictionary<string, Tensor> Weights => _student.Model.state_dict();

    private int StepsPerEpoch => _faces.Training.Length / _options.Run.BatchSize;

    /// <summary>Takes up where a checkpoint of the same run left off.</summary>
    /// <exception cref="FaceDistillException">The checkpoint belongs to other options, or another teacher.</exception>
    public void Resume(StudentCheckpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        _options = ResumeRules.Require(checkpoint, _options, _description, _folder);
        _faces.Scaling = checkpoint.Scaling; // targets that were computed again, elsewhere, differ in their last digits
        checkpoint.State.RequireStep(StepsPerEpoch, checkpoint.Path);
        checkpoint.Restore(_student.Trained());
        _description = _description with { Origins = checkpoint.Origins, TargetScale = checkpoint.Scaling.Scale };
        _state = checkpoint.State;
    }

    /// <summary>Starts with another student's weights instead of random ones; before <see cref="Run"/>, and not after <see cref="Resume"/>.</summary>
    /// <returns>One line about what was taken.</returns>
    /// <exception cref="FaceDistillException">The source is narrower, or damaged.</exception>
    public string StartFrom(StudentCheckpoint source) => StartFrom(_ => StudentStart.Of(source));

    /// <summary>Starts with a published backbone's weights, as <see cref="StartFrom(StudentCheckpoint)"/> does with a student's.</summary>
    /// <returns>One line about what was taken.</returns>
    /// <exception cref="FaceDistillException">The backbone is narrower.</exception>
    internal string StartFrom(Backbone source) => StartFrom(faces => StudentStart.Of(source, faces));

    internal string StartFrom(Func<StartFaces, StudentStart> open)
    {
        var faces = new StartFaces(_faces, _description.Contract, _options.Run.Seed);
        using var start = open(faces);
        using var made = new MobileNetV1(_student.Model.Architecture, _options.Run.Seed); // on the CPU, wherever the student lies
        string taken = WeightTransfer.Apply(start, _description, _faces.Scaling, made, _options.Student, faces, _faces.Projector);
        _student.Model.CopyFrom(made);
        _description = _description with { Origins = start.Origins };
        _student.Ema?.Restart();
        return taken;
    }

    /// <summary>Trains to the end.</summary>
    /// <returns>The finished run's state.</returns>
    /// <exception cref="OperationCanceledException">Cancelled; the checkpoint holds everything done so far.</exception>
    /// <exception cref="FaceDistillException">The loss is no longer finite, a face cannot be read, or the finished student is dead
    /// (<see cref="EmbeddingSpread"/>); as after any failure between two steps, the checkpoint holds what was done.</exception>
    public TrainingState Run(JobContext job)
    {
        Decide(job.Cancel);
        _ranked?.Begin(_state, _folder);
        _saved = _clock.GetTimestamp();
        var curves = new TensorBoardLog(_folder);
        var (optimizer, steps) = (_options.Optimizer, StepsPerEpoch);
        var schedule = new LearningRateSchedule(optimizer.Schedule, optimizer.LearningRate, optimizer.WarmupEpochs * steps, (long)steps * _options.Run.Epochs);
        while (_state.Epoch < _options.Run.Epochs && !_state.StoppedEarly)
        {
            MobileNetV1? student;
            try
            {
                student = RunEpoch(schedule, job);
            }
            catch (OperationCanceledException) when (IsFirst)
            {
                Save(_statistics.Estimate(_student.Student, CancellationToken.None));
                throw;
            }
            catch (Exception) when (IsFirst)
            {
                SaveWhatIsWhole();
                throw;
            }

            if (student is not null)
            {
                TrainingLogFile.Write(_folder, _state.Log); // before the checkpoint, after which nobody would
                Save(student);
                curves.Add(_state.Log[^1]);
            }
        }

        RequireLiving(job.Cancel);
        return _state;
    }

    private bool IsFirst => _ranked?.Ranks.IsFirst != false;

    // What is measured once, at a run's beginning; a resumed run has it from its checkpoint.
    private void Decide(CancellationToken cancel)
    {
        var run = _options.Run with
        {
            Precision = PrecisionChoice.Resolve(_options.Run.Precision, _student.Model.Architecture, _options.Run.BatchSize, _device),
            Replicas = _options.Run.Replicas ?? Replicas.Usual(_options.Run.BatchSize, _device.type, _ranked?.Ranks.Count ?? 1),
        };
        run = _ranked?.Agreed(run, _state) ?? run;
        _options = _options with { Run = run, HeldOut = _options.HeldOut with { People = _faces.HeldOut.Names.Length } };
        _student.Model.TrainingType = PrecisionChoice.TypeOf(run.Precision);
        _student.Split(run.Replicas!.Value);
        if (run.Minutes is not null && _state is { Epoch: 0, Step: 0 })
        {
            _options = _options with { Run = run with { Epochs = TimeBudget.Epochs(_faces, _description, _options, _device, _measure, cancel) } };
        }
    }

    // Trains what is left of an epoch, measures it, and gives the student that would be exported.
    private MobileNetV1? RunEpoch(LearningRateSchedule schedule, JobContext job)
    {
        using var watch = RunningTime.Start();
        var run = _options.Run;
        double earlier = _state.Seconds;
        int firstStep = _state.Step, size = new ResolutionSchedule(_description.Contract.Size, run.Progressive, run.Epochs).At(_state.Epoch);
        long before = (long)_state.Epoch * StepsPerEpoch;
        _student.Model.train();
        foreach (var batch in _readers.At(size).Training(_state.Epoch, firstStep, _student.Parts, job.Cancel))
        {
            Step(batch, schedule.At(before + _state.Step));
            _state = _state with { Seconds = earlier + watch.Elapsed.TotalSeconds };
            if (IsCheckpointDue)
            {
                Save(_statistics.Estimate(_student.Student, job.Cancel));
            }

            job.Progress?.Report(new WorkProgress("training", (before + _state.Step) * run.BatchSize, schedule.TotalSteps * run.BatchSize, "images",
                InvariantText.Of($"epoch {_state.Epoch + 1}/{run.Epochs} loss {_state.LossSum / _state.Step:0.000}")));
            job.Cancel.ThrowIfCancellationRequested();
        }

        if (!IsFirst)
        {
            _state = _ranked!.End(_state);
            return null;
        }

        double rate = _state.Seconds > 0 ? _state.Step * (double)run.BatchSize / _state.Seconds : 0; // also of the steps before an interruption
        var student = _statistics.Estimate(_student.Student, job.Cancel);
        var log = Measured(student, job.Cancel) with { LearningRate = schedule.At(before + _state.Step - 1), ImagesPerSecond = rate, Resolution = size };
        Finish(student, log with { Seconds = earlier + watch.Elapsed.TotalSeconds });
        _ranked?.End(_state);
        return student;
    }

    private void Step(TrainingBatch batch, double learningRate)
    {
        _within = true;
        var result = _student.Run(batch, learningRate);
        Require(result.IsFinite);
        _state = _state with
        {
            Step = _state.Step + 1,
            LossSum = _state.LossSum + result.Loss,
            GradientNormSum = _state.GradientNormSum + result.GradientNorm,
        };
        _within = false;
    }

    private EpochLog Measured(MobileNetV1 student, CancellationToken cancel)
    {
        var (validation, people) = (_validation.Measure(student, cancel), _validation.MeasurePeople(student, cancel));
        Require(!(_within = validation is { IsFinite: false } || !double.IsFinite(people?.Tar ?? 0))); // as half a step, it replaces no good checkpoint
        return _state.Measured(validation, people);
    }

    private void Finish(MobileNetV1 student, EpochLog log)
    {
        var next = _state.After(log, _options.HeldOut.Patience);
        if (next.Best != _state.Best)
        {
            // Before the checkpoint that names it: a run killed in between does this epoch again and writes the same file.
            Require(_student.IsFinite);
            StudentCheckpoint.Write(Path.Combine(_folder, RunStudent.BestFileName), Position(next), new TrainedStudent(student));
        }

        _state = next;
    }

    private bool IsCheckpointDue =>
        IsFirst && _options.Run.CheckpointMinutes > 0 && _clock.GetElapsedTime(_saved).TotalMinutes >= _options.Run.CheckpointMinutes;

    private void Require(bool finite)
    {
        if (!finite)
        {
            throw new FaceDistillException(
                $"the loss is no longer finite after {((long)_state.Epoch * StepsPerEpoch) + _state.Step} steps; lower --learning-rate"
                + (File.Exists(CheckpointPath) ? $". The last checkpoint is whole: {CheckpointPath}" : ""));
        }
    }

    // With the statistics that the student is exported and measured with; after a failure without, since a face may be the reason of it.
    private void Save(MobileNetV1? estimated = null)
    {
        Require(_student.IsFinite);
        StudentCheckpoint.Write(CheckpointPath, Position(_state), _student.Trained(estimated));
        _saved = _clock.GetTimestamp();
    }

    private RunPosition Position(TrainingState state) => new(_description, _faces.Scaling, _options, state);

    // After a failure: a student that is half-way through a step, or not finite, does not replace the last good one.
    private void SaveWhatIsWhole()
    {
        try
        {
            if (!_within && _state is not { Epoch: 0, Step: 0 } && _student.IsFinite)
            {
                Save();
            }
        }
        catch (Exception)
        {
            // The failure that brought us here is the one to report.
        }
    }

    private void RequireLiving(CancellationToken cancel)
    {
        using var student = IsFirst ? RunStudent.Open(_folder).LoadModel() : null;
        student?.to(_device);
        (student is null ? null : _validation.Spread(student, cancel))?.Require($"{_folder}: the student",
            $"train it for more epochs or on more faces, or lower --learning-rate (its checkpoint is kept: --init {_folder} --output ANOTHER goes on from it)");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _readers.Dispose();
        _validation.Dispose();
        _statistics.Dispose();
        _student.Dispose();
    }
}
