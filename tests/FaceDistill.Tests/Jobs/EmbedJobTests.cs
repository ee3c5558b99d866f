using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Jobs;
using FaceDistill.Stores;
using FaceDistill.Synthetic;

namespace FaceDistill.Tests.Jobs;

public sealed class EmbedJobTests : IDisposable
{
    private readonly TempFolder _folder = new();

    // Three tasks at once, one of them twice, as after a kill; then one call writes the store of all and computes nothing.
    [Fact]
    public void Parts_fill_one_cache_side_by_side_and_the_store_computes_nothing_again()
    {
        // People whom no other test, and no earlier run of this one, has embedded.
        string data = SyntheticDataset.Write(
            _folder["people"], new DrawnPeople(12, 10, (ulong)DateTime.UtcNow.Ticks), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0)).Dataset.Root;
        string card = "teacher:" + TinyTeacher.Write(_folder["teacher"]);
        EmbedRequest Part(int number) => new(card, data, null, false, null, "cpu") { Shard = new DataShard(number, 3) };
        var outcomes = new EmbeddingOutcome[3];
        Parallel.For(0, 3, i => outcomes[i] = Job().Run(Part(i + 1), JobContext.None));
        Assert.Equal(120, outcomes.Sum(o => o.Images));
        Assert.All(outcomes, o => Assert.Equal(o.Images, o.Computed));
        Assert.Equal(0, Job().Run(Part(2), JobContext.None).Computed);
        var whole = Job().Run(new EmbedRequest(card, data, _folder["store"], false, null, "cpu"), JobContext.None);
        Assert.Equal((120, 0), (whole.Images, whole.Computed));
        Assert.Equal(120, EmbeddingStore.Open(_folder["store"]).ReadAll("original").Count);
        Assert.Equal(0, Job().Run(Part(1) with { Shard = new DataShard(1, 500) }, JobContext.None).Computed); // whatever it holds, perhaps nothing

        var refused = Assert.Throws<FaceDistillException>(() => Job().Run(Part(1) with { Output = _folder["part"] }, JobContext.None));
        Assert.Contains("without --shard", refused.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["part"]));

        // As one part of many of pictures that are said to be aligned.
        Tests.Datasets.Pictures.Noise(_folder["one/1.png"], 64, 64, Environment.TickCount);
        var parts = Enumerable.Range(1, 5).Select(n => Job().Run(
            Part(1) with { Data = _folder["one"], Aligned = "dlib", Shard = new DataShard(n, 5) }, JobContext.None).Images).ToList();
        Assert.Equal([0, 0, 0, 0, 1], parts.Order());

        // A folder without a picture, as of a disk that is not mounted, is a mistake in each part.
        Directory.CreateDirectory(_folder["empty"]);
        Assert.Contains("has no picture", Assert.Throws<FaceDistillException>(
            () => Job().Run(Part(1) with { Data = _folder["empty"] }, JobContext.None)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_store_grows_with_its_folder_and_loses_nothing()
    {
        SyntheticDataset.Write(_folder["people"], new DrawnPeople(3, 10, (ulong)DateTime.UtcNow.Ticks), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));
        string card = "teacher:" + TinyTeacher.Write(_folder["teacher"]);
        var said = new List<string>();
        EmbeddingOutcome Embed() => Job().Run(new EmbedRequest(card, _folder["people"], _folder["store"], true, null, "cpu"), new JobContext(said.Add));
        Assert.Equal((30, 30), Counts(Embed()));
        var before = EmbeddingStore.Open(_folder["store"]).ReadAll("mirrored");
        for (int i = 0; i < 4; i++)
        {
            Directory.CreateDirectory(_folder["people/0new"]);
            Tests.Datasets.Pictures.Noise(_folder[$"people/0new/{i}.png"], 64, 64, Environment.TickCount + i);
        }

        Assert.Equal((34, 4), Counts(Embed()));
        Assert.Contains($"{_folder["store"]} holds 30 of these 34 faces: the others are added", said);
        Assert.Equal((34, 0), Counts(Embed()));
        var after = EmbeddingStore.Open(_folder["store"]).ReadAll("mirrored");
        Assert.Equal(34, after.Count);
        Assert.Equal(before.Paths.Zip(before.Values.Chunk(before.Dimension)), after.Paths.Zip(after.Values.Chunk(after.Dimension)).Skip(4));
        Assert.Empty(Directory.GetFiles(_folder["store"], "*.part"));

        Directory.Delete(_folder["people/0new"], recursive: true);
        Assert.Contains("holds other images (34, not 30); choose another --output", Assert.Throws<FaceDistillException>(Embed).Message,
            StringComparison.Ordinal);
        Assert.Equal(34, EmbeddingStore.Open(_folder["store"]).ReadAll("original").Count);
    }

    private static (int Images, int Computed) Counts(EmbeddingOutcome outcome) => (outcome.Images, outcome.Computed);

    public void Dispose() => _folder.Dispose();

    private EmbedJob Job() => new(new AssetFinder([], [], _folder["cache"]));
}
