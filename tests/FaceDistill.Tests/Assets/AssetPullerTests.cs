using System.Text;
using FaceDistill.Assets;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Assets;

public sealed class AssetPullerTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Downloader _downloader = new();
    private readonly AssetFinder _finder;
    private readonly LoopbackServer _server = new(_ => LoopbackServer.Whole(Encoding.UTF8.GetBytes("by url")));

    public AssetPullerTests() => _finder = new AssetFinder([], [_folder["home"]], _folder["cache"]);

    public void Dispose()
    {
        _server.Dispose();
        _downloader.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_is_missing_is_fetched_once()
    {
        var set = TestCards.Teacher(
            TestCards.ByNpm("a.bin", "first"), TestCards.ByNpm("b.bin", "second"), TestCards.ByUrl("c.bin", _server.Url(), "by url"));
        var puller = Puller();
        Assert.All(puller.Status(set), s => Assert.Equal(AssetState.Missing, s.State));

        var pulled = await puller.PullAsync(set, JobContext.None);
        Assert.All(pulled, s => Assert.Equal((AssetState.Verified, _finder.CachePath(set, s.File)), (s.State, s.Path)));
        Assert.Equal(["a.bin", "b.bin", "c.bin"], Directory.GetFiles(_folder["cache/models/t"]).Select(Path.GetFileName).Order());

        File.Delete(_folder["npm-fake.args"]);
        await puller.PullAsync(set, JobContext.None);
        Assert.Single(_server.Requests);
        Assert.False(File.Exists(_folder["npm-fake.args"]));
    }

    [Fact]
    public async Task A_file_at_home_is_not_fetched()
    {
        TestCards.Put(_folder["home/models/c.bin"], "by url");
        var set = TestCards.Teacher(TestCards.ByUrl("c.bin", _server.Url(), "by url"));
        await Puller().PullAsync(set, JobContext.None);
        Assert.Empty(_server.Requests);
        Assert.False(Directory.Exists(_folder["cache"]));
    }

    [Fact]
    public async Task A_wrong_file_in_the_cache_is_fetched_anew_and_one_at_home_is_an_error()
    {
        var set = TestCards.Teacher(TestCards.ByUrl("c.bin", _server.Url(), "by url"));
        TestCards.Put(_finder.CachePath(set, "c.bin"), "spoilt");
        var puller = Puller();
        Assert.Equal(AssetState.WrongHash, puller.Status(set)[0].State);
        Assert.Throws<FaceDistillException>(() => puller.Verify(set));
        await puller.PullAsync(set, JobContext.None);
        Assert.Equal("by url", File.ReadAllText(_finder.CachePath(set, "c.bin")));

        string home = TestCards.Put(_folder["home/models/c.bin"], "spoilt");
        var e = await Assert.ThrowsAsync<FaceDistillException>(() => puller.PullAsync(set, JobContext.None));
        Assert.Contains(home, e.Message, StringComparison.Ordinal);
        Assert.Equal("spoilt", File.ReadAllText(home));
    }

    [Fact]
    public async Task A_file_by_hand_is_told_after_the_others_came()
    {
        var set = TestCards.Teacher(TestCards.ByHand("h.onnx"), TestCards.ByUrl("c.bin", _server.Url(), "by url"));
        var e = await Assert.ThrowsAsync<FaceDistillException>(() => Puller().PullAsync(set, JobContext.None));
        Assert.Contains("sign the licence", e.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(_finder.CachePath(set, "c.bin")));

        TestCards.Put(_finder.CachePath(set, "h.onnx"), "mine");
        var pulled = await Puller().PullAsync(set, JobContext.None);
        Assert.Equal([AssetState.Present, AssetState.Verified], pulled.Select(s => s.State));
    }

    [Fact]
    public async Task A_wrong_file_from_its_source_leaves_nothing_in_place()
    {
        var set = TestCards.Teacher(TestCards.ByUrl("c.bin", _server.Url(), "something else"));
        await Assert.ThrowsAsync<FaceDistillException>(() => Puller().PullAsync(set, JobContext.None));
        Assert.Equal(AssetState.Missing, Puller().Status(set)[0].State);
    }

    private AssetPuller Puller()
    {
        string package = _folder["p.tgz"];
        Archives.WriteTar(package, ("package/model/a.bin", Encoding.UTF8.GetBytes("first")), ("package/model/b.bin", Encoding.UTF8.GetBytes("second")));
        return new AssetPuller(_finder, _downloader, new NpmPackage(FakeNpm.Write(_folder, package)));
    }
}
