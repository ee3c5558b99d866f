using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Stores;

namespace FaceDistill.Tests.Evaluation.Scoring;

/// <summary>Thresholds in bounded memory are those of all scores sorted, to the last bit.</summary>
public sealed class DeepRanksTests
{
    // The last but one permits few of the smaller sets' pairs, the last all but one of the largest's: 8,817,900 pairs.
    private static readonly double[] Fars = [0.5, 0.1, 1e-2, 1e-3, 1e-4, 1e-5, 0.9999998];

    public static TheoryData<string, int, int, int, int> Cases => new()
    {
        // name, faces, dimension, largest integer, identities
        { "random", 1700, 24, 15, 200 },
        { "more columns than a tile, and some faces first", 4200, 3, 15, 900 },
        { "many ties", 900, 2, 1, 60 },
        { "constant", 1700, 4, 0, 40 },
        { "two identities", 300, 8, 7, 2 },
        { "tiny", 5, 2, 3, 2 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Agree_with_the_naive_twin(string name, int faces, int dimension, int largest, int people)
    {
        var random = new Random(faces);
        float[] vectors = Sets.Exact(random, faces, dimension, largest);
        if (largest == 0)
        {
            vectors.AsSpan().Fill(0.25f);
        }

        var groups = new IdentityGroups([.. Enumerable.Range(0, faces).Select(i => $"p{(i < people ? i : random.Next(people))}")]);
        string[] identities = [.. groups.Group.Select(g => groups.Names[g])];
        var pairs = One(new ScoredVectors(vectors, dimension), groups);
        var expected = NaiveTwin.Score(vectors, dimension, identities, Fars);
        foreach (long held in new[] { 0L, 64, ThresholdPass.MostHeld })
        {
            var actual = ThresholdPass.Score(pairs, Fars, held: held);
            Assert.True(expected.Points.SequenceEqual(actual.Points), $"{name}, {held}: {string.Join(' ', actual.Points)}");
        }
    }

    [Theory]
    [InlineData(0)]  // cosines
    [InlineData(1)]  // distances
    [InlineData(2)]  // of one model's faces with another's
    [InlineData(3)]  // cosines that lie close together
    public void Agree_with_all_scores_sorted_on_drawn_embeddings(int kind)
    {
        var set = Drawn(4100, 48, kind == 3 ? 100 : 0);
        var groups = IdentityGroups.Of(set);
        var rows = ScoredVectors.Of(set, groups.Order, kind == 1 ? ScoreKind.Euclidean : ScoreKind.Cosine);
        var columns = kind == 2 ? ScoredVectors.Of(Drawn(4100, 48, 0, seed: 2), groups.Order) : rows;
        var pairs = new ScoredPairs(rows, columns, groups);
        var all = new List<float>();
        for (int i = 0; i < rows.Count; i++)
        {
            for (int j = kind == 2 ? 0 : i + 1; j < rows.Count; j++)
            {
                if (groups.Group[i] != groups.Group[j])
                {
                    all.Add(rows.Score(i, columns, j));
                }
            }
        }

        float[] sorted = [.. all];
        Array.Sort(sorted);
        var actual = ThresholdPass.Score(pairs, Fars, held: 1000);
        Assert.Equal(sorted.Length, actual.ImpostorPairs);
        foreach (var point in actual.Points)
        {
            int permitted = (int)Math.Floor((decimal)point!.Far * sorted.Length);
            Assert.Equal(MathF.BitIncrement(sorted[^(permitted + 1)]), point.Threshold);
            Assert.Equal(sorted.Count(score => score >= point.Threshold), point.FalseAccepts);
        }

        Assert.Equal(ThresholdPass.Score(pairs, Fars).Points, actual.Points);
    }

    // Without the bound half of all scores would be held, twice over.
    [Fact]
    public void No_more_scores_are_held_than_is_permitted()
    {
        var set = Drawn(5000, 16, 0);
        var groups = IdentityGroups.Of(set);
        var pairs = One(ScoredVectors.Of(set, groups.Order), groups);
        const long held = 1 << 21;
        var pass = ThresholdPass.At(pairs, [pairs.Impostors / 2, pairs.Impostors / 20], JobContext.None, held: held);
        Assert.InRange(pass.Tail.Held, pairs.Impostors / 20, held);
        Assert.Throws<InvalidOperationException>(() => pass.Ranked.ScoreAt(pairs.Impostors / 2)); // before the second look
        pass.Finish(JobContext.None);
        Assert.Equal(ThresholdPass.At(pairs, [pairs.Impostors / 2], JobContext.None).Ranked.ScoreAt(pairs.Impostors / 2),
            pass.Ranked.ScoreAt(pairs.Impostors / 2));
    }

    [Theory]
    [InlineData(true, ScoreKind.Cosine)] // the look for the metrics finds them
    [InlineData(false, ScoreKind.Cosine)]
    [InlineData(true, ScoreKind.Euclidean)]
    public void An_evaluation_gives_the_same_in_bounded_memory(bool metrics, ScoreKind score)
    {
        var set = Drawn(4200, 16, 0);
        var options = new EvaluationOptions { Metrics = metrics, Resamples = 0, Score = score, Fars = Fars[..^1], WorstPairs = 20 };
        ModelResult wanted = Evaluator.Run(Evaluator.AllPairs, set, null, options),
            bounded = Evaluator.Run(Evaluator.AllPairs, set, null, options with { Held = 200 });
        Assert.Equal(wanted.Rates!.Points, bounded.Rates!.Points);
        Assert.Equal(wanted.Worst!.FalseAccepts, bounded.Worst!.FalseAccepts);
        Assert.Equal(wanted.Auc, bounded.Auc);
    }

    // The metrics' look scores all pairs in double precision, the other those alone that count.
    [Fact]
    public void Without_metrics_intervals_and_worst_pairs_are_the_same()
    {
        var set = Drawn(5000, 24, 0);
        var options = new EvaluationOptions { Resamples = 100, Fars = [1e-3, 1e-4], WorstPairs = 30 };
        ModelResult with = Evaluator.Run(Evaluator.AllPairs, set, null, options),
            without = Evaluator.Run(Evaluator.AllPairs, set, null, options with { Metrics = false });
        Assert.Equal(with.Uncertainty!.At(1e-3), without.Uncertainty!.At(1e-3));
        Assert.Equal(with.Uncertainty.At(1e-4), without.Uncertainty.At(1e-4));
        Assert.Equal(with.Worst!.FalseAccepts, without.Worst!.FalseAccepts);
        Assert.Equal(30, without.Worst.FalseAccepts.Count);
    }

    /// <summary>People at random places, twenty faces near each; the offset moves all of them, so that their cosines come near 1.</summary>
    internal static EmbeddingSet Drawn(int faces, int dimension, float offset, int seed = 1)
    {
        var random = new Random(seed);
        float[] values = new float[faces * dimension];
        for (int row = 0; row < faces; row++)
        {
            for (int d = 0; d < dimension; d++)
            {
                float own = random.NextSingle() - 0.5f;
                values[(row * dimension) + d] = offset + (row % 20 == 0 ? own : values[((row - (row % 20)) * dimension) + d] - offset + (0.6f * own));
            }
        }

        return new EmbeddingSet("drawn", dimension, values, [.. Enumerable.Range(0, faces).Select(i => $"p{i / 20}/{i}.png")],
            [.. Enumerable.Range(0, faces).Select(i => $"p{i / 20}")]);
    }

    private static ScoredPairs One(ScoredVectors vectors, IdentityGroups groups) => new(vectors, vectors, groups);
}
