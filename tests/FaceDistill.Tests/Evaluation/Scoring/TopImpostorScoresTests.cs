using FaceDistill.Evaluation.Scoring;

namespace FaceDistill.Tests.Evaluation.Scoring;

public sealed class TopImpostorScoresTests
{
    [Theory]
    [InlineData("random")]
    [InlineData("rising")]
    [InlineData("falling")]
    [InlineData("constant")]
    [InlineData("two values")]
    [InlineData("around zero")]
    public void Every_rank_is_that_of_the_sorted_scores(string kind)
    {
        float[] scores = Scores(kind, 20_000);
        var tail = new TopImpostorScores(ranks: 300, workers: 2, slack: 0);
        for (int i = 0; i < scores.Length; i += 100)
        {
            tail.Add(0, scores.AsSpan(i, 37));
            tail.Add(1, scores.AsSpan(i + 37, 63));
            tail.Trim();
        }

        float[] sorted = [.. scores.OrderDescending()];
        Assert.True(tail.Bound > float.NegativeInfinity); // the case would test nothing otherwise
        for (int rank = 1; rank <= 300; rank++)
        {
            Assert.Equal(sorted[rank - 1], tail.ScoreAt(rank));
            Assert.Equal(sorted.Count(score => score > sorted[rank - 1]), tail.CountAbove(sorted[rank - 1]));
        }
    }

    [Fact]
    public void Ties_cost_no_memory()
    {
        var tail = new TopImpostorScores(ranks: 10, workers: 1, slack: 0);
        float[] scores = new float[1000];
        scores.AsSpan().Fill(1);
        for (int i = 0; i < 100; i++)
        {
            tail.Add(0, scores);
            tail.Trim();
        }

        Assert.Equal(0, tail.CountAbove(0.5f)); // none held: the bound itself is every rank's score
        Assert.Equal(1, tail.ScoreAt(10));
    }

    private static float[] Scores(string kind, int count)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(i => kind switch
        {
            "rising" => (i / (float)count) - 0.5f,
            "falling" => 0.5f - (i / (float)count),
            "constant" => -0.25f,
            "two values" => random.Next(100) == 0 ? 0.5f : -0.5f,
            "around zero" => random.Next(-2, 3) * float.Epsilon * (random.Next(2) == 0 ? -1 : 1),
            _ => (random.NextSingle() * 2) - 1,
        })];
    }
}
