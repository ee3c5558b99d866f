using FaceDistill.Embeddings;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Stores;

namespace FaceDistill.Tests.Evaluation.Metrics;

public sealed class TarBootstrapTests
{
    private static readonly double[] Fars = [0.3, 0.1, 1e-2, 1e-3];

    [Theory]
    [InlineData("random", 90, 6, 9, 20)]
    [InlineData("ties", 80, 2, 1, 15)]
    [InlineData("constant", 40, 2, 0, 12)]
    [InlineData("skewed", 120, 8, 9, 30)]
    public void Agrees_with_a_twin_that_builds_every_resample(string name, int faces, int dimension, int largest, int people)
    {
        var random = new Random(faces);
        float[] vectors = Sets.Exact(random, faces, dimension, largest);
        string[] identities = [.. Enumerable.Range(0, faces)
            .Select(i => $"p{(i < people ? i : name == "skewed" ? random.Next(3) : random.Next(people)):D3}").Order(StringComparer.Ordinal)];
        var groups = new IdentityGroups(identities);
        var scored = new ScoredVectors(vectors, dimension);
        var resamples = Resamples(groups, 40);
        var score = Naive.Score(vectors, dimension, distances: false);
        var bootstrap = Bootstrap(scored, groups, groups.ImpostorPairs);
        double[]?[] tars = bootstrap.Run(Fars, resamples, default);
        float[] thresholds = [0.9f, 0.5f, 0, -1];
        double[]?[] rates = bootstrap.FalseAcceptRates(thresholds, float.NegativeInfinity, resamples, default);
        for (int r = 0; r < resamples.Count; r++)
        {
            int[] drawn = resamples.Draw(r / IdentityResamples.Lanes);
            int[] times = [.. Enumerable.Range(0, groups.Identities).Select(i => drawn[(i * IdentityResamples.Lanes) + (r % IdentityResamples.Lanes)])];
            Assert.Equal(groups.Identities, times.Sum());
            var (genuine, impostors) = Twin(groups, times, score);
            Assert.Equal(Fars.Select(far => impostors[(int)FarTargets.Permitted(far, impostors.Count)])
                .Select(rejected => genuine.Count(s => s > rejected) / (double)genuine.Count), tars.Select(tar => tar![r]));
            Assert.Equal(thresholds.Select(t => impostors.Count(s => s >= t) / (double)impostors.Count), rates.Select(rate => rate![r]));
        }
    }

    [Fact]
    public void A_tail_that_ends_too_early_is_told_and_never_clipped()
    {
        var set = Sets.Random("model", 4, 16, [.. Enumerable.Range(0, 200).Select(i => $"p{i / 4:D3}/{i}.png")]);
        var groups = IdentityGroups.Of(set);
        var scored = ScoredVectors.Of(set, groups.Order);
        var resamples = Resamples(groups, 200);
        long permitted = FarTargets.Permitted(1e-2, groups.ImpostorPairs);
        double[]?[] whole = Bootstrap(scored, groups, groups.ImpostorPairs).Run([1e-2, 1e-3], resamples, default);
        double[]?[] part = Bootstrap(scored, groups, permitted + 1).Run([1e-2, 1e-3], resamples, default);
        double[]?[] enough = Bootstrap(scored, groups, 3 * permitted).Run([1e-2, 1e-3], resamples, default);
        Assert.Null(part[0]); // some resample needs a longer one
        Assert.Equal(whole[1], part[1]);
        Assert.Equal(whole, enough);
    }

    [Fact]
    public void The_curve_of_a_set_holds_each_rate_with_its_interval()
    {
        // Of people like these a threshold's rate varies from sample to sample; intervals of others at the same threshold cover the rate of very many.
        var options = new EvaluationOptions { Metrics = false, Resamples = 200, Curve = true };
        var all = Noisy("all", 1500, 2, 0.8f, 1000);
        float[] truth = [.. ImpostorScores(all).Order()];
        int covered = 0, asked = 0;
        for (int seed = 0; seed < 60; seed++)
        {
            var part = Noisy("part", 120, 3, 0.8f, seed);
            var curve = Evaluator.Run(Evaluator.AllPairs, part, null, options).Curve!;
            float[] scores = [.. ImpostorScores(part)];
            Assert.Equal(FarTargets.Curve(scores.Length), curve.Select(t => t.Far));
            if (seed < 3)
            {
                Assert.All(curve, t => Assert.InRange(scores.Count(s => s >= t.Threshold), FarTargets.Permitted(t.Far, scores.Length) - 3,
                    FarTargets.Permitted(t.Far, scores.Length)));
            }

            foreach (var point in curve.Where(t => t.Far is 1e-2 or 1e-3))
            {
                int below = Array.FindIndex(truth, s => s >= point.Threshold);
                double rate = (truth.Length - below) / (double)truth.Length;
                (asked, covered) = (asked + 1, covered + (point.FarInterval95![0] <= rate && rate <= point.FarInterval95[1] ? 1 : 0));
            }
        }

        Assert.InRange(covered / (double)asked, 0.88, 1);
        Assert.Null(Evaluator.Run(Evaluator.AllPairs, all, null, new EvaluationOptions { Metrics = false, Resamples = 0 }).Curve);
    }

