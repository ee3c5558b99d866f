using System.Numerics;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Stores;
using FaceDistill.Tests.Evaluation;

namespace FaceDistill.Tests.Embeddings;

/// <summary>Pairs whose exact scores are equal have equal scores, told by whole numbers.</summary>
public sealed class CosineScoreTests
{
    [Theory]
    [InlineData(32, 1)]
    [InlineData(128, 1)]   // binary: the length is no whole number, so float32 splits ties
    [InlineData(33, 3)]
    [InlineData(512, 127)] // int8
    public void The_order_of_whole_numbers_is_kept_and_ties_are_ties(int dimension, int largest)
    {
        var set = Whole(dimension, largest, 150, 40, dimension);
        var exact = ScoredVectors.Of(set);
        var distances = ScoredVectors.Of(set, null, ScoreKind.Euclidean);
        using PairTiles tiles = new(exact), far = new(distances);
        tiles.Multiply(tiles.All().First());
        far.Multiply(far.All().First());
        var cosines = new List<(BigInteger Num, BigInteger Den, float Score)>();
        var lengths = new List<(BigInteger Num, BigInteger Den, float Score)>();
        for (int i = 0; i < set.Count; i++)
        {
            for (int j = i + 1; j < set.Count; j++)
            {
                var (dot, a, b) = (Product(set, i, j), Product(set, i, i), Product(set, j, j));
                float score = tiles.Scores[(i * set.Count) + j];
                Assert.Equal(score, exact.Score(i, j));
                Assert.Equal(score, exact.Score(j, i));
                Assert.Equal(score, FaceEmbedder.Similarity(set.Row(i), set.Row(j)));
                Assert.Equal((double)dot / Math.Sqrt((double)(a * b)), score, 6.1e-8);
                cosines.Add((dot * BigInteger.Abs(dot), a * b, score));
                Assert.Equal(far.Scores[(i * set.Count) + j], distances.Score(i, j));
                lengths.Add(((2 * dot) - a - b, 1, distances.Score(i, j)));
            }
        }

        Ordered(cosines);
        Ordered(lengths);
    }

    // Whole numbers decide in some 0.1 ms: of a million faces that would be half of the time.
    [Theory]
    [InlineData(8, 1)]
    [InlineData(512, 1)]
    [InlineData(512, 1e-38)] // subnormal values among them
    [InlineData(3000, 1e37)]
    public void Sums_of_two_doubles_decide_as_whole_numbers_do(int dimension, double size)
    {
        var random = new Random(dimension);
        float[] Row() => [.. Enumerable.Range(0, dimension).Select(_ => (float)((random.NextDouble() - 0.5) * size))];
        for (int i = 0; i < 60; i++)
        {
            var (a, b) = (Row(), Row());
            double cosine = Math.Abs(CosineScore.Dot(a, b) * CosineScore.InverseLength(a) * CosineScore.InverseLength(b));
            bool positive = CosineScore.Dot(a, b) > 0;
            foreach (double bound in new[] { cosine, cosine * (1 - 1e-15), cosine * (1 + 1e-15), cosine + 1e-16, cosine * 0.9, cosine * 1.1 })
            {
                double digits = Math.Floor(bound * Math.Pow(2, 61)) / Math.Pow(2, 61);
                Assert.Equal(CosineScore.ReachesExactly(a, b, positive, digits), CosineScore.Reaches(a, b, positive, digits));
                Assert.False(CosineScore.Reaches(a, b, !positive, digits));
            }
        }

        float[] row = Row();
        Assert.Null(CosineScore.Reaches(row, row, true, 1)); // equal: for whole numbers
        Assert.True(CosineScore.ReachesExactly(row, row, true, 1));
    }

    [Fact]
    public void Length_and_place_do_not_count()
    {
        // Rows of ordinary floats, each also three times and a power of two as long, all over several tiles.
        var random = new Random(3);
        float[] some = [.. Enumerable.Range(0, 40 * 50).Select(_ => (random.Next(1 << 22) - (1 << 21)) / 1e3f)];
        float[] values = [.. Enumerable.Range(0, 60).SelectMany(i => some.Select(v => i % 3 == 0 ? v : i % 3 == 1 ? v / 1024 : -v)), .. some];
        var vectors = new ScoredVectors(values, 50);
        using var tiles = new PairTiles(vectors);
        foreach (var tile in tiles.All())
        {
            tiles.Multiply(tile);
            for (int i = 0; i < tile.Rows; i++)
            {
                for (int j = 0; j < tile.Columns; j++)
                {
                    int a = tile.Row + i, b = tile.Column + j;
                    bool turned = (a / 40 % 3 == 2) != (b / 40 % 3 == 2);
                    float score = vectors.Score(a % 40, b % 40);
                    Assert.True(turned ? Math.Abs(tiles.Scores[(i * tile.Columns) + j] + score) < 1e-7 : tiles.Scores[(i * tile.Columns) + j] == score);
                }
            }
        }
    }

