using System.Diagnostics;
using FaceDistill.Faces;
using FaceDistill.Native;
using FaceDistill.Students;
using static TorchSharp.torch;

namespace FaceDistill.Distillation;

/// <summary>
/// What a training costs: images x epochs x mult-adds of one image, by a rate of mult-adds a second that a few steps of the same student on
/// this machine show. The rate holds all of a step: forward, backward and update; decoding and the held-out faces hide behind it or are little.
/// </summary>
/// <param name="Images">Faces shown in all epochs.</param>
/// <param name="MultAdds">Multiply-accumulates of one face forward.</param>
/// <param name="MultAddsPerSecond">The measured rate, in mult-adds of the forward direction.</param>
public sealed record TrainingCost(long Images, long MultAdds, double MultAddsPerSecond)
{
    private const int WarmUpSteps = 3, TimedSteps = 9;

    /// <summary>Faces a second.</summary>
    public double ImagesPerSecond => MultAddsPerSecond / MultAdds;

    /// <summary>The predicted time.</summary>
    public double Minutes => Images * (double)MultAdds / MultAddsPerSecond / 60;

    /// <summary>The faces that a run shows in all its epochs: whole batches of those not held out.</summary>
    /// <param name="faces">Training and held-out faces.</param>
    /// <param name="options">The run's options.</param>
    public static long ImagesOf(int faces, DistillOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        int training = faces - (int)Math.Round(faces * options.Validation);
        return (long)(training / options.BatchSize) * options.BatchSize * options.Epochs;
    }

    /// <summary>Measures the rate by the median of a few steps on noise.</summary>
    /// <param name="options">The run's options.</param>
    /// <param name="dimension">The embedding's length.</param>
    /// <param name="faces">Training and held-out faces.</param>
    /// <param name="cancel">Stops between steps.</param>
    /// <exception cref="FaceDistillException">The device is not there.</exception>
    public static TrainingCost Measure(DistillOptions options, int dimension, int faces, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(options);
        var device = TorchDevice.Resolve(options.Device);
        HostMemory.KeepFreed();
        var spec = StudentSpec.Parse(options.Student);
        var description = new StudentDescription(options.Student, options.Head, options.Dimension ?? dimension, FaceTensor.StudentContract(spec.Resolution, "dlib"), "", "", 1);
        var architecture = description.Architecture();
        options = options with { Precision = PrecisionChoice.Resolve(options.Precision, architecture, options.BatchSize, device), Loss = new LossOptions() };
        using var student = new TrainingStep(description, options, device);
        using var batch = new TrainingBatch(options.BatchSize, spec.Resolution, description.Dimension);
        int[] all = [.. Enumerable.Range(0, options.BatchSize)];
        batch.Begin(all, new long[options.BatchSize]);
        new Random(1).NextBytes(batch.Pixels.bytes);
        batch.Targets.zero_();
        student.Model.train();
        var seconds = new List<double>();
        for (int step = 0; step < WarmUpSteps + TimedSteps; step++)
        {
            cancel.ThrowIfCancellationRequested();
            long start = Stopwatch.GetTimestamp();
            student.Run(batch, 0);
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        double median = seconds.Skip(WarmUpSteps).Order().ElementAt(TimedSteps / 2);
        long multAdds = StudentCost.Of(architecture).MultAdds;
        return new TrainingCost(ImagesOf(faces, options), multAdds, options.BatchSize * multAdds / median);
    }
}
