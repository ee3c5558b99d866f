using FaceDistill.Formats;
using FaceDistill.Stores;
using static FaceDistill.Tests.Stores.EmbeddingStoreFixture;

namespace FaceDistill.Tests.Stores;

public sealed class EmbeddingStoreWriterTests : IDisposable
{
    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    private static readonly (EmbeddingStoreKey Key, string Difference)[] OtherKeys =
    [
        (Key with { Teacher = "facenet" }, "holds teacher dlib-resnet, not facenet"),
        (Key with { TeacherHash = "ffff" }, "holds another network of teacher dlib-resnet (hash aa11, not ffff)"),
        (Key with { AlignmentHash = "ffff" }, "holds another alignment (hash bb22, not ffff)"),
        (Key with { ImagesHash = "ffff" }, "holds other images (hash cc33, not ffff)"),
        (Key with { Dimension = 5 }, "holds embeddings of dimension 6, not 5"),
        (Key with { Views = ["original"] }, "holds views original,mirrored, not original"),
        (Key with { ImagesPerPart = 7 }, "holds 10 images a part, not 7"),
    ];

    public static TheoryData<int> OtherKeyNumbers => [.. Enumerable.Range(0, OtherKeys.Length)];

    [Theory]
    [MemberData(nameof(OtherKeyNumbers))]
    public void A_folder_with_another_key_is_refused_with_the_difference(int number)
    {
        var (other, difference) = OtherKeys[number];
        Fill(_temp["s"]);

        var e = Assert.Throws<FaceDistillException>(() => EmbeddingStoreWriter.Open(_temp["s"], other, Images));

        Assert.Equal($"{_temp["s"]} {difference}; choose another --output or delete the folder", e.Message);
        Assert.Equal(Key.Id, EmbeddingStore.Open(_temp["s"]).Key.Id);
        Assert.False(File.Exists(Path.Combine(_temp["s"], ".lock")));
    }

    [Fact]
    public void A_folder_of_other_files_is_left_alone()
    {
        Directory.CreateDirectory(_temp["s"]);
        File.WriteAllText(Path.Combine(_temp["s"], "thesis.doc"), "x");

        var e = Assert.Throws<FaceDistillException>(() => OpenWriter(_temp["s"]));

        Assert.Equal($"{_temp["s"]} is no embedding store but holds thesis.doc; choose another --output or empty the folder", e.Message);
        Assert.Equal(["thesis.doc"], Directory.GetFiles(_temp["s"]).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void A_value_that_is_not_finite_names_the_image_and_writes_nothing(float bad)
    {
        using EmbeddingStoreWriter writer = OpenWriter(_temp["s"]);
        float[] values = PartValues(1);
        values[(((3 * 2) + 1) * Dimension) + 5] = bad;

        var e = Assert.Throws<FaceDistillException>(() => writer.WritePart(1, values));

        Assert.Contains($"{Images[13].Path} (image 13, view mirrored)", e.Message);
        Assert.False(File.Exists(Part(_temp["s"], 1)));
        Assert.Contains(1, writer.MissingParts());
    }

    [Fact]
    public void Values_of_another_length_and_parts_beyond_the_last_are_refused()
    {
        using EmbeddingStoreWriter writer = OpenWriter(_temp["s"]);

        Assert.Throws<ArgumentException>(() => writer.WritePart(0, new float[10 * 2 * (Dimension - 1)]));
        Assert.Throws<ArgumentException>(() => writer.WritePart(3, PartValues(0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.WritePart(4, PartValues(3)));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.WritePart(-1, PartValues(3)));
        Assert.Equal(4, writer.MissingParts().Count());
    }

    [Fact]
    public void A_closed_writer_writes_no_more()
    {
        EmbeddingStoreWriter writer = OpenWriter(_temp["s"]);
        writer.Dispose();

        Assert.Throws<ObjectDisposedException>(() => writer.WritePart(0, PartValues(0)));
    }

    [Fact]
    public void An_image_list_with_a_path_twice_or_an_impossible_key_is_refused_before_anything_is_written()
    {
        (string, string)[] twice = [.. Images];
        twice[20] = twice[3];

        var list = Assert.Throws<FaceDistillException>(() => EmbeddingStoreWriter.Open(_temp["s"], Key, twice));
        var key = Assert.Throws<FaceDistillException>(() => EmbeddingStoreWriter.Open(_temp["s"], Key with { Views = [] }, Images));
        Assert.Throws<ArgumentException>(() => EmbeddingStoreWriter.Open(_temp["s"], Key, Images[..34]));

        Assert.Equal($"image 20 of the list: {Images[3].Path} is in the list twice; list each image once", list.Message);
        Assert.Contains("0 views", key.Message);
        Assert.False(Directory.Exists(_temp["s"]));
    }

    [Fact]
    public void The_key_decides_the_id_and_the_default_folder()
    {
        EmbeddingStoreKey same = Key with { Views = ["original", "mirrored"] };
        Assert.Equal(Key.Id, same.Id);
        Assert.Equal(64, Key.Id.Length);
        Assert.Equal(OtherKeys.Length + 1, OtherKeys.Select(k => k.Key.Id).Append(Key.Id).Distinct().Count());
        Assert.EndsWith(Path.Combine("stores", $"dlib-resnet-{Key.Id[..16]}"), Key.DefaultFolder, StringComparison.Ordinal);
        Assert.DoesNotContain("..", (Key with { Teacher = "../../x" }).DefaultFolder);
    }

    [Fact]
    public void Cancelling_while_checking_leaves_the_store_usable()
    {
        Fill(_temp["s"]);

        Assert.Throws<OperationCanceledException>(
            () => EmbeddingStoreWriter.Open(_temp["s"], Key, Images, new JobContext(Cancel: new CancellationToken(canceled: true))));

        using EmbeddingStoreWriter writer = OpenWriter(_temp["s"]);
        Assert.True(writer.IsComplete);
    }
}
