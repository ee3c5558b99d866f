using FaceDistill.Formats;
using FaceDistill.Stores;
using static FaceDistill.Tests.Stores.EmbeddingStoreFixture;

namespace FaceDistill.Tests.Stores;

public sealed class EmbeddingStoreDamageTests : IDisposable
{
    private readonly TempFolder _temp = new();
    private readonly string _folder;

    public EmbeddingStoreDamageTests()
    {
        _folder = _temp["s"];
        Fill(_folder);
    }

    public void Dispose() => _temp.Dispose();

    [Fact]
    public void A_truncated_part_stops_a_reader_and_is_computed_again_by_a_writer()
    {
        byte[] whole = File.ReadAllBytes(Part(_folder, 1));
        File.WriteAllBytes(Part(_folder, 1), whole[..(whole.Length / 2)]);

        var e = Assert.Throws<FaceDistillException>(() => EmbeddingStore.Open(_folder).ReadAll("original"));
        Assert.StartsWith($"{Part(_folder, 1)} is damaged", e.Message, StringComparison.Ordinal);
        Assert.EndsWith("run embed again to replace it", e.Message, StringComparison.Ordinal);

        var said = new List<string>();
        Assert.True(Fill(_folder, new JobContext(said.Add)));
        Assert.StartsWith($"{Part(_folder, 1)} is damaged", Assert.Single(said), StringComparison.Ordinal);
        Assert.Equal(whole, File.ReadAllBytes(Part(_folder, 1)));
    }

    [Fact]
    public void An_empty_part_and_a_part_of_garbage_are_damaged()
    {
        long length = new FileInfo(Part(_folder, 2)).Length;
        File.WriteAllBytes(Part(_folder, 0), []);
        Assert.Contains("cannot hold", Assert.Throws<FaceDistillException>(() => EmbeddingStore.Open(_folder)).Message);
        File.WriteAllBytes(Part(_folder, 2), Enumerable.Range(0, (int)length).Select(i => (byte)(i * 7)).ToArray());

        Assert.True(Fill(_folder));
        Assert.Equal(View(1).Values, EmbeddingStore.Open(_folder).ReadAll("mirrored").Values);
    }

    [Fact]
    public void A_flipped_bit_in_an_embedding_is_seen()
    {
        byte[] bytes = File.ReadAllBytes(Part(_folder, 0));
        int at = bytes.AsSpan().IndexOf(BitConverter.GetBytes(Value(4, 1, 3)));
        Assert.True(at > 0);
        bytes[at] ^= 1;
        File.WriteAllBytes(Part(_folder, 0), bytes);

        var e = Assert.Throws<FaceDistillException>(() => EmbeddingStore.Open(_folder).ReadPart(0));

        Assert.Contains("its checksum is wrong", e.Message);
    }

    [Fact]
    public void Any_changed_byte_anywhere_in_the_file_is_seen_before_it_is_decoded()
    {
        byte[] whole = File.ReadAllBytes(Part(_folder, 3));
        EmbeddingStore store = EmbeddingStore.Open(_folder);
        var random = new Random(5);
        for (int at = 0; at < whole.Length; at += random.Next(1, 6))
        {
            byte[] bytes = [.. whole];
            bytes[at] ^= (byte)random.Next(1, 256);
            File.WriteAllBytes(Part(_folder, 3), bytes);

            var e = Assert.Throws<FaceDistillException>(() => store.ReadPart(3));
            Assert.Equal(
                $"{Part(_folder, 3)} is damaged or no part of an embedding store (its checksum is wrong or missing); run embed again to replace it", e.Message);
        }
    }

    [Fact]
    public void A_part_of_another_store_or_another_place_is_foreign()
    {
        EmbeddingStoreKey otherKey = Key with { TeacherHash = "other" };
        using (EmbeddingStoreWriter other = EmbeddingStoreWriter.Open(_temp["other"], otherKey, [], JobContext.None))
        {
            other.Write([View(0), View(1)], Source, default);
        }

        byte[] own = File.ReadAllBytes(Part(_folder, 0));
        File.Copy(Part(_temp["other"], 0), Part(_folder, 0), overwrite: true);
        Assert.Contains("belongs to another embedding store", Assert.Throws<FaceDistillException>(
            () => EmbeddingStore.Open(_folder).ReadAll("original")).Message);
        File.WriteAllBytes(Part(_folder, 0), own);
        File.Copy(Part(_folder, 2), Part(_folder, 1), overwrite: true);
        Assert.Contains("is another part of the store under a wrong name", Assert.Throws<FaceDistillException>(
            () => EmbeddingStore.Open(_folder).ReadAll("original")).Message);
    }

    [Theory]
    [InlineData("\"imageCount\": 35", "\"imageCount\": 2000000000")]
    [InlineData("\"dimension\": 6", "\"dimension\": 65536")]
    [InlineData("\"dimension\": 6", "\"dimension\": 0")]
    [InlineData("\"imagesPerPart\": 10", "\"imagesPerPart\": 1000000000")]
    [InlineData("\"formatVersion\": 2", "\"formatVersion\": 9")]
    [InlineData("\"mirrored\"", "\"original\"")]
    [InlineData("\"views\": [", "\"views\": ")]
    public void A_store_json_that_claims_too_much_is_refused_at_once(string text, string claim)
    {
        string file = Path.Combine(_folder, "store.json");
        string json = File.ReadAllText(file);
        Assert.Contains(text, json);
        File.WriteAllText(file, json.Replace(text, claim, StringComparison.Ordinal));
        long before = GC.GetTotalAllocatedBytes();

        var e = Assert.Throws<FaceDistillException>(() => EmbeddingStore.Open(_folder).ReadAll("original"));

        Assert.Contains(_folder, e.Message);
        Assert.DoesNotContain('\n', e.Message);
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 8_000_000);
    }
}
