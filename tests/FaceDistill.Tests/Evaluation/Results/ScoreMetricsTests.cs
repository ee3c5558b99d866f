using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;

namespace FaceDistill.Tests.Evaluation.Results;

public sealed class ScoreMetricsTests
{
    [Theory]
    [InlineData("random", 130, 24, 15, 20)]
    [InlineData("many ties", 120, 2, 1, 12)]
    [InlineData("constant", 40, 4, 0, 8)]
    [InlineData("two identities", 60, 8, 7, 2)]
    [InlineData("tiny", 5, 2, 3, 2)]
    [InlineData("one genuine pair", 60, 8, 7, 59)]
    [InlineData("duplicated", 90, 8, 9, 15)]
    public void Agree_with_the_naive_twin(string name, int faces, int dimension, int largest, int people)
    {
        var random = new Random(faces);
        float[] vectors = Sets.Exact(random, faces, dimension, largest);
        if (name == "duplicated")
        {
            vectors.AsSpan(0, vectors.Length / 3).CopyTo(vectors.AsSpan(vectors.Length / 3));
        }

        string[] identities = [.. Enumerable.Range(0, faces).Select(i => $"p{(i < people ? i : random.Next(people))}").Order(StringComparer.Ordinal)];
        foreach (bool distances in name == "constant" ? [false] : new[] { false, true }) // all in one place have no distances
        {
            var set = Sets.Of(dimension, vectors, identities);
            Compare(ScoredVectors.Of(set, null, distances ? ScoreKind.Euclidean : ScoreKind.Cosine), Naive.Score(vectors, dimension, distances), identities);
        }
    }

    [Fact]
    public void Scores_beyond_the_grid_and_many_in_one_cell_are_counted_exactly()
    {
        var random = new Random(1);
        float[] genuine = [.. Enumerable.Range(0, 400).Select(i => i < 300 ? 0.5f + (random.Next(40) * 1e-7f) : random.NextSingle()).Order()];
        float[] impostors = [.. Enumerable.Range(0, 3000)
            .Select(i => i % 3 == 0 ? 0.5f + (random.Next(40) * 1e-7f) : i % 3 == 1 ? genuine[i % 400] : (random.NextSingle() * 40) - 20)];
        var ladder = new RocCounter(genuine, (0.2f, 0.8f), 2);
        ladder.Add(0, impostors.AsSpan(0, 1000));
        ladder.Add(1, impostors.AsSpan(1000));
        long[] places = ladder.Places();
        float[] distinct = [.. genuine.Distinct()];
        Assert.Equal(distinct.Select(score => genuine.Count(other => other == score)), ladder.Genuine);
        for (int k = 0; k <= distinct.Length; k++)
        {
            float below = k == 0 ? float.NegativeInfinity : distinct[k - 1];
            float above = k == distinct.Length ? float.PositiveInfinity : distinct[k];
            Assert.Equal(impostors.Count(score => score > below && score < above), places[2 * k]);
            Assert.True(k == distinct.Length || impostors.Count(score => score == above) == places[(2 * k) + 1]);
        }

        var histogram = ladder.Histogram();
        Assert.Equal((400L, 3000L), (histogram.Genuine.Sum(), histogram.Impostor.Sum()));
        Assert.Equal(impostors.Count(score => score < 0.2f + (0.6f / 256)), histogram.Impostor[0], 3.0);
    }

    [Fact]
    public void Perfect_and_hopeless_scores_have_the_known_metrics()
    {
        var perfect = new ExactRoc([3], [10, 0, 0]);
        Assert.Equal((1.0, 0.0, 0.0), (perfect.Auc(), perfect.Eer(), perfect.MinDcf()));
        var inverted = new ExactRoc([3], [0, 0, 10]);
        Assert.Equal((0.0, 1.0, 1.0), (inverted.Auc(), inverted.Eer(), inverted.MinDcf()));
        var constant = new ExactRoc([3], [0, 10, 0]);
        Assert.Equal((0.5, 0.5, 1.0), (constant.Auc(), constant.Eer(), constant.MinDcf()));
    }

    [Fact]
    public void The_curve_goes_through_the_points_told()
    {
        var set = Sets.Random("model", 3, 12, [.. Enumerable.Range(0, 700).Select(i => $"p{i / 7}/{i}.png")]);
        var model = Evaluator.Run(Evaluator.AllPairs, set, null, new EvaluationOptions { Resamples = 0 });
        var roc = model.Metrics!.Curves.Roc;
        Assert.Equal(roc.Select(point => point.Far).Order().Distinct(), roc.Select(point => point.Far));
        Assert.Equal((1.0 / model.ImpostorPairs, 1.0), (roc[0].Far, roc[^1].Far));
        Assert.Equal(1, roc[^1].Tar);
        var told = model.Rates!.At(1e-2)!;
        Assert.InRange(told.Tar, roc.Last(point => point.Far <= 1e-2).Tar, roc.First(point => point.Far >= 1e-2).Tar);
        Assert.Null(model.Uncertainty);
    }

    private static void Compare(ScoredVectors vectors, Func<int, int, float> score, string[] identities)
    {
        var groups = new IdentityGroups(identities);
        Assert.Equal(Enumerable.Range(0, identities.Length), groups.Order); // the twin's order is that of the groups
        var first = ThresholdPass.At(vectors, groups, groups.ImpostorPairs, JobContext.None);
        var look = new MetricsPass(vectors, first, true, null, "model");
        look.Run(JobContext.None);
        var metrics = look.Metrics()!;
        var naive = new NaiveMetrics(identities, score);
        Assert.Equal(naive.Auc(), metrics.Auc, 1e-12);
        Assert.Equal(naive.Eer(), metrics.Eer, 1e-12);
        Assert.Equal(naive.MinDcf(), metrics.MinDcf, 1e-12);
        Assert.Equal(naive.Rank1(), metrics.Rank1);
        Assert.Equal(naive.DPrime() is null, metrics.DPrime is null);
        Assert.Equal(naive.DPrime() ?? 0, metrics.DPrime ?? 0, 1e-6);
        foreach (var point in metrics.Curves.Roc)
        {
            Assert.Equal(naive.TarAt((long)Math.Round(point.Far * naive.Impostors.Count)), point.Tar);
        }

        Assert.Equal(naive.Impostors.Count, metrics.Curves.Scores.Impostor.Sum());
    }
}
