using System.Diagnostics;
using FaceDistill.Cluster;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Kernels;
using FaceDistill.Students;
using FaceDistill.Training;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Options;
using static TorchSharp.torch;

namespace FaceDistill.Benchmarks;

/// <summary>
/// How long is a step of the trainer's defaults in this process, or in the ranks that mpirun started, on faces in memory? To compare, run it alone and
/// under mpirun in turns.
/// </summary>
internal static class RanksBenchmark
{
    private const int WarmFaces = 3840;

    /// <summary>Measures.</summary>
    /// <param name="student">As <c>0.5@96</c>.</param>
    /// <param name="batch">Faces a step.</param>
    /// <param name="parts">In how many parts they are computed; at least as many as ranks.</param>
    /// <param name="steps">How many steps are timed.</param>
    public static int Run(string student, int batch, int parts, int steps)
    {
        TorchNative.EnsureLoaded();
        HostMemory.KeepFreed();
        var ranks = Ranks.Join();
        var test = new TrainCase("mobilenet-v1:" + student, batch);
        var description = new StudentDescription(
            test.Student, HeadKind.Gdc, TrainCase.Dimension, FaceTensor.StudentContract(test.Spec.Resolution, "dlib"), "", "");
        using var faces = new TrainingBatch(batch, test.Spec.Resolution, TrainCase.Dimension);
        faces.Begin([.. Enumerable.Range(0, batch)], new int[batch]);
        new Random(1).NextBytes(faces.Pixels.bytes);
        faces.Targets.zero_();
        using (var step = new TrainingStep(description, new DistillOptions
        {
            Student = new StudentOptions { Name = test.Student, Head = HeadKind.Gdc },
            Run = new TrainingRunOptions { BatchSize = batch, Precision = PrecisionMode.Bf16, Replicas = parts },
        }, CPU, 0, ranks))
        {
            step.Model.train();
            int warm = Math.Clamp(WarmFaces / batch, 10, 60);
            var milliseconds = new List<double>();
            for (int i = 0; i < warm + steps; i++)
            {
                long start = Stopwatch.GetTimestamp();
                step.Run(faces, 1e-6);
                milliseconds.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }

            double[] timed = [.. milliseconds.Skip(warm).Order()];
            double median = timed[steps / 2];
            if (ranks?.IsFirst != false)
            {
                Console.WriteLine(InvariantText.Of(
                    $"{student} batch {batch} in {parts} parts, {ranks?.About ?? "one process"}, {get_num_threads()} threads: median {median:0.0} ms a "
                        + $"step, mean {timed.Average():0.0} "
                    + $"({timed[steps / 10]:0.0} to {timed[steps * 9 / 10]:0.0} in four fifths), {1e3 * batch / median:0} images/s"));
            }
        }

        ranks?.End();
        return 0;
    }
}
