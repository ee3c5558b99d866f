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
    }

    public void Dispose() => _folder.Dispose();

    private EmbedJob Job() => new(new AssetFinder([], [], [], _folder["cache"]));
}