    [Theory]
    [InlineData(0.3f)]
    [InlineData(0.9999999f)]
    [InlineData(0.25f)]
    [InlineData(1e-4f)] // in steps of 2^-32
    [InlineData(0f)]
    public void What_double_precision_leaves_open_whole_numbers_settle(float low)
    {
        double step = low > 0.01f ? MathF.BitIncrement(low) - (double)low : 1.0 / (1L << 32);
        low = CosineScore.Round(low);
        float high = CosineScore.Round(low + step);
        double bound = low + ((1 - CosineScore.Shift) * step), slope = Math.Sqrt((1 / (bound * bound)) - 1);
        int above = 0, below = 0;
        for (int i = 0; i < 300; i++)
        {
            // cos = x / sqrt(x^2 + y^2) as near to the bound as floats come, then compared in whole numbers.
            float x = 1000 + i, y = (float)(x * slope), z = (float)Math.Sqrt(Math.Max(0, Math.Pow(x * slope, 2) - ((double)y * y)));
            bool right = Exceeds([x, y, z], bound);
            (above, below) = right ? (above + 1, below) : (above, below + 1);
            Assert.Equal(right ? high : low, CosineScore.Settle([x, y, z], [1, 0, 0], low, high));
            Assert.Equal(right ? high : low, CosineScore.Of([x, y, z], [1, 0, 0]));
            Assert.Equal(right ? -high : -low, CosineScore.Of([-x, y, z], [1, 0, 0]));
        }

        Assert.True(above > 10 && below > 10, $"{above} above, {below} below");
    }

    private static bool Exceeds(float[] row, double bound)
    {
        // x^2 >= bound^2 (x^2 + y^2 + z^2), each value times 2^75.
        BigInteger Whole(double value) => new BigInteger(Math.ScaleB(value, 75));
        var squares = row.Select(value => BigInteger.Pow(Whole(value), 2)).ToList();
        return squares[0] * BigInteger.Pow(2, 150) >= BigInteger.Pow(Whole(bound), 2) * squares.Aggregate((a, b) => a + b);
    }

    [Fact]
    public void Rounding_keeps_the_order_and_what_has_no_direction_has_no_score()
    {
        double[] cosines = [.. Enumerable.Range(-4000, 8001).SelectMany(i => new[] { i / 4000.0, Math.Pow(i / 4000.0, 9), i * 1e-11, (i * 1e-9) + (1 / 256.0) })
            .Order()];
        float[] scores = [.. cosines.Select(CosineScore.Round)];
        Assert.Equal(scores.Order(), scores);
        Assert.All(cosines.Zip(scores), pair => Assert.Equal(pair.First, pair.Second, Math.Max(Math.Abs(pair.First) / (1 << 24), 1.2e-10) * 1.01));
        for (int i = 0; i + 8 <= cosines.Length; i += 8)
        {
            var rounded = CosineScore.Round(System.Runtime.Intrinsics.Vector512.Create<double>(cosines.AsSpan(i, 8)));
            Assert.Equal(scores.Skip(i).Take(8).Select(score => (double)score), Enumerable.Range(0, 8).Select(lane => rounded[lane]));
        }

        Assert.Equal(float.NaN, CosineScore.Of([0, 0], [1, 0]));
        Assert.Equal(0x00000000, BitConverter.SingleToInt32Bits(CosineScore.Of([-1, 1], [1, 1]))); // not minus 0
    }

    [Theory]
    [InlineData(32, 1, 1200)]
    [InlineData(24, 3, 5200)] // most tiles in float32, and scores by themselves
    public void Counts_are_those_of_whole_numbers(int dimension, int largest, int faces)
    {
        var set = Whole(dimension, largest, faces, faces / 5, 7);
        double[] fars = [1e-2, 1e-3, 1e-4];
        var rates = ThresholdPass.Score(set, fars);
        var twin = NaiveTwin.Score(set.Values, dimension, set.Identities, fars);
        Assert.Equal(twin.Points, rates.Points);
        var model = Evaluator.Run(Evaluator.AllPairs, set, null, new EvaluationOptions { Resamples = 0, Fars = fars, WorstPairs = 5 });
        Assert.Equal(twin.Points, model.Rates!.Points);
        var top = Evaluator.Run(Evaluator.AllPairs, set, null, new EvaluationOptions { Resamples = 0, Fars = fars, WorstPairs = 50, Metrics = false });
        Assert.All(top.Worst!.FalseAccepts, pair => Assert.Equal(
            pair.Score, Naive.Cosine(set.Row(Array.IndexOf(set.Paths, pair.A)), set.Row(Array.IndexOf(set.Paths, pair.B)))));
    }

    private static void Ordered(List<(BigInteger Num, BigInteger Den, float Score)> pairs)
    {
        pairs.Sort((a, b) => (a.Num * b.Den).CompareTo(b.Num * a.Den));
        int ties = 0;
        foreach (var (a, b) in pairs.Zip(pairs.Skip(1)))
        {
            bool equal = a.Num * b.Den == b.Num * a.Den;
            ties += equal ? 1 : 0;
            Assert.True(equal ? a.Score == b.Score : a.Score <= b.Score);
        }

        Assert.True(ties > 0);
    }

    private static BigInteger Product(EmbeddingSet set, int a, int b)
    {
        long sum = 0;
        for (int d = 0; d < set.Dimension; d++)
        {
            sum += (long)set.Row(a)[d] * (long)set.Row(b)[d];
        }

        return sum;
    }

    /// <summary>Rows of whole numbers other than 0; a person's share most of them.</summary>
    private static EmbeddingSet Whole(int dimension, int largest, int faces, int people, int seed)
    {
        var random = new Random(seed);
        float Value() => random.Next(1, largest + 1) * (random.Next(2) == 0 ? -1 : 1);
        float[][] patterns = [.. Enumerable.Range(0, people).Select(_ => Enumerable.Range(0, dimension).Select(_ => Value()).ToArray())];
        float[] values = [.. Enumerable.Range(0, faces).SelectMany(i => patterns[i % people].Select(v => random.Next(5) == 0 ? Value() : v).ToArray())];
        values.AsSpan(0, 10 * dimension).CopyTo(values.AsSpan((faces - 10) * dimension)); // so that something ties
        return Sets.Of(dimension, values, [.. Enumerable.Range(0, faces).Select(i => $"p{i % people}")]);
    }
}
