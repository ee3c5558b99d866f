using System.Diagnostics;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Protocols;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Stores;
using static TorchSharp.torch;

namespace FaceDistill.Benchmarks;

/// <summary>What does an evaluation of all pairs of N drawn faces take, look by look, in time and memory, beside the machine's matrix product?</summary>
internal static class EvaluateBenchmark
{
    private const int EachPerson = 20;
    private static readonly double[] Fars = [1e-3, 1e-4, 1e-5, 1e-6, 1e-7];

    public static int Run(string[] options)
    {
        if (options is not [var n, var d, .. var rest] || !InvariantNumber.Count(n, out int faces) || !InvariantNumber.Count(d, out int dimension))
        {
            Console.Error.WriteLine("usage: evaluate N D [--write FILE.npy LABELS.txt | --start]");
            return 2;
        }

        var set = Drawn(faces, dimension);
        if (rest is ["--write", var file, var labels])
        {
            NpyFile.Write(file, dimension, set.Values);
            File.WriteAllLines(labels, set.Identities);
            return 0;
        }

        TorchNative.EnsureLoaded();
        double peak = MatrixRate.Measure(ScalarType.Float32);
        Console.WriteLine(InvariantText.Of($"{faces:N0} x {dimension}, {EachPerson} faces a person, {get_num_threads()} torch threads; fp32 matrix product ")
            + InvariantText.Of($"{peak / 1e9:0} GFLOP/s, double {MatrixRate.Measure(ScalarType.Float64) / 1e9:0}; embeddings "
                + $"{4.0 * set.Values.Length / 1e9:0.00} GB"));
        var evaluation = new EvaluationOptions { Fars = Fars };
        var groups = IdentityGroups.Of(set);
        var plan = new AllPairsPlan(groups, evaluation);
        plan.Check(set.Name);
        double pairs = groups.GenuinePairs + groups.ImpostorPairs, bound = pairs * 2 * dimension / peak;
        var estimate = Timed("estimate", () => EvaluationTime.Seconds(Evaluator.AllPairs, [set], null, evaluation));
        var told = estimate ?? new AllPairsPlan(groups, evaluation)
            .Seconds(PairSeconds.Measure(set, groups, evaluation)) switch { var s => (s.All, s.Metrics, 0) };
        Console.WriteLine(InvariantText.Of($"{pairs:N0} pairs; bound by the matrix product {bound:0.0} s a look; estimated {told.All:0.0} s, of it ")
            + InvariantText.Of($"{told.Metrics:0.0} for the metrics; planned {plan.Bytes() / 1e9:0.00} GB besides the embeddings"));
        if (rest is ["--start"])
        {
            using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            try
            {
                Evaluator.Run(Evaluator.AllPairs, set, null, evaluation, new JobContext(Cancel: stop.Token));
            }
            catch (OperationCanceledException)
            {
                Console.WriteLine(InvariantText.Of($"stopped after 30 s of the first look; peak {Peak():0.00} GB"));
            }

            return 0;
        }

        var watch = new Looks();
        var result = Evaluator.Run(Evaluator.AllPairs, set, null, evaluation, new JobContext(Progress: watch));
        double all = watch.End();
        Tiles(ScoredVectors.Of(set, groups.Order));
        Console.WriteLine("\n| look | seconds | of processor time | M pairs/s of it | of the matrix product's bound |\n|---|---|---|---|---|");
        foreach (var (stage, seconds, cpu) in watch.Seconds)
        {
            double busy = cpu / Environment.ProcessorCount; // where others use the processors, too, it says more than the clock
            Console.WriteLine(InvariantText.Of($"| {stage} | {seconds:0.0} | {busy:0.0} | {pairs / busy / 1e6:0.0} | {busy / bound:0.00} |"));
        }

        Console.WriteLine(InvariantText.Of($"\nall {all:0.0} s, estimated {told.All:0.0}; peak {Peak():0.00} GB"));
        foreach (var point in result.Rates!.Points.OfType<FarPoint>())
        {
            Console.WriteLine(InvariantText.Of($"FAR {FarTargets.Label(point.Far)}: threshold {point.Threshold:R}, {point.FalseAccepts:N0} false accepts, TAR ")
                + InvariantText.Of($"{point.Tar:0.0000}"));
        }

        return 0;
    }

    private static void Tiles(ScoredVectors vectors)
    {
        using var tiles = new PairTiles(vectors);
        var tile = tiles.All().First();
        double Nanoseconds(Action work) => Enumerable.Range(0, 5).Min(_ =>
        {
            var start = Environment.CpuUsage.TotalTime;
            work();
            return (Environment.CpuUsage.TotalTime - start).TotalNanoseconds / ((double)tile.Rows * tile.Columns);
        });
        double fast = Nanoseconds(() => tiles.MultiplyFast(tile)), exact = Nanoseconds(() => tiles.Multiply(tile));
        Console.WriteLine(InvariantText.Of($"a pair of a tile, processor time: {fast:0.0} ns in float32, {exact:0.0} ns to its score in double precision"));
    }

    private static T Timed<T>(string what, Func<T> work)
    {
        long start = Stopwatch.GetTimestamp();
        var result = work();
        Console.WriteLine(InvariantText.Of($"{what}: {Stopwatch.GetElapsedTime(start).TotalSeconds:0.0} s"));
        return result;
    }

    private static double Peak()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64 / 1e9;
    }

    /// <summary>People in random directions, their faces around them; of some length, as a network gives them.</summary>
    private static EmbeddingSet Drawn(int faces, int dimension)
    {
        float[] values = new float[(long)faces * dimension];
        Parallel.For(0, (faces + EachPerson - 1) / EachPerson, person =>
        {
            var random = new MathNet.Numerics.Random.Xoshiro256StarStar(person + 1, false);
            float Normal() => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
            float[] centre = [.. Enumerable.Range(0, dimension).Select(_ => Normal())];
            for (int row = person * EachPerson; row < Math.Min(faces, (person + 1) * EachPerson); row++)
            {
                var face = values.AsSpan(row * dimension, dimension);
                for (int d = 0; d < face.Length; d++)
                {
                    face[d] = centre[d] + (1.6f * Normal());
                }
            }
        });
        string[] people = [.. Enumerable.Range(0, (faces + EachPerson - 1) / EachPerson).Select(p => InvariantText.Of($"p{p:00000}"))];
        return new EmbeddingSet("drawn", dimension, values, [.. Enumerable.Range(0, faces).Select(i => InvariantText.Of($"{RowNames.Numbered}{i}"))],
            [.. Enumerable.Range(0, faces).Select(i => people[i / EachPerson])]);
    }

    // How long each stage of the work took, from its first report to the next stage's.
    private sealed class Looks : IProgress<WorkProgress>
    {
        private readonly long _start = Stopwatch.GetTimestamp();
        private (long Clock, TimeSpan Busy) _since = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        private string _stage = "scoring";

        public List<(string Stage, double Seconds, double Busy)> Seconds { get; } = [];

        public void Report(WorkProgress value)
        {
            if (value.Stage != _stage)
            {
                Close();
                _stage = value.Stage;
            }

            if (value.Done == value.Total)
            {
                Close();
                _stage = "rest";
            }
        }

        public double End()
        {
            Close();
            return Stopwatch.GetElapsedTime(_start).TotalSeconds;
        }

        private void Close()
        {
            if (_stage != "rest")
            {
                Seconds.Add((_stage, Stopwatch.GetElapsedTime(_since.Clock).TotalSeconds, (Environment.CpuUsage.TotalTime - _since.Busy).TotalSeconds));
            }

            _since = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
        }
    }
}
