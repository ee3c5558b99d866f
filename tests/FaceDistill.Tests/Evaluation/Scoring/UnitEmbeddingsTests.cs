using FaceDistill.Evaluation.Scoring;
using FaceDistill.Formats;
using FaceDistill.Stores;

namespace FaceDistill.Tests.Evaluation.Scoring;

public sealed class UnitEmbeddingsTests
{
    [Fact]
    public void Rows_get_length_one_in_the_order_asked_for()
    {
        var set = Sets.Of(2, [3, 4, 0, -2, 1e-30f, 0, 3e38f, 3e38f], "a", "b", "c", "d");
        float half = (float)Math.Sqrt(0.5);
        Assert.Equal([0.6f, 0.8f, 0, -1, 1, 0, half, half], UnitEmbeddings.From(set));
        Assert.Equal([0, -1, 0.6f, 0.8f], UnitEmbeddings.From(set, [1, 0]));
        Assert.Equal(3, set.Values[0]);
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "infinite")]
    [InlineData(float.NegativeInfinity, "infinite")]
    [InlineData(0, "all zeros")]
    public void Unusable_rows_are_named(float bad, string reason)
    {
        float[] values = [.. Enumerable.Repeat(1f, 2000)];
        (values[1234], values[1235]) = (bad, 0);
        (values[1900], values[1901]) = (bad, 0);
        var set = new EmbeddingSet("student", 2, values, [.. Enumerable.Range(0, 1000).Select(i => $"f/{i}.png")], new string[1000]);
        string message = Assert.Throws<FaceDistillException>(() => UnitEmbeddings.From(set)).Message;
        Assert.Contains("student: the embedding in row 618 (f/617.png)", message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_repeated_path_is_named()
    {
        var set = new EmbeddingSet("student", 1, [1, 2, 3], ["a", "b", "a"], ["x", "y", "x"]);
        string message = Assert.Throws<FaceDistillException>(() => UnitEmbeddings.From(set)).Message;
        Assert.Contains("row 3 (a) repeats the path of row 1", message, StringComparison.Ordinal);
    }
}
