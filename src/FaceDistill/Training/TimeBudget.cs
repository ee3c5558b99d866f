using System.Diagnostics;
using FaceDistill.Files;
using FaceDistill.Students;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;
using TorchSharp;

namespace FaceDistill.Training;

/// <summary>
/// How many epochs fit into a given time. A throw-away student makes a few steps at each resolution of the run, twice over the same faces: the first epoch of a
/// resolution decodes them, later ones find in memory what <see cref="PictureMemory"/> holds of them. So it is with the faces that are measured after each
/// epoch. The number found is kept with the run, so that an interrupted run goes on with it.
/// </summary>
internal static class TimeBudget
{
    private const int WarmUpSteps = 4, TimedSteps = 20;

    /// <summary>Measures, and finds the largest number of epochs.</summary>
    /// <param name="faces">Faces and targets.</param>
    /// <param name="description">The student.</param>
    /// <param name="options">The run's options; <see cref="TrainingRunOptions.Minutes"/> is set.</param>
    /// <param name="device">Where it computes.</param>
    /// <param name="measure">Measures the held-out people after each epoch; null where nobody is measured.</param>
    /// <param name="cancel">Stops between steps.</param>
    /// <exception cref="FaceDistillException">Not one epoch fits.</exception>
    public static int Epochs(
        TrainingFaces faces, StudentDescription description, DistillOptions options, torch.Device device, IStudentMeasure? measure, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(faces);
        ArgumentNullException.ThrowIfNull(description);
        ArgumentNullException.ThrowIfNull(options);
        long start = Stopwatch.GetTimestamp();
        var memory = PictureMemory.Of(options.Run);
        using var student = new TrainingStep(description, options, device, faces.PeopleCount);
        var seconds = new Dictionary<int, (double First, double Later)>();
        (double First, double Later) EpochAt(int size) => seconds.TryGetValue(size, out var known)
            ? known
            : seconds[size] = EpochSeconds(student, faces, size, options, memory, cancel);
        (double First, double Later) measuring;
        using (var reader = Reader(faces, description.Contract.Size, options, memory))
        using (var validation = new ValidationPass(faces, description.Contract, options, device, measure, memory))
        using (var statistics = new BatchNormStatistics(faces, description, options, device, memory))
        {
            double decoded = MeasuringSeconds(student, validation, statistics, cancel), kept = MeasuringSeconds(student, validation, statistics, cancel);
            measuring = (decoded, reader.KeptPart < 1 ? decoded : kept); // the training pictures come first
        }

        double Needs(int epochs)
        {
            var sizes = new ResolutionSchedule(description.Contract.Size, options.Run.Progressive, epochs);
            return Total([.. Enumerable.Range(0, epochs).Select(sizes.At)], EpochAt, measuring);
        }

        double first = Needs(1);
        double budget = (options.Run.Minutes!.Value * 60) - Stopwatch.GetElapsedTime(start).TotalSeconds;
        int fits = Largest(Needs, budget);
        return fits > 0 ? fits : throw new FaceDistillException(InvariantText.Of(
            $"one epoch takes about {first / 60:0.00} minutes, more than is left of --minutes {options.Run.Minutes}; give more minutes or fewer faces"));
    }

    /// <summary>The time of a run's epochs, the first of each resolution, and the first measuring, taking longer.</summary>
    /// <param name="sizes">Each epoch's resolution, at least one.</param>
    /// <param name="epoch">Seconds of the first and of a later epoch at a resolution.</param>
    /// <param name="measuring">Seconds of what comes after the first and after a later epoch.</param>
    public static double Total(IReadOnlyList<int> sizes, Func<int, (double First, double Later)> epoch, (double First, double Later) measuring)
    {
        ArgumentNullException.ThrowIfNull(sizes);
        ArgumentNullException.ThrowIfNull(epoch);
        return sizes.GroupBy(s => s).Sum(same => epoch(same.Key).First + ((same.Count() - 1) * epoch(same.Key).Later))
            + measuring.First + ((sizes.Count - 1) * measuring.Later);
    }

    /// <summary>Seconds of an epoch that finds a part of its pictures in memory.</summary>
    /// <param name="decoded">Of one that decodes all.</param>
    /// <param name="kept">Of one that decodes none.</param>
    /// <param name="part">The part, 0 to 1.</param>
    public static double Mixed(double decoded, double kept, double part) => (part * kept) + ((1 - part) * decoded);

    /// <summary>The largest number of epochs, at most 10,000, whose need is within a budget; 0 where not one is.</summary>
    /// <param name="needs">Seconds that a number of epochs takes; does not fall with the number.</param>
    /// <param name="budget">Seconds.</param>
    public static int Largest(Func<int, double> needs, double budget)
    {
        ArgumentNullException.ThrowIfNull(needs);
        int fits = 0, over = 10_001;
        while (over - fits > 1)
        {
            int middle = (fits + over) / 2;
            (fits, over) = needs(middle) <= budget ? (middle, over) : (fits, middle);
        }

        return fits;
    }

    private static (double First, double Later) EpochSeconds(
        TrainingStep student, TrainingFaces faces, int size, DistillOptions options, PictureMemory memory, CancellationToken cancel)
    {
        using var reader = Reader(faces, size, options, memory);
        student.Model.train();
        double decoded = Timed(student, reader, cancel);
        return (decoded, Mixed(decoded, Timed(student, reader, cancel), reader.KeptPart));
    }

    private static BatchReader Reader(TrainingFaces faces, int size, DistillOptions options, PictureMemory memory) =>
        new(faces, size, options.Run.BatchSize, options.Run.Seed, options.Targets.Mirror, memory);

    private static double Timed(TrainingStep student, BatchReader reader, CancellationToken cancel)
    {
        long start = 0;
        int steps = 0, warmUp = Math.Min(WarmUpSteps, reader.StepsPerEpoch - 1);
        foreach (var batch in reader.Training(0, 0, cancel).Take(warmUp + TimedSteps))
        {
            start = steps++ == warmUp ? Stopwatch.GetTimestamp() : start;
            student.Run(batch, 0);
        }

        return Stopwatch.GetElapsedTime(start).TotalSeconds / (steps - warmUp) * reader.StepsPerEpoch;
    }

    private static double MeasuringSeconds(TrainingStep student, ValidationPass validation, BatchNormStatistics statistics, CancellationToken cancel)
    {
        long start = Stopwatch.GetTimestamp();
        var finished = statistics.Estimate(student.Student, cancel); // as at each epoch's end
        validation.Measure(finished, cancel);
        validation.MeasurePeople(finished, cancel);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
