using System.Diagnostics;
using FaceDistill.Formats;
using FaceDistill.Stores;
using Parquet;
using Parquet.Meta;
using static FaceDistill.Tests.Stores.EmbeddingStoreFixture;

namespace FaceDistill.Tests.Stores;

public sealed class EmbeddingStoreTests : IDisposable
{
    private readonly TempFolder _temp = new();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void What_was_written_is_read_back_for_each_view()
    {
        Assert.True(Fill(_temp["s"]));

        EmbeddingStore store = EmbeddingStore.Open(_temp["s"]);

        Assert.Equal(Key.Id, store.Key.Id);
        for (int view = 0; view < 2; view++)
        {
            EmbeddingSet set = store.ReadAll(Key.Views[view]);
            Assert.Equal("dlib-resnet", set.Name);
            Assert.Equal(Images.Select(i => i.Path), set.Paths);
            Assert.Equal(Images.Select(i => i.Identity), set.Identities);
            Assert.Equal(Enumerable.Range(0, Key.ImageCount).Select(Face), set.Faces!);
            Assert.Equal(Enumerable.Range(0, Key.ImageCount).Select(Photo), set.Photos!);
            Assert.Equal(("aa11", ("junk.png", "no face found")), (set.ModelHash, Assert.Single(set.Skipped)));
            for (int image = 0; image < Key.ImageCount; image++)
            {
                Assert.Equal(Enumerable.Range(0, Dimension).Select(d => Value(image, view, d)), set.Row(image).ToArray());
            }
        }
    }

    [Fact]
    public void Parts_come_in_order_with_every_view()
    {
        Fill(_temp["s"]);

        EmbeddingStorePart[] parts = EmbeddingStore.Open(_temp["s"]).Parts().ToArray();

        Assert.Equal([0, 10, 20, 30], parts.Select(p => p.FirstImage));
        Assert.Equal([10, 10, 10, 5], parts.Select(p => p.Paths.Count));
        Assert.Equal(Value(33, 1, 2), parts[3].Row(3, 1)[2]);
    }

    [Fact]
    public void A_second_run_has_nothing_to_write_and_changes_nothing()
    {
        Fill(_temp["s"]);
        byte[] before = File.ReadAllBytes(Part(_temp["s"], 1));
        var said = new List<string>();
        Assert.False(Fill(_temp["s"], new JobContext(said.Add)));
        Assert.Empty(said);
        Assert.Equal(before, File.ReadAllBytes(Part(_temp["s"], 1)));
    }

    [Fact]
    public void A_run_killed_in_the_middle_blocks_nobody_and_the_next_gives_the_same_bytes()
    {
        Fill(_temp["whole"]);
        Fill(_temp["killed"]);
        File.Delete(Part(_temp["killed"], 2));
        File.Delete(Part(_temp["killed"], 3));
        File.Delete(Path.Combine(_temp["killed"], "store.json")); // it is written last
        foreach (string leftover in new[] { "part-00002.parquet.123-0f.part", "source.json.123-0f.part", "store.json.123-0f.part", ".lock" })
        {
            File.WriteAllText(Path.Combine(_temp["killed"], leftover), "half");
        }

        Assert.True(Fill(_temp["killed"]));
        string[] names = Directory.GetFiles(_temp["whole"]).Select(f => Path.GetFileName(f)!).Order().ToArray();
        Assert.Equal(["part-00000.parquet", "part-00001.parquet", "part-00002.parquet", "part-00003.parquet", "source.json", "store.json"], names);
        Assert.Equal(names, Directory.GetFiles(_temp["killed"]).Select(f => Path.GetFileName(f)!).Order());
        Assert.All(names, name => Assert.Equal(
            File.ReadAllBytes(Path.Combine(_temp["whole"], name)), File.ReadAllBytes(Path.Combine(_temp["killed"], name))));
    }

    [Fact]
    public void A_store_with_a_part_gone_is_not_read()
    {
        Fill(_temp["s"]);
        File.Delete(Part(_temp["s"], 3));
        var e = Assert.Throws<FaceDistillException>(() => EmbeddingStore.Open(_temp["s"]));
        Assert.Equal($"{_temp["s"]} is incomplete: it has 3 of 4 parts; run embed again to finish it", e.Message);
        Assert.Contains("no embedding store", Assert.Throws<FaceDistillException>(() => EmbeddingStore.Open(_temp["none"])).Message);
    }

    [Fact]
    public void A_view_that_is_not_there_is_named()
    {
        Fill(_temp["s"]);

        var e = Assert.Throws<FaceDistillException>(() => EmbeddingStore.Open(_temp["s"]).ReadAll("view7"));

        Assert.Contains("no view 'view7', only original, mirrored", e.Message);
    }

    [Fact]
    public void Two_writers_on_one_folder_get_one_clear_error()
    {
        using (OpenWriter(_temp["s"]))
        {
            var e = Assert.Throws<FaceDistillException>(() => OpenWriter(_temp["s"]));
            Assert.Equal($"another facedistill is writing to {_temp["s"]}; wait for it, or choose another --output", e.Message);
        }

        OpenWriter(_temp["s"]).Dispose();
    }

    [FlockFact]
    public void Another_process_holding_the_lock_is_noticed()
    {
        Directory.CreateDirectory(_temp["s"]);
        string file = Path.Combine(_temp["s"], ".lock");
        using var other = Process.Start(new ProcessStartInfo("/usr/bin/flock", [file, "sh", "-c", "echo held; read line"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("held", other.StandardOutput.ReadLine());

        var e = Assert.Throws<FaceDistillException>(() => OpenWriter(_temp["s"]));

        other.StandardInput.Close();
        other.WaitForExit();
        Assert.Contains("another facedistill is writing", e.Message);
        Assert.True(Fill(_temp["s"]));
    }

    [Fact]
    public async Task The_schema_is_the_standard_three_level_list()
    {
        Fill(_temp["s"]);

        await using ParquetReader reader = await ParquetReader.CreateAsync(Part(_temp["s"], 0));
        SchemaElement[] schema = reader.Metadata!.Schema.ToArray();

        Assert.Equal(["root", "path", "identity", "face", "photo", "view", "embedding", "list", "element"], schema.Select(s => s.Name));
        Assert.All(schema[1..6], s => Assert.True(s.Type == Parquet.Meta.Type.BYTE_ARRAY && s.LogicalType?.STRING is not null));
        Assert.Equal((1, ConvertedType.LIST), (schema[6].NumChildren, schema[6].ConvertedType));
        Assert.NotNull(schema[6].LogicalType?.LIST);
        Assert.Equal((1, FieldRepetitionType.REPEATED), (schema[7].NumChildren, schema[7].RepetitionType));
        Assert.Equal((Parquet.Meta.Type.FLOAT, FieldRepetitionType.REQUIRED), (schema[8].Type, schema[8].RepetitionType));
    }
}

/// <summary>A test in which another process takes a lock by flock(1); where that is missing it is skipped and says so.</summary>
public sealed class FlockFactAttribute : FactAttribute
{
    public FlockFactAttribute() => Skip = File.Exists("/usr/bin/flock") ? null : "not run: no /usr/bin/flock";
}
