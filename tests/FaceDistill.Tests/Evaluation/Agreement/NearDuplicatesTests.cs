using FaceDistill.Evaluation.Agreement;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Evaluation.Agreement;

/// <summary>The searches by tiles against the plain double loop.</summary>
public sealed class NearDuplicatesTests
{
    private const int Dimension = 8;

    [Fact]
    public void Every_row_finds_its_most_similar_column_and_the_number_at_the_threshold()
    {
        float[] rows = Unit(1300, 1), columns = Unit(2100, 2); // more than a tile of rows
        const float threshold = 0.9f;
        var found = CrossMatches.Find(new ScoredVectors(rows, Dimension), new ScoredVectors(columns, Dimension), threshold, "comparing", JobContext.None);
        int expected = 0;
        for (int row = 0, next = 0; row < 1300; row++)
        {
            double[] scores = [.. Enumerable.Range(0, 2100).Select(column => Dot(rows, row, columns, column))];
            if (scores.Max() < threshold)
            {
                continue;
            }

            expected++;
            var match = found[next++];
            Assert.Equal(row, match.Row);
            Assert.Equal(scores.Max(), scores[match.Column], 1e-6);
            Assert.Equal(scores.Max(), match.Score, 1e-5);
            Assert.Equal(scores.Count(score => score >= threshold), match.Pairs, 1.0); // a score may lie on the threshold
        }

        Assert.Equal(expected, found.Count);
        Assert.InRange(expected, 200, 1299);
    }

    [Fact]
    public void What_stays_holds_no_two_alike_and_what_is_dropped_is_alike_to_something_that_stays()
    {
        float[] vectors = Unit(1100, 3);
        const float threshold = 0.92f;
        HashSet<int> gone = [4, 5];
        var (pairs, drop) = NearDuplicates.Find(new ScoredVectors(vectors, Dimension), threshold, gone, JobContext.None);
        var alike = (from i in Enumerable.Range(0, 1100)
                     from j in Enumerable.Range(i + 1, 1099 - i)
                     where !gone.Contains(i) && !gone.Contains(j) && Dot(vectors, i, vectors, j) >= threshold
                     select (i, j)).ToList();
        Assert.Equal(alike.Count, pairs);
        Assert.True(pairs > 100);
        var dropped = drop.Select(d => d.Row).ToHashSet();
        Assert.Equal(drop.Count, dropped.Count);
        Assert.All(alike, pair => Assert.True(dropped.Contains(pair.i) || dropped.Contains(pair.j)));
        Assert.All(drop, d => Assert.True(d.Kept < d.Row && !dropped.Contains(d.Kept) && alike.Contains((d.Kept, d.Row))));
    }

    [Fact]
    public void A_chain_keeps_every_other_one()
    {
        // 0, 10, 20, 30 degrees: neighbours are alike (0.985), others (0.940) are not.
        float[] vectors = [.. Enumerable.Range(0, 4).SelectMany(i => new[] { MathF.Cos(i * MathF.PI / 18), MathF.Sin(i * MathF.PI / 18) })];
        var (pairs, drop) = NearDuplicates.Find(new ScoredVectors(vectors, 2), 0.98f, new HashSet<int>(), JobContext.None);
        Assert.Equal(3, pairs);
        Assert.Equal([(1, 0), (3, 2)], drop.Select(d => (d.Row, d.Kept)));
    }

    [Fact]
    public void A_threshold_that_finds_people_is_refused()
    {
        float[] vectors = [.. Enumerable.Repeat(1f, 4600)]; // 10.6 million pairs
        Assert.Contains("--duplicate-threshold",
            Assert.Throws<FaceDistillException>(() => NearDuplicates.Find(new ScoredVectors(vectors, 1), 0.9f, new HashSet<int>(), JobContext.None)).Message,
            StringComparison.Ordinal);
    }

    private static float[] Unit(int rows, int seed)
    {
        var random = new Random(seed);
        float[] values = new float[rows * Dimension];
        for (int row = 0; row < rows; row++)
        {
            double[] vector = [.. Enumerable.Range(0, Dimension).Select(_ => (random.NextDouble() * 2) - 1)];
            double length = Math.Sqrt(vector.Sum(v => v * v));
            for (int d = 0; d < Dimension; d++)
            {
                values[(row * Dimension) + d] = (float)(vector[d] / length);
            }
        }

        return values;
    }

    private static double Dot(float[] first, int row, float[] second, int other)
    {
        double sum = 0;
        for (int d = 0; d < Dimension; d++)
        {
            sum += (double)first[(row * Dimension) + d] * second[(other * Dimension) + d];
        }

        return sum;
    }
}
