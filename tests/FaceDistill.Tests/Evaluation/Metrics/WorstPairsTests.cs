using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Results;
using FaceDistill.Stores;

namespace FaceDistill.Tests.Evaluation.Metrics;

public sealed class WorstPairsTests
{
    private const int Most = 20, Dimension = 64;

    [Theory]
    [InlineData(1, 300, 3)] // more rows than a tile
    [InlineData(2, 3, 200)] // few people, many images
    public void They_are_those_of_a_sorted_list_of_all_pairs(int seed, int people, int images)
    {
        string[] identities = [.. Enumerable.Range(0, people * images).Select(i => $"p{i % people}")];
        var set = Sets.Of(Dimension, Signs(new Random(seed), identities.Length), identities);
        var worst = Evaluator.Run(Evaluator.AllPairs, set, null, Options).Worst!;
        var all = from a in Enumerable.Range(0, set.Count)
                  from b in Enumerable.Range(a + 1, set.Count - a - 1)
                  select (Same: identities[a] == identities[b], Score: Score(set, a, b));
        float[] accepts = [.. all.Where(p => !p.Same).Select(p => p.Score).OrderDescending().Take(Most)];
        float[] rejects = [.. all.Where(p => p.Same).Select(p => p.Score).Order().Take(Most)];
        Assert.Equal(accepts, worst.FalseAccepts.Select(p => p.Score));
        Assert.Equal(rejects, worst.FalseRejects.Select(p => p.Score));
        Assert.All(worst.FalseAccepts.Concat(worst.FalseRejects),
            p => Assert.Equal(p.Score, Score(set, Array.IndexOf(set.Paths, p.A), Array.IndexOf(set.Paths, p.B))));
        Assert.All(worst.FalseAccepts, p => Assert.NotEqual(p.IdentityA, p.IdentityB));
        Assert.All(worst.FalseRejects, p => Assert.Equal(p.IdentityA, p.IdentityB));
        Assert.Equal(Most, worst.FalseAccepts.Distinct().Count());
    }

    [Fact]
    public void Faces_that_are_all_alike_give_the_first_pairs()
    {
        string[] identities = [.. Enumerable.Range(0, 900).Select(i => $"p{i / 2}")];
        var set = Sets.Of(2, [.. Enumerable.Repeat(new[] { 1f, 0f }, 900).SelectMany(v => v)], identities);
        var first = Evaluator.Run(Evaluator.AllPairs, set, null, Options).Worst!;
        Assert.Equal(("p0/0.png", "p1/2.png"), (first.FalseAccepts[0].A, first.FalseAccepts[0].B));
        Assert.Equal(("p0/0.png", "p10/21.png"), (first.FalseAccepts[19].A, first.FalseAccepts[19].B));
        Assert.Equal(("p19/38.png", "p19/39.png"), (first.FalseRejects[19].A, first.FalseRejects[19].B));
    }

    [Fact]
    public void Without_being_asked_for_they_are_left_out() =>
        Assert.Null(Evaluator.Run(Evaluator.AllPairs, Sets.Random("m", 1, 4, ["a/1", "a/2", "b/1"])).Worst);

    private static EvaluationOptions Options => new() { WorstPairs = Most, Metrics = false, Resamples = 0, Fars = [1e-1] };

    /// <summary>Vectors of 64 signs: their length is 8, so every cosine is exact in float32, and many tie.</summary>
    private static float[] Signs(Random random, int rows) => [.. Enumerable.Range(0, rows * Dimension).Select(_ => random.Next(2) == 0 ? -1f : 1f)];

    private static float Score(EmbeddingSet set, int a, int b)
    {
        float sum = 0;
        for (int d = 0; d < Dimension; d++)
        {
            sum += set.Row(a)[d] * set.Row(b)[d];
        }

        return sum / Dimension;
    }
}
