using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Stores;

namespace FaceDistill.Tests.Evaluation.Metrics;

public sealed class ThresholdPassTests
{
    private static readonly double[] Fars = [0.5, 0.1, 1e-2, 1e-3, 1e-4, 1e-5];

    public static TheoryData<string, int, int, int, int> Cases => new()
    {
        // name, faces, dimension, largest integer, identities
        { "random", 1700, 24, 15, 200 }, // several tiles down
        { "more columns than a tile", 4200, 3, 15, 900 },
        { "many ties", 900, 2, 1, 60 },
        { "constant", 1700, 4, 0, 40 },
        { "two identities", 300, 8, 7, 2 },
        { "tiny", 5, 2, 3, 2 },
        { "mostly single images", 600, 16, 9, 598 },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Agrees_with_the_naive_twin(string name, int faces, int dimension, int largest, int people)
    {
        var random = new Random(faces);
        float[] vectors = Sets.Exact(random, faces, dimension, largest);
        if (largest == 0)
        {
            vectors.AsSpan().Fill(0.25f);
        }

        string[] identities = [.. Enumerable.Range(0, faces).Select(i => $"p{(i < people ? i : random.Next(people))}")];
        Compare(vectors, dimension, identities, name);
    }

    [Fact]
    public void Agrees_with_the_naive_twin_on_duplicated_embeddings()
    {
        float[] once = Sets.Exact(new Random(3), 400, 8, 9);
        string[] identities = [.. Enumerable.Range(0, 400).Select(i => $"p{i % 70}")];
        Compare([.. once, .. once, .. once], 8, [.. identities, .. identities, .. identities.Select(p => p + "x")], "duplicated");
    }

    [Fact]
    public void The_order_of_the_faces_does_not_count()
    {
        float[] vectors = Sets.Exact(new Random(4), 300, 8, 9);
        string[] identities = [.. Enumerable.Range(0, 300).Select(i => $"p{i / 4}")];
        int[] shuffled = [.. Enumerable.Range(0, 300)];
        new Random(5).Shuffle(shuffled);
        var a = Score(vectors, 8, identities, Fars);
        var b = Score([.. shuffled.SelectMany(i => vectors.AsSpan(i * 8, 8).ToArray())], 8, [.. shuffled.Select(i => identities[i])], Fars);
        Assert.Equal(a.Points, b.Points);
    }

    [Fact]
    public void Runs_agree_to_the_bit_on_real_values()
    {
        var set = Sets.Random("model", 6, 64, [.. Enumerable.Range(0, 1500).Select(i => $"p{i / 5}/{i}.png")]);
        Assert.Equal(ThresholdPass.Score(set).Points, ThresholdPass.Score(set).Points);
    }

    [Fact]
    public void Cosine_does_not_depend_on_length_and_agrees_with_double_precision()
    {
        var set = Sets.Random("model", 7, 48, [.. Enumerable.Range(0, 500).Select(i => $"p{i / 5}/{i}.png")]);
        float[] scaled = [.. set.Values.Select((value, i) => value * (1 + (i / 48 % 7)))];
        var result = ThresholdPass.Score(new EmbeddingSet("model", 48, scaled, set.Paths, set.Identities), [1e-2, 1e-3]);
        var impostors = new List<double>();
        for (int i = 0; i < set.Count; i++)
        {
            for (int j = i + 1; j < set.Count; j++)
            {
                if (set.Identities[i] != set.Identities[j])
                {
                    impostors.Add(Cosine(set.Row(i), set.Row(j)));
                }
            }
        }

        impostors.Sort((a, b) => b.CompareTo(a));
        Assert.Equal(impostors.Count, result.ImpostorPairs);
        Assert.All(result.Points, point => Assert.Equal(impostors[(int)(point!.Far * impostors.Count)], point.Threshold, 1e-6));
        Assert.Equal([impostors.Count / 100, impostors.Count / 1000], result.Points.Select(point => (int)point!.FalseAccepts));
    }

    [Fact]
    public void A_rate_that_permits_no_false_accept_is_refused()
    {
        // 2 x 50 people of two images: 4,950 x 4 = 19,800 impostor pairs.
        var set = Sets.Random("model", 8, 16, [.. Enumerable.Range(0, 200).Select(i => $"p{i / 2}/{i}.png")]);
        var result = ThresholdPass.Score(set, [1e-4, 1e-5, 1.0 / 19800]);
        Assert.Equal(19800, result.ImpostorPairs);
        Assert.Equal(1, result.At(1e-4)!.FalseAccepts);
        Assert.Null(result.At(1e-5));
        Assert.Null(result.Points[1]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-0.1)]
    [InlineData(double.NaN)]
    public void Rates_outside_0_to_1_are_refused(double far) =>
        Assert.Throws<FaceDistillException>(() => ThresholdPass.Score(Sets.Of(1, [1, 2, 3], "a", "a", "b"), [far]));

    [Theory]
    [InlineData("no impostor pair", "a", "a", "a")]
    [InlineData("no genuine pair", "a", "b", "c")]
    [InlineData("row 2 (/1.png) has no identity", "a", "", "a")]
    public void Sets_without_the_pairs_are_refused(string reason, params string[] identities)
    {
        string message = Assert.Throws<FaceDistillException>(() => ThresholdPass.Score(Sets.Of(1, [1, 2, 3], identities))).Message;
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.StartsWith("model: ", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Progress_ends_at_all_pairs_and_cancelling_stops()
    {
        var set = Sets.Random("model", 9, 4, [.. Enumerable.Range(0, 1200).Select(i => $"p{i / 2}/{i}.png")]);
        var seen = new List<WorkProgress>();
        ThresholdPass.Score(set, job: new JobContext(Progress: new Inline(seen.Add)));
        Assert.True(seen.Count > 1);
        Assert.Equal((1200L * 1199 / 2, 1200L * 1199 / 2), (seen[^1].Done, seen[^1].Total));
        using var cancel = new CancellationTokenSource();
        var stop = new Inline(_ => cancel.Cancel());
        Assert.Throws<OperationCanceledException>(() => ThresholdPass.Score(set, job: new JobContext(Progress: stop, Cancel: cancel.Token)));
    }

    private static void Compare(float[] vectors, int dimension, string[] identities, string name)
    {
        // With the large rates all impostor scores are held; without them, in the larger cases, the bound rises.
        foreach (double[] fars in new[] { Fars, Fars[2..] })
        {
            var expected = NaiveTwin.Score(vectors, dimension, identities, fars);
            var actual = Score(vectors, dimension, identities, fars);
            Assert.True(expected.Points.SequenceEqual(actual.Points), $"{name}: {string.Join(' ', expected.Points)} but {string.Join(' ', actual.Points)}");
            Assert.Equal(
                (expected.Images, expected.Identities, expected.GenuinePairs, expected.ImpostorPairs),
                (actual.Images, actual.Identities, actual.GenuinePairs, actual.ImpostorPairs));
        }
    }

    private static RatesAtFar Score(float[] vectors, int dimension, string[] identities, double[] fars)
    {
        var groups = new IdentityGroups(identities);
        float[] ordered = [.. groups.Order.SelectMany(row => vectors.AsSpan(row * dimension, dimension).ToArray())];
        return ThresholdPass.Score(new ScoredVectors(ordered, dimension), groups, fars);
    }

    private static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double ab = 0, aa = 0, bb = 0;
        for (int i = 0; i < a.Length; i++)
        {
            ab += (double)a[i] * b[i];
            aa += (double)a[i] * a[i];
            bb += (double)b[i] * b[i];
        }

        return ab / Math.Sqrt(aa * bb);
    }

    private sealed class Inline(Action<WorkProgress> report) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => report(value);
    }
}
