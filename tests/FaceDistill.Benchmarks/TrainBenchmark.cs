using System.Diagnostics;
using System.Globalization;
using System.Text;
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
/// How fast is a training step, how much of that does the whole trainer keep, how near is it to the machine's matrix product, and
/// how does it compare with PyTorch? All in one run, each figure the best of several rounds.
/// </summary>
internal static class TrainBenchmark
{
    private const double SecondsARound = 1.5;
    private const int Rounds = 3;
    private const HeadKind Head = HeadKind.Gap;

    public static int Run(string[] options)
    {
        string[] named = [.. options.Where(o => o.Contains('@', StringComparison.Ordinal))];
        var tests = TrainCase.All.Where(t => named.Length == 0 || named.Contains(t.ShortName)).ToArray();
        string[] known = ["--bare", "--pytorch", "--memory", "--parts", "--replicas"];
        if (tests.Length == 0 || options.Except(named).Except(known).Any())
        {
            Console.Error.WriteLine($"usage: train [{string.Join("] [", known)}] [{string.Join("] [", TrainCase.All.Select(t => t.ShortName))}]");
            return 2;
        }

        TorchNative.EnsureLoaded();
        HostMemory.KeepFreed();
        Console.WriteLine($"train {string.Join(' ', options)}: {Machine()}, {get_num_threads()} torch threads\n");
        if (options.Contains("--memory"))
        {
            return (named.Length == 0 ? [MemoryCurve.Small] : tests).Count(t => !MemoryCurve.Print(t, Console.Out));
        }

        if (options.Contains("--parts"))
        {
            Parts(tests);
            return 0;
        }

        if (options.Contains("--replicas"))
        {
            Replicated(tests);
            return 0;
        }

        Table(tests, options.Contains("--pytorch"), !options.Contains("--bare"));
        return 0;
    }

    private static void Table(TrainCase[] tests, bool pytorch, bool endToEnd)
    {
        double roof = MatrixRate.Measure(ScalarType.Float32);
        Console.WriteLine(Invariant($"fp32 matrix product {roof / 1e9:0} GFLOP/s, bf16 {MatrixRate.Measure(ScalarType.BFloat16) / 1e9:0} GFLOP/s\n"));
        Console.WriteLine("| student | batch | precision | bare img/s | step GFLOP | of the fp32 matrix rate | trainer img/s | of the bare step | first "
            + "epoch | PyTorch fp32 img/s | ours / PyTorch |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|---|");
        using var run = endToEnd ? new EndToEnd() : null;
        foreach (var test in tests)
        {
            var (python, version) = pytorch ? PyTorchTwin.Measure(test, SecondsARound, Rounds) : (double.NaN, "");
            foreach (var mode in new[] { PrecisionMode.Fp32, PrecisionMode.Bf16 })
            {
                Row(test, mode, roof, run, python, version);
            }
        }
    }

    private static void Row(TrainCase test, PrecisionMode mode, double roof, EndToEnd? run, double python, string version)
    {
        var cells = new StringBuilder();
        double bare = Bare(test, mode);
        // About as many images as the bare step's rounds see.
        double[] trainer = run?.ImagesPerSecond(test, Head, mode, Math.Max(3, (int)(2 * SecondsARound * bare / EndToEnd.Faces))) ?? [];
        bare = Math.Max(bare, Bare(test, mode)); // before and after, so that a slow moment of the machine does not decide a ratio
        double flops = test.StepFlops(Head);
        cells.Append(CultureInfo.InvariantCulture,
            $"| {test.ShortName} | {test.Batch} | {mode.ToString().ToLowerInvariant()} | {bare:0.0} | {flops / 1e9:0.0} | "
                + $"{flops * bare / test.Batch / roof:0.00} ");
        cells.Append(trainer.Length > 0 ? Invariant($"| {trainer[1..].Max():0.0} | {trainer[1..].Max() / bare:0.00} | {trainer[0]:0.0} ") : "| | | ");
        cells.Append(double.IsNaN(python) ? "| | |" : Invariant($"| {python:0.0} ({version}) | {bare / python:0.00} |"));
        Console.WriteLine(cells);
    }

    private static double Bare(TrainCase test, PrecisionMode mode)
    {
        using var step = new BareStep(test, Head, PrecisionChoice.TypeOf(mode));
        return step.ImagesPerSecond(SecondsARound, Rounds);
    }

    private static void Parts(TrainCase[] tests)
    {
        Console.WriteLine("| student | batch | type | forward ms | backward ms | optimizer ms |\n|---|---|---|---|---|---|");
        foreach (var (test, type) in tests.SelectMany(t => new[] { (t, ScalarType.Float32), (t, ScalarType.BFloat16) }))
        {
            using var step = new BareStep(test, Head, type);
            var parts = Enumerable.Range(0, 25).Select(_ => step.Once()).ToArray();
            Console.WriteLine(Invariant(
                $"| {test.ShortName} | {test.Batch} | {type} | {1e3 * parts.Min(p => p.Forward):0.0} | {1e3 * parts.Min(p => p.Backward):0.0} | "
                    + $"{1e3 * parts.Min(p => p.Optimizer):0.0} |"));
        }
    }

    // The trainer's whole step with its defaults, on faces in memory, with and without replicas, in turns.
    private static void Replicated(TrainCase[] tests)
    {
        Console.WriteLine("| student | batch | replicas | one, all threads: img/s | replicas: img/s | ratio |\n|---|---|---|---|---|---|");
        foreach (var test in tests)
        {
            int batch = Math.Max(test.Batch, 2 * Replicas.LeastFaces), replicas = Replicas.Usual(batch, TorchSharp.DeviceType.CPU);
            var description = new StudentDescription(
                test.Student, Head, TrainCase.Dimension, FaceTensor.StudentContract(test.Spec.Resolution, "dlib"), "", "");
            using var faces = new TrainingBatch(batch, test.Spec.Resolution, TrainCase.Dimension);
            faces.Begin([.. Enumerable.Range(0, batch)], new int[batch]);
            new Random(1).NextBytes(faces.Pixels.bytes);
            using var step = new TrainingStep(description, new DistillOptions
            {
                Student = new StudentOptions { Name = test.Student, Head = Head },
                Run = new TrainingRunOptions { BatchSize = batch },
            }, CPU);
            step.Model.train();
            double[] best = new double[2];
            for (int round = 0; round < 2 * Rounds; round++)
            {
                step.Split(round % 2 == 0 ? 1 : replicas);
                step.Run(faces, 1e-6);
                best[round % 2] = Math.Max(best[round % 2], Rate(step, faces));
            }

            Console.WriteLine(Invariant($"| {test.ShortName} | {batch} | {replicas} | {best[0]:0.0} | {best[1]:0.0} | {best[1] / best[0]:0.00} |"));
        }
    }

    private static double Rate(TrainingStep step, TrainingBatch faces)
    {
        long start = Stopwatch.GetTimestamp();
        int steps = 0;
        do
        {
            step.Run(faces, 1e-6);
            steps++;
        }
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < 2 * SecondsARound);
        return steps * faces.Count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public static string Machine()
    {
        string? model = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            : null;
        return $"{model ?? System.Runtime.InteropServices.RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores";
    }

    private static string Invariant(InvariantText text) => text.ToString();
}
