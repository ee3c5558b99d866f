using System.Diagnostics;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Kernels;
using FaceDistill.Stores;
using FaceDistill.Students;
using FaceDistill.Training;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Options;

namespace FaceDistill.Benchmarks;

/// <summary>A student's accuracy at one moment of its training.</summary>
/// <param name="Seconds">The training clock.</param>
/// <param name="Images">Faces trained on, counting each appearance.</param>
/// <param name="Tar">The true accept rate on the held-out people.</param>
internal sealed record AccuracyPoint(double Seconds, long Images, double Tar);

/// <summary>
/// The training clock, and the held-out people's TAR by it: measured with the trainer at each epoch's end, and every so many steps between by the same means
/// (re-estimated batch norms, all pairs, the exact threshold). The clock runs from one step's end to the next, with reading, decoding and checkpoints; it
/// stands from the end of a step that a measurement follows to the end of that measurement, in which up to three batches may be decoded ahead.
/// </summary>
internal sealed class AccuracyCurve : IProgress<WorkProgress>, IStudentMeasure, IDisposable
{
    private readonly Trainer _trainer;
    private readonly int _every, _stepsPerEpoch, _batchSize;
    private readonly MobileNetV1 _copy;
    private readonly BatchNormStatistics _statistics;
    private readonly ValidationPass _validation;
    private readonly Action<AccuracyPoint> _say;
    private long _mark;
    private TimeSpan _processorMark;

    /// <param name="faces">Faces and targets.</param>
    /// <param name="description">The student.</param>
    /// <param name="options">The run's options, without anything that is decided at its beginning.</param>
    /// <param name="folder">The run folder.</param>
    /// <param name="every">Steps between two measurements.</param>
    /// <param name="say">Told of each measurement.</param>
    public AccuracyCurve(TrainingFaces faces, StudentDescription description, DistillOptions options, string folder, int every, Action<AccuracyPoint> say)
    {
        (_every, _batchSize, _stepsPerEpoch, _say) = (every, options.Run.BatchSize, faces.Training.Length / options.Run.BatchSize, say);
        var device = TorchDevice.Resolve(options.Run.Device);
        _trainer = new Trainer(faces, description, options, folder, this);
        _copy = new MobileNetV1(description.Architecture(), options.Run.Seed);
        _statistics = new BatchNormStatistics(faces, description, options, device);
        _validation = new ValidationPass(faces, description.Contract, options, device, this);
    }

    /// <summary>All measurements, the first of them before any step.</summary>
    public List<AccuracyPoint> Points { get; } = [];

    /// <summary>The embeddings of the last measurement.</summary>
    public EmbeddingSet? Last { get; private set; }

    /// <summary>The training clock.</summary>
    public double Seconds { get; private set; }

    /// <summary>Processor time while the clock ran.</summary>
    public double ProcessorSeconds { get; private set; }

    /// <summary>Faces trained on so far.</summary>
    public long Images { get; private set; }

    /// <summary>Trains to the end.</summary>
    /// <param name="start">The backbone to start from, pruned to the student by the clock; null for random weights.</param>
    public void Run(Backbone? start)
    {
        Go();
        if (start is not null)
        {
            _trainer.StartFrom(start);
        }

        Stop();
        MeasureNow();
        _trainer.Run(new JobContext(Progress: this));
    }

    /// <inheritdoc/>
    public void Report(WorkProgress value)
    {
        Stop();
        Images = value.Done;
        long step = Images / _batchSize;
        // At an epoch's end the trainer measures, right after this.
        if (step % _every == 0 && step % _stepsPerEpoch != 0)
        {
            MeasureNow();
        }
        else if (step % _stepsPerEpoch != 0)
        {
            Go();
        }
    }

    /// <inheritdoc/>
    public PeopleTar Measure(EmbeddingSet set, CancellationToken cancel)
    {
        const double far = EvaluationResult.RetentionFar;
        double tar = ThresholdPass.Score(set, [far], job: new JobContext(Cancel: cancel)).At(far)!.Tar;
        Last = set;
        Points.Add(new AccuracyPoint(Seconds, Images, tar));
        _say(Points[^1]);
        Go();
        return new PeopleTar(tar, far);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _validation.Dispose();
        _statistics.Dispose();
        _copy.Dispose();
        _trainer.Dispose();
    }

    private void MeasureNow()
    {
        using (var frozen = TorchSharp.torch.no_grad())
        {
            var weights = _trainer.Weights;
            foreach (var (name, tensor) in _copy.state_dict())
            {
                tensor.copy_(weights[name]);
            }
        }

        _validation.MeasurePeople(_statistics.Estimate(_copy, CancellationToken.None), CancellationToken.None);
        Go();
    }

    private void Go() => (_mark, _processorMark) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);

    private void Stop()
    {
        Seconds += Stopwatch.GetElapsedTime(_mark).TotalSeconds;
        ProcessorSeconds += (Environment.CpuUsage.TotalTime - _processorMark).TotalSeconds;
    }
}
