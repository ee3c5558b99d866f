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
        (Key with { Teacher = "facenet" }, "holds embeddings of dlib-resnet, not of facenet"),
        (Key with { TeacherHash = "ffff" }, "holds embeddings of another network of the name dlib-resnet (hash aa11, not ffff)"),
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

        var e = Assert.Throws<FaceDistillException>(() => EmbeddingStoreWriter.Open(_temp["s"], other, [], JobContext.None));

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

    // Whoever reads all part-*.parquet would take them for this store's.
    [Fact]
    public void Parts_of_a_larger_store_that_was_not_finished_go()
    {
        Directory.CreateDirectory(_temp["s"]);
        foreach (int part in new[] { 0, 4, 5 })
        {
            File.WriteAllText(Part(_temp["s"], part), "killed here");
        }

        Assert.True(Fill(_temp["s"]));
        Assert.Equal(Enumerable.Range(0, 4).Select(EmbeddingStoreKey.PartName),
            Directory.GetFiles(_temp["s"], "*.parquet").Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_folder_that_was_made_for_a_store_that_did_not_come_about_goes()
    {
        OpenWriter(_temp["s"]).Dispose();
        Assert.False(Directory.Exists(_temp["s"]));
        Directory.CreateDirectory(_temp["mine"]);
        OpenWriter(_temp["mine"]).Dispose();
        Assert.Empty(Directory.GetFileSystemEntries(_temp["mine"]));
    }

    [Fact]
    public void An_impossible_key_and_names_that_are_too_long_are_refused_and_leave_nothing()
    {
        Assert.Contains("0 views", Assert.Throws<FaceDistillException>(
            () => EmbeddingStoreWriter.Open(_temp["s"], Key with { Views = [] }, [], JobContext.None)).Message);
        string[] paths = [.. Images.Select(i => i.Path)];
        paths[20] = new string('x', 20_000);
        var set = new EmbeddingSet("dlib-resnet", Dimension, View(0).Values, paths, View(0).Identities) { Faces = View(0).Faces, Photos = View(0).Photos };
        using (var writer = OpenWriter(_temp["s"]))
        {
            Assert.StartsWith("image 20 of the list", Assert.Throws<FaceDistillException>(() => writer.Write([set, set], Source, default)).Message);
        }

        Assert.False(Directory.Exists(_temp["s"]));
    }

    [Fact]
    public void The_key_decides_the_id()
    {
        EmbeddingStoreKey same = Key with { Views = ["original", "mirrored"] };
        Assert.Equal(Key.Id, same.Id);
        Assert.Equal(64, Key.Id.Length);
        Assert.Equal(OtherKeys.Length + 1, OtherKeys.Select(k => k.Key.Id).Append(Key.Id).Distinct().Count());
    }
}
