using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Stores;

namespace FaceDistill.Tests.Evaluation.Scoring;

public sealed class EuclideanScoresTests
{
    private static readonly double[] Fars = [0.5, 0.1, 1e-2, 1e-3, 1e-4];

    [Theory]
    [InlineData(1400, 24, 15, 150)]
    [InlineData(600, 2, 2, 40)]
    [InlineData(40, 3, 5, 2)]
    public void All_pairs_agree_with_the_naive_twin(int half, int dimension, int largest, int people)
    {
        // With each vector stands its opposite, so the mean is exactly 0 and the sums stay exact.
        var random = new Random(half);
        float[] some = Sets.Exact(random, half, dimension, largest);
        for (int row = 0; row < half; row++)
        {
            some[row * dimension] += some.AsSpan(row * dimension, dimension).ContainsAnyExcept(0f) ? 0 : 1; // no zero vectors
        }

        float[] values = [.. some, .. some.Select(value => -value)];
        string[] identities = [.. Enumerable.Range(0, 2 * half).Select(i => $"p{(i < people ? i : random.Next(people))}")];
        var result = ThresholdPass.Score(Sets.Of(dimension, values, identities), Fars, ScoreKind.Euclidean);
        var naive = new NaiveMetrics(identities, Naive.Score(values, dimension, distances: true));
        float[] sorted = [.. naive.Impostors.OrderDescending()];
        Assert.Equal((naive.Genuine.Count, sorted.Length), (result.GenuinePairs, result.ImpostorPairs));
        foreach (var point in result.Points.OfType<FarPoint>())
        {
            float rejected = sorted[(int)FarTargets.Permitted(point.Far, sorted.Length)];
            Assert.Equal(MathF.BitIncrement(rejected), point.Threshold);
            Assert.Equal(sorted.Count(score => score > rejected), point.FalseAccepts);
            Assert.Equal(naive.Genuine.Count(score => score > rejected), point.TrueAccepts);
        }
    }

    [Theory]
    [InlineData(0f, 1f)]
    [InlineData(1000f, 1f)] // a large shared offset would cancel without centring
    [InlineData(1f, 1e-3f)]
    public void Distances_agree_with_double_precision(float offset, float spread)
    {
        var set = Sets.Random("model", 5, 32, [.. Enumerable.Range(0, 300).Select(i => $"p{i / 3}/{i}.png")]);
        for (int i = 0; i < set.Values.Length; i++)
        {
            // Every third image lies very near the one before: what the product's formula could not resolve.
            set.Values[i] = i / 32 % 3 == 2 ? set.Values[i - 32] + (spread * 1e-3f) : offset + (set.Values[i] * spread);
        }

        int[] order = [.. Enumerable.Range(0, set.Count)];
        var vectors = ScoredVectors.Of(set, order, ScoreKind.Euclidean);
        using var tiles = new PairTiles(vectors);
        tiles.Multiply(tiles.All().First());
        for (int i = 0; i < set.Count; i++)
        {
            for (int j = i; j < set.Count; j++)
            {
                double expected = -MathNet.Numerics.Distance.Euclidean(Row(set, i), Row(set, j));
                // The centred values are rounded once: beside the distance that is 2^-24 of their length.
                Assert.Equal(expected, tiles.Scores[(i * set.Count) + j], (3e-6 * -expected) + (2e-7 * spread));
            }
        }
    }

    [Fact]
    public void On_unit_vectors_the_rates_are_those_of_the_cosine()
    {
        var set = Sets.Random("model", 6, 16, [.. Enumerable.Range(0, 300).Select(i => $"p{i / 3}/{i}.png")]);
        var unit = new EmbeddingSet("model", 16, UnitEmbeddings.From(set), set.Paths, set.Identities);
        var cosine = ThresholdPass.Score(set, Fars);
        var distance = ThresholdPass.Score(unit, Fars, ScoreKind.Euclidean);
        Assert.Equal(cosine.Points.Select(p => p?.TrueAccepts), distance.Points.Select(p => p?.TrueAccepts));
        Assert.NotEqual(cosine.Points[0]!.TrueAccepts, ThresholdPass.Score(Stretched(set), Fars, ScoreKind.Euclidean).Points[0]!.TrueAccepts);
    }

    [Theory]
    [InlineData(3e19f, "row 2 (b/1.png) is too long")]
    [InlineData(float.NaN, "row 2 (b/1.png) holds a NaN")]
    [InlineData(0f, "row 2 (b/1.png) is all zeros")]
    public void Unusable_embeddings_are_refused(float bad, string reason)
    {
        var set = Sets.Of(2, [1, 2, bad, bad, 3, 1], "a", "b", "a");
        string message = Assert.Throws<FaceDistillException>(() => ThresholdPass.Score(set, score: ScoreKind.Euclidean)).Message;
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.StartsWith("model: ", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Embeddings_too_near_each_other_are_refused() =>
        Assert.Contains("too close",
            Assert.Throws<FaceDistillException>(() =>
                ThresholdPass.Score(Sets.Of(1, [1e-20f, 2e-20f, 3e-20f], "a", "b", "a"), score: ScoreKind.Euclidean)).Message,
            StringComparison.Ordinal);

    private static EmbeddingSet Stretched(EmbeddingSet set) =>
        new("model", set.Dimension, [.. set.Values.Select((value, i) => value * (1 + (i / set.Dimension % 7)))], set.Paths, set.Identities);

    private static double[] Row(EmbeddingSet set, int row) => Array.ConvertAll(set.Row(row).ToArray(), value => (double)value);
}
