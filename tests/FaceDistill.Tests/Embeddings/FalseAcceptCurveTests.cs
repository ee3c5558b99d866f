using FaceDistill.Embeddings;

namespace FaceDistill.Tests.Embeddings;

/// <summary>The false accept rate of a similarity: exact where it was measured, between two points in between, a bound beyond them.</summary>
public sealed class FalseAcceptCurveTests
{
    private const long Pairs = 1_000_000;

    private static readonly StudentThreshold[] Points =
    [
        At(1e-3, 0.8f) with { FarInterval95 = [5e-4, 2e-3] }, At(0.5, 0.2f), At(1e-1, 0.4f) with { FarInterval95 = [9e-2, 1.1e-1] },
        At(1e-5, 0.9f), At(1e-6, 0.95f), // 10 and 1 pairs
    ];

    [Fact]
    public void A_measured_similarity_has_its_rate_and_one_between_two_the_line_of_the_logarithms()
    {
        Expect(0.8f, 1e-3, 1e-3, 1e-3, "1e-3", [5e-4, 2e-3]);
        Expect(0.6f, 1e-2, 1e-3, 1e-1, "1e-2", [Math.Sqrt(9e-2 * 5e-4), Math.Sqrt(1.1e-1 * 2e-3)]);
        Expect(0.85f, 1e-4, 1e-5, 1e-3, "1e-4", null); // the one neighbour has no interval
        Expect(0.9f, 1e-5, 1e-5, 1e-5, "1e-5", null);
    }

    [Fact]
    public void Beyond_what_was_measured_on_ten_pairs_there_is_a_bound_and_no_rate()
    {
        Expect(0.9000001f, null, 0, 1e-5, "at most 1e-5", null);
        Expect(1, null, 0, 1e-5, "at most 1e-5", null); // one pair at 0.95 is no point
        Expect(0.1999f, null, 0.5, 1, "at least 5e-1", null);
        Expect(-1, null, 0.5, 1, "at least 5e-1", null);
    }

    [Fact]
    public void Nothing_measured_gives_nothing()
    {
        Assert.Null(FalseAcceptCurve.At([], 0.5f));
        Assert.Null(FalseAcceptCurve.At([At(1e-6, 0.95f)], 0.5f));
        Assert.Throws<ArgumentOutOfRangeException>(() => FalseAcceptCurve.At(Points, float.NaN));
    }

    [Fact]
    public void Thresholds_that_tie_or_cross_keep_the_smaller_rate()
    {
        Assert.Equal(1e-3, FalseAcceptCurve.At([At(1e-2, 0.7f), At(1e-3, 0.7f)], 0.7f)!.Rate);
        var crossed = FalseAcceptCurve.At([At(1e-1, 0.5f), At(1e-2, 0.8f), At(1e-3, 0.7f)], 0.75f)!;
        Assert.Equal((null, 1e-3), (crossed.Rate, crossed.AtMost));
    }

    // Against the scores themselves: within its bounds everywhere, near the true rate, and never rising.
    [Fact]
    public void It_tells_of_many_scores_what_counting_them_tells()
    {
        var random = new Random(5);
        float[] scores = [.. Enumerable.Range(0, 200_000)
            .Select(_ => (float)(0.8 + (0.05 * (random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5))))
            .Order()];
        StudentThreshold[] curve = [.. FarTargets.Curve(scores.Length)
            .Select(far => new StudentThreshold(far, MathF.BitIncrement(scores[scores.Length - 1 - (int)FarTargets.Permitted(far, scores.Length)]), "p",
                scores.Length))];
        Assert.Equal(0.5, curve[0].Far);
        Assert.Equal(5e-5, curve[^1].Far); // ten of 200,000
        double before = 1;
        for (float similarity = 0.7f; similarity < 0.9f; similarity += 0.0005f)
        {
            double truth = scores.Count(s => s >= similarity) / (double)scores.Length;
            var told = FalseAcceptCurve.At(curve, similarity)!;
            Assert.InRange(truth, told.AtLeast, told.AtMost);
            if (told.Rate is { } rate)
            {
                Assert.InRange(rate, told.AtLeast, Math.Min(before, told.AtMost));
                Assert.InRange(rate / truth, 0.8, 1.25);
                before = rate;
            }
        }
    }

    private static void Expect(float similarity, double? rate, double least, double most, string text, double[]? interval)
    {
        var told = FalseAcceptCurve.At(Points, similarity)!;
        Assert.Equal(rate ?? double.NaN, told.Rate ?? double.NaN, 1e-5 * (rate ?? 1));
        Assert.Equal((least, most, text, Pairs, "lfw"), (told.AtLeast, told.AtMost, told.ToString(), told.ImpostorPairs, told.Protocol));
        Assert.Equal(interval?.Length, told.Interval95?.Count);
        Assert.All(interval ?? [], (bound, i) => Assert.Equal(bound, told.Interval95![i], 1e-4 * bound));
    }

    private static StudentThreshold At(double far, float threshold) => new(far, threshold, "lfw", Pairs);
}