    private static IEnumerable<float> ImpostorScores(EmbeddingSet set)
    {
        for (int i = 0; i < set.Count; i++)
        {
            for (int j = i + 1; j < set.Count; j++)
            {
                if (set.Identities[i] != set.Identities[j])
                {
                    yield return CosineScore.Of(set.Row(i), set.Row(j));
                }
            }
        }
    }

    [Fact]
    public void Intervals_do_not_depend_on_the_order_of_the_faces_nor_on_how_much_is_kept()
    {
        var set = Noisy("model", 700, 3, 0.8f, 1); // 2.2 million impostor pairs: at 0.3 half of them are kept, at 1e-2 a quarter
        var options = new EvaluationOptions { Metrics = false, Resamples = 100 };
        int[] shuffled = [.. Enumerable.Range(0, set.Count)];
        new Random(2).Shuffle(shuffled);
        var other = new EmbeddingSet("other", set.Dimension, [.. shuffled.SelectMany(row => set.Row(row).ToArray())],
            [.. shuffled.Select(row => set.Paths[row])], [.. shuffled.Select(row => set.Identities[row])]);
        var all = Evaluator.Run(Evaluator.AllPairs, set, null, options with { Fars = [0.3, 1e-2, 1e-4] }).Uncertainty!;
        var few = Evaluator.Run(Evaluator.AllPairs, other, null, options with { Fars = [1e-2, 1e-4] }).Uncertainty!;
        Assert.Equal(all.At(1e-2), few.At(1e-2));
        Assert.Equal(all.At(1e-4), few.At(1e-4));
        Assert.Null(few.At(0.3));
        Assert.NotEqual(all.At(1e-2), Evaluator.Run(Evaluator.AllPairs, set, null, options with { Fars = [1e-2], Seed = 2 }).Uncertainty!.At(1e-2));
        Assert.Equal([1, 1], all.Ratio(few, 1e-2)!); // resampled alike
    }

    [Fact]
    public void Intervals_cover_the_true_rate_about_as_often_as_they_say()
    {
        // With 60 people they cover 99% (few people make the resampled pairs vary too much), with 120 and 300 94 to 95%.
        const double far = 1e-2;
        var options = new EvaluationOptions { Metrics = false, Resamples = 200, Fars = [far] };
        double truth = Enumerable.Range(0, 2).Average(seed => ThresholdPass.Score(Noisy("all", 2000, 3, 0.8f, 1000 + seed), [far]).At(far)!.Tar);
        var intervals = Enumerable.Range(0, 150)
            .Select(seed => Evaluator.Run(Evaluator.AllPairs, Noisy("part", 120, 3, 0.8f, seed), null, options).Uncertainty!.At(far)!).ToList();
        double covered = intervals.Count(interval => interval[0] <= truth && truth <= interval[1]) / (double)intervals.Count;
        Assert.InRange(truth, 0.3, 0.8); // not where every interval would do
        Assert.InRange(covered, 0.90, 0.99);
    }

    private static (List<float> Genuine, List<float> Impostors) Twin(IdentityGroups groups, int[] times, Func<int, int, float> score)
    {
        var faces = Enumerable.Range(0, groups.Group.Length)
            .SelectMany(row => Enumerable.Range(0, times[groups.Group[row]]).Select(copy => (Row: row, Person: groups.Group[row], Copy: copy))).ToList();
        List<float> genuine = [], impostors = [];
        for (int i = 0; i < faces.Count; i++)
        {
            for (int j = i + 1; j < faces.Count; j++)
            {
                bool person = faces[i].Person == faces[j].Person;
                if (!person || faces[i].Copy == faces[j].Copy)
                {
                    (person ? genuine : impostors).Add(score(faces[i].Row, faces[j].Row));
                }
            }
        }

        impostors.Sort((a, b) => b.CompareTo(a));
        return (genuine, impostors);
    }

    private static IdentityResamples Resamples(IdentityGroups groups, int count) => new(7, count, [.. groups.Sizes.Select(size => size > 1)]);

    private static TarBootstrap Bootstrap(ScoredVectors vectors, IdentityGroups groups, long kept)
    {
        var first = ThresholdPass.At(vectors, groups, kept, JobContext.None);
        float bound = kept == groups.ImpostorPairs ? float.NegativeInfinity : MathF.BitDecrement(first.Tail.ScoreAt(kept));
        var tail = new TailPairs(groups, bound, TileRows.Workers, long.MaxValue);
        new MetricsPass(vectors, first, false, tail, "model").Run(JobContext.None);
        return new TarBootstrap(first, tail.Sorted(), [.. Enumerable.Range(0, groups.Identities)]);
    }

    /// <summary>People at random places, their images around them.</summary>
    internal static EmbeddingSet Noisy(string name, int people, int images, float noise, int seed)
    {
        const int dimension = 12;
        var random = new MathNet.Numerics.Random.Xoshiro256StarStar(seed);
        var values = new List<float>();
        for (int person = 0; person < people; person++)
        {
            double[] centre = [.. Enumerable.Range(0, dimension).Select(_ => Normal(random))];
            values.AddRange(Enumerable.Range(0, images * dimension).Select(i => (float)(centre[i % dimension] + (noise * Normal(random)))));
        }

        string[] identities = [.. Enumerable.Range(0, people * images).Select(i => $"p{i / images:D4}")];
        return new EmbeddingSet(name, dimension, [.. values], [.. identities.Select((p, i) => $"{p}/{i:D5}.png")], identities);
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
