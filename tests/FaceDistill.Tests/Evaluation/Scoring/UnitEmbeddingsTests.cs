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
    public void A_row_that_is_its_own_name_has_one_number()
    {
        var set = new EmbeddingSet("x.npy", 1, [1, 0, 2], ["row 4", "row 5", "row 6"], ["a", "b", "a"]);
        Assert.Equal("x.npy: the embedding in row 5 (the first is 0) is all zeros and has no direction; make the embeddings again",
            Assert.Throws<FaceDistillException>(() => UnitEmbeddings.From(set)).Message);
    }

    [Fact]
    public void A_list_s_backslash_is_part_of_a_name_where_an_image_has_it_and_else_stands_between_folders()
    {
        var index = new PathIndex(new EmbeddingSet("m", 1, [1, 2, 3], [@"a\b.jpg", "a/b.jpg", "c/d.jpg"], ["", "", ""]));
        Assert.Equal((0, 1, 2, 2, -1), (index.Row(@"a\b.jpg"), index.Row("a/b.png"), index.Row(@"c\d.png"), index.Row(@".\c\d.jpg"), index.Row(@"c\e.jpg")));
    }

    [Fact]
    public void A_name_with_a_dot_is_no_other_images_with_an_extension()
    {
        var index = new PathIndex(new EmbeddingSet("m", 1, [1, 2], ["bob/photo.jpg", "bob/a.2.png"], ["", ""]));
        Assert.Equal([-1, 0, 0, 1, 1], new[] { "bob/photo.2", "bob/photo", "bob/photo.png", "bob/a.2", "bob/a.2.jpg" }.Select(index.Row));
    }

    [Fact]
    public void A_repeated_path_is_named()
    {
        var set = new EmbeddingSet("student", 1, [1, 2, 3], ["a", "b", "a"], ["x", "y", "x"]);
        string message = Assert.Throws<FaceDistillException>(() => UnitEmbeddings.From(set)).Message;
        Assert.Contains("row 3 (a) repeats the path of row 1", message, StringComparison.Ordinal);
    }
}
