using System.Diagnostics;
using System.Globalization;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Stores;

namespace FaceDistill.Benchmarks;

/// <summary>
/// How much longer does exact all-pairs scoring take than the bare matrix product of the same tiles (each pair once,
/// symmetric work not repeated) on this machine, in the same run?
/// </summary>
internal static class PairScoringBenchmark
{
    private const int Dimension = 128;

    public static int Run(string[] options)
    {
        if (options is ["--store", var store])
        {
            MetricsPassBenchmark.Run(EmbeddingStore.Open(store).ReadAll("original"), 3);
            return 0;
        }

        bool large = options.Contains("--large");
        string[] identities = large
            ? [.. Enumerable.Range(0, 100_000).Select(i => Name(i / 10))]
            : LikeLfw();
        var set = RandomSet(identities);
        int rounds = large ? 1 : 5;
        Bare(set, large ? 100 : int.MaxValue); // warm-up: loads libtorch, starts its threads
        ThresholdPass.Score(large ? RandomSet(LikeLfw()) : set);
        double bare = Best(rounds, () => Bare(set, int.MaxValue));
        RatesAtFar? result = null;
        double scoring = Best(rounds, () => result = ThresholdPass.Score(set));
        Print(set, result!, bare, scoring, large ? 4 : 8, large ? double.PositiveInfinity : 1.5);
        if (!options.Contains("--plain"))
        {
            MetricsPassBenchmark.Run(set, large ? 1 : 3);
        }

        return 0;
    }

    private static void Print(EmbeddingSet set, RatesAtFar result, double bare, double scoring, double maxRatio, double maxSeconds)
    {
        double pairs = result.GenuinePairs + result.ImpostorPairs;
        var text = CultureInfo.InvariantCulture;
        Console.WriteLine(string.Create(
            text, $"{set.Count} x {set.Dimension}, {result.Identities} identities, {pairs / 1e6:F1} M pairs, {Environment.ProcessorCount} cores"));
        Console.WriteLine(string.Create(text, $"bare product of the tiles  {bare,8:F3} s   {2 * pairs * Dimension / bare / 1e9:F0} GFLOP/s"));
        Console.WriteLine(string.Create(
            text, $"ThresholdPass.Score           {scoring,8:F3} s   {pairs / scoring / 1e6:F0} M pairs/s, normalising and thresholds included"));
        bool held = scoring / bare <= maxRatio && scoring <= maxSeconds;
        Console.WriteLine(string.Create(text, $"ratio {scoring / bare:F2} (limit "
            + $"{maxRatio:F0}{(double.IsFinite(maxSeconds) ? string.Create(text, $", {maxSeconds:F1} s") : "")}): {(held ? "held" : "MISSED")}"));
        Console.WriteLine(string.Create(text, $"peak memory of the process {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:F0} MB"));
        foreach (var point in result.Points.OfType<FarPoint>())
        {
            Console.WriteLine(string.Create(
                text, $"  FAR {FarTargets.Label(point.Far)}: threshold {point.Threshold:R}, {point.FalseAccepts} false accepts, TAR {point.Tar:F4}"));
        }
    }

    private static void Bare(EmbeddingSet set, int most)
    {
        using var tiles = new PairTiles(ScoredVectors.Of(set));
        foreach (var tile in tiles.All().Take(most))
        {
            tiles.MultiplyFast(tile);
        }
    }

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

    /// <summary>13,232 faces in 5,748 identities with LFW's skew: most people once, a few very often (530 at most).</summary>
    private static string[] LikeLfw()
    {
        const int people = 5748, images = 13_232, most = 530;
        double power = 0.783; // sizes most / rank^power, at least 1, sum to about the wanted number
        int[] sizes = [.. Enumerable.Range(1, people).Select(rank => Math.Max(1, (int)(most / Math.Pow(rank, power))))];
        var names = sizes.SelectMany((size, person) => Enumerable.Repeat(Name(person), size)).Take(images).ToList();
        names.AddRange(Enumerable.Range(0, images - names.Count).Select(i => Name(people - 1 - i)));
        return [.. names];
    }

    private static string Name(int person) => person.ToString("D5", CultureInfo.InvariantCulture);

    /// <summary>Random unit vectors, all directions equally likely: float32 [N, 128].</summary>
    private static EmbeddingSet RandomSet(string[] identities)
    {
        var random = new Random(1);
        float[] values = new float[identities.Length * Dimension];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        }

        string[] paths = [.. identities.Select((_, i) => i.ToString(CultureInfo.InvariantCulture))];
        var raw = new EmbeddingSet("random", Dimension, values, paths, identities);
        return new EmbeddingSet("random", Dimension, UnitEmbeddings.From(raw), paths, identities);
    }
}
