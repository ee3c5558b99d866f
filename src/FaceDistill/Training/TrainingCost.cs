using System.Diagnostics;
using FaceDistill.Faces;
using FaceDistill.Kernels;
using FaceDistill.Students;
using FaceDistill.Synthetic;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Losses;
using FaceDistill.Training.Options;
using FaceDistill.Views;
using OpenCvSharp;

namespace FaceDistill.Training;

/// <summary>
/// What a training costs: images x epochs x mult-adds of one image, by a rate of mult-adds a second that a few steps of the same student on
/// this machine show. The rate holds all of a step (forward, backward and update) and the drawing of augmented views, which shares the cores with
/// it; decoding, which happens once, and the held-out faces are left out, and progressive resolutions are counted in full.
/// </summary>
/// <param name="Images">Faces shown in all epochs.</param>
/// <param name="MultAdds">Multiply-accumulates of one face forward.</param>
/// <param name="MultAddsPerSecond">The measured rate, in mult-adds of the forward direction.</param>
internal sealed record TrainingCost(long Images, long MultAdds, double MultAddsPerSecond)
{
    private const int WarmUpSteps = 3, TimedSteps = 9, DrawnViews = 256, WorthIt = 50;

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
        int training = faces - (int)Math.Round(faces * options.HeldPart);
        return (long)(training / options.Run.BatchSize) * options.Run.BatchSize * options.Run.Epochs;
    }

    /// <summary>Whether a training is so long that measuring it is little beside it.</summary>
    /// <param name="faces">Training and held-out faces.</param>
    /// <param name="options">The run's options.</param>
    public static bool IsLong(int faces, DistillOptions options) =>
        ImagesOf(faces, options) > (long)WorthIt * (WarmUpSteps + TimedSteps) * options.Run.BatchSize;

    /// <summary>Measures the rate by the median of a few steps on noise.</summary>
    /// <param name="options">The run's options.</param>
    /// <param name="dimension">The embedding's length.</param>
    /// <param name="faces">Training and held-out faces.</param>
    /// <param name="cancel">Stops between steps.</param>
    /// <exception cref="FaceDistillException">The device is not there.</exception>
    public static TrainingCost Measure(DistillOptions options, int dimension, int faces, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(options);
        var device = TorchDevice.Resolve(options.Run.Device);
        var spec = StudentSpec.Parse(options.Student.Name);
        var description = new StudentDescription(
            options.Student.Name, options.Student.Head, options.Student.Dimension ?? dimension, FaceTensor.StudentContract(spec.Resolution, "dlib"), "", "");
        var architecture = description.Architecture();
        // names need people; ArcFace costs little
        options = options with
        {
            Loss = options.Loss.IsDistilled ? options.Loss with { ArcFace = 0 } : new LossOptions(),
            Run = options.Run with { Precision = PrecisionChoice.Resolve(options.Run.Precision, architecture, options.Run.BatchSize, device) },
        };
        using var student = new TrainingStep(description, options, device);
        using var batch = new TrainingBatch(options.Run.BatchSize, spec.Resolution, description.Dimension);
        int[] all = [.. Enumerable.Range(0, options.Run.BatchSize)];
        batch.Begin(all, new int[options.Run.BatchSize]);
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

        double training = seconds.Skip(WarmUpSteps).Order().ElementAt(TimedSteps / 2) / options.Run.BatchSize;
        double drawing = DrawingSeconds(options, spec.Resolution, cancel) / Environment.ProcessorCount;
        // On a GPU the processor draws beside it, here it does both.
        double face = device.type == TorchSharp.DeviceType.CPU ? training + drawing : Math.Max(training, drawing);
        long multAdds = StudentCost.Of(architecture).MultAdds;
        return new TrainingCost(ImagesOf(faces, options), multAdds, multAdds / face);
    }

    // One view on one core; without augmentation pictures are only copied.
    private static double DrawingSeconds(DistillOptions options, int size, CancellationToken cancel)
    {
        if (!options.Targets.IsAugmented)
        {
            return 0;
        }

        var frame = AlignedFrame.Default;
        var renderer = new ViewRenderer(frame);
        using var face = SyntheticFaces.Render(0, 0, AlignmentTemplate.Dlib.PointsIn(frame), frame.Side, 1);
        var pictures = Enumerable.Range(0, DrawnViews).Select(_ => face.Clone()).ToList(); // each from memory, as in training
        var pixels = new byte[size * size * 3];
        using var oneEach = OneOpenCvThread.Hold();
        long start = Stopwatch.GetTimestamp();
        for (int view = 0; view < DrawnViews; view++)
        {
            cancel.ThrowIfCancellationRequested();
            using var drawn = renderer.Render(
                pictures[view], ViewParameters.Draw(options.Targets.Augment, options.Targets.Mirror, options.Run.Seed, view, 0), size);
            FaceTensor.CopyRgb(drawn, pixels);
        }

        pictures.ForEach(p => p.Dispose());
        return Stopwatch.GetElapsedTime(start).TotalSeconds / DrawnViews;
    }
}
