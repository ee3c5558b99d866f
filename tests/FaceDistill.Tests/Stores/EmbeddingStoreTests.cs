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
        Assert.Equal([0, 1, 2, 3], Fill(_temp["s"]));

        EmbeddingStore store = EmbeddingStore.Open(_temp["s"]);

        Assert.Equal(Key.Id, store.Key.Id);
        for (int view = 0; view < 2; view++)
        {
            EmbeddingSet set = store.ReadAll(Key.Views[view]);
            Assert.Equal("dlib-resnet", set.Name);
            Assert.Equal(Images.Select(i => i.Path), set.Paths);
            Assert.Equal(Images.Select(i => i.Identity), set.Identities);
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
    public void A_second_run_has_nothing_to_compute_and_changes_nothing()
    {
        Fill(_temp["s"]);
        byte[] before = File.ReadAllBytes(Part(_temp["s"], 1));

        using EmbeddingStoreWriter writer = OpenWriter(_temp["s"]);

        Assert.True(writer.IsComplete);
        Assert.Empty(writer.MissingParts());
        Assert.Empty(writer.Notices);
        Assert.Equal(before, File.ReadAllBytes(Part(_temp["s"], 1)));
    }

    [Fact]
    public void A_run_killed_in_the_middle_continues_to_the_same_bytes()
    {
        Fill(_temp["whole"]);
        Fill(_temp["killed"], atMost: 2);
        string leftover = Part(_temp["killed"], 2) + ".123-0f.part";
        File.WriteAllText(leftover, "half a part");
        File.WriteAllText(Path.Combine(_temp["killed"], ".lock"), "");

        Assert.Equal([2, 3], Fill(_temp["killed"]));

        Assert.False(File.Exists(leftover));
        string[] names = Directory.GetFiles(_temp["whole"]).Select(f => Path.GetFileName(f)!).Order().ToArray();
        Assert.Equal(["part-00000.parquet", "part-00001.parquet", "part-00002.parquet", "part-00003.parquet", "store.json"], names);
        Assert.Equal(names, Directory.GetFiles(_temp["killed"]).Select(f => Path.GetFileName(f)!).Order());
        Assert.All(names, name => Assert.Equal(
            File.ReadAllBytes(Path.Combine(_temp["whole"], name)), File.ReadAllBytes(Path.Combine(_temp["killed"], name))));
    }

    [Fact]
    public void A_run_killed_before_its_first_file_was_whole_starts_again()
    {
        Directory.CreateDirectory(_temp["s"]);
        File.WriteAllText(Path.Combine(_temp["s"], "store.json.123-0f.part"), "{");

        Assert.Equal(4, Fill(_temp["s"]).Length);
    }

    [Fact]
    public void An_unfinished_store_is_not_read()
    {
        Fill(_temp["s"], atMost: 3);

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

        using EmbeddingStoreWriter next = OpenWriter(_temp["s"]);
        Assert.Equal(4, next.MissingParts().Count());
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
        Assert.Equal(4, Fill(_temp["s"]).Length);
    }

    [Fact]
    public async Task The_schema_is_the_standard_three_level_list()
    {
        Fill(_temp["s"]);

        await using ParquetReader reader = await ParquetReader.CreateAsync(Part(_temp["s"], 0));
        SchemaElement[] schema = reader.Metadata!.Schema.ToArray();

        Assert.Equal(["root", "path", "identity", "view", "embedding", "list", "element"], schema.Select(s => s.Name));
        Assert.All(schema[1..4], s => Assert.True(s.Type == Parquet.Meta.Type.BYTE_ARRAY && s.LogicalType?.STRING is not null));
        Assert.Equal((1, ConvertedType.LIST), (schema[4].NumChildren, schema[4].ConvertedType));
        Assert.NotNull(schema[4].LogicalType?.LIST);
        Assert.Equal((1, FieldRepetitionType.REPEATED), (schema[5].NumChildren, schema[5].RepetitionType));
        Assert.Equal((Parquet.Meta.Type.FLOAT, FieldRepetitionType.REQUIRED), (schema[6].Type, schema[6].RepetitionType));
    }
}

/// <summary>A test in which another process takes a lock by flock(1); where that is missing it is skipped and says so.</summary>
public sealed class FlockFactAttribute : FactAttribute
{
    public FlockFactAttribute() => Skip = File.Exists("/usr/bin/flock") ? null : "not run: no /usr/bin/flock";
}
