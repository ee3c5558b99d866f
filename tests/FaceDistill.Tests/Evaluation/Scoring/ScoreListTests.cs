using FaceDistill.Evaluation.Scoring;

namespace FaceDistill.Tests.Evaluation.Scoring;

public sealed class ScoreListTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(33)]
    [InlineData(1000)]
    public void All_vector_widths_add_the_same_scores(int count)
    {
        var random = new Random(count);
        float[] scores = [.. Enumerable.Range(0, count).Select(_ => random.Next(-4, 5) / 4f)];
        foreach (float bound in new[] { float.NegativeInfinity, -0.25f, 0, 0.75f, 2 })
        {
            float[] expected = [.. scores.Where(score => score > bound)];
            Assert.Equal(expected, Added((list, s) => list.AddAbove(s, bound), scores));
            Assert.Equal(expected, Added((list, s) => list.AddAboveScalar(s[list.AddAbove512(s, bound)..], bound), scores));
            Assert.Equal(expected, Added((list, s) => list.AddAboveScalar(s[list.AddAbove256(s, bound)..], bound), scores));
            Assert.Equal(expected, Added((list, s) => list.AddAboveScalar(s, bound), scores));
        }
    }

    [Fact]
    public void Keeping_and_adding_over_several_chunks()
    {
        var list = new ScoreList();
        float[] scores = [.. Enumerable.Range(0, 700_000).Select(i => (float)(i % 1000))];
        list.AddAbove(scores, -1);
        Assert.Equal(700_000, list.Count);
        list.KeepAbove(499);
        Assert.Equal(350_000, list.Count);
        Assert.Equal(scores.Where(score => score > 499), All(list));
        list.AddAbove(scores, 989);
        Assert.Equal([.. scores.Where(score => score > 499), .. scores.Where(score => score > 989)], All(list));
        list.KeepAbove(1000);
        Assert.Equal(0, list.Count);
        list.AddAbove([1, 2], 1);
        Assert.Equal([2f], All(list));
    }

    private delegate void Adder(ScoreList list, ReadOnlySpan<float> scores);

    private static float[] Added(Adder add, float[] scores)
    {
        var list = new ScoreList();
        add(list, scores);
        return All(list);
    }

    private static float[] All(ScoreList list) => [.. list.Chunks().SelectMany(chunk => chunk.ToArray())];
}
