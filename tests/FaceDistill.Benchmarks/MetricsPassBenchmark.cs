using System.Diagnostics;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Files;
using FaceDistill.Stores;

namespace FaceDistill.Benchmarks;

/// <summary>What do the metrics, the 95% intervals and Euclidean scores cost beyond the plain scoring, part by part?</summary>
internal static class MetricsPassBenchmark
{
    private static readonly EvaluationOptions Plain = new() { Metrics = false, Resamples = 0, Fars = FarTargets.Default };

    public static void Run(EmbeddingSet set, int rounds)
    {
        var groups = IdentityGroups.Of(set);
        var vectors = ScoredVectors.Of(set, groups.Order, ScoreKind.Cosine);
        long ranks = Math.Max(ThresholdPass.Ranks(FarTargets.Default, groups.ImpostorPairs), groups.ImpostorPairs / 80);
        var first = ThresholdPass.At(vectors, groups, ranks, JobContext.None);
        Print("second look, metrics only", Best(rounds, () =>
        {
            var look = new MetricsPass(vectors, first, true, null, set.Name);
            look.Run(JobContext.None);
            look.Metrics();
        }));
        Print("second look that takes nothing, so the product in float32 alone",
            Best(rounds, () => new MetricsPass(vectors, first, false, null, set.Name).Run(JobContext.None)));
        EvaluationOptions[] all =
        [
            Plain,
            Plain with { Metrics = true },
            Plain with { Resamples = 1000, Fars = FarTargets.Default.Skip(1).ToArray() },
            Plain with { Resamples = 1000 },
            new EvaluationOptions(),
            Plain with { Score = ScoreKind.Euclidean },
        ];
        foreach (var options in set.Count > 50_000 ? all[4..5] : all)
        {
            Print($"Evaluator.Run, FAR {string.Join(' ', (options.Fars ?? FarTargets.Usual(groups.ImpostorPairs)).Select(FarTargets.Label))}, "
                + $"{options.Score}, metrics {options.Metrics}, {options.Resamples} resamples",
                    Best(rounds, () => Evaluator.Run(Evaluator.AllPairs, set, null, options)));
        }
    }

    private static void Print(string what, double seconds) =>
        Console.WriteLine(InvariantText.Of($"{seconds,8:F3} s  {what}"));

    private static double Best(int rounds, Action work)
    {
        double best = double.PositiveInfinity;
        for (int i = 0; i < rounds; i++)
        {
            var watch = Stopwatch.StartNew();
            work();
            best = Math.Min(best, watch.Elapsed.TotalSeconds);
        }

        return best;
    }
}
