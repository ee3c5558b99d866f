using FaceDistill.Assets;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Assets;

public sealed class DatasetPullerTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly Downloader _downloader = new();
    private readonly AssetFinder _finder;
    private readonly DatasetPuller _puller;
    private readonly LoopbackServer _server;

    public DatasetPullerTests()
    {
        _server = new LoopbackServer(head => LoopbackServer.Whole(
            head.StartsWith("GET /pairs", StringComparison.Ordinal) ? "pairs"u8.ToArray() : File.ReadAllBytes(_folder["faces.tgz"])));
        _finder = new AssetFinder([], [_folder["home"]], _folder["cache"]);
        _puller = new DatasetPuller(_finder, _downloader, new AssetPuller(_finder, _downloader, new NpmPackage(_folder["no-npm"])));
        Archives.WriteTar(_folder["faces.tgz"], ("top/A/1.jpg", [1]), ("top/B/1.jpg", [2]), ("README", [3]));
    }

    public void Dispose()
    {
        _server.Dispose();
        _downloader.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("images", "top", "images/A/1.jpg")]
    [InlineData("", "top", "A/1.jpg")]
    [InlineData("images", "", "images/top/A/1.jpg")]
    public async Task The_archive_is_fetched_unpacked_and_put_in_place(string images, string archiveFolder, string picture)
    {
        var card = Card(images, archiveFolder);
        Assert.NotNull(_puller.Status(card).Note);
        var status = await _puller.PullAsync(card, JobContext.None);
        Assert.Equal(Path.Combine(_folder.Path, "cache", "datasets", "faces"), status.Folder);
        Assert.True(File.Exists(Path.Combine(status.Folder!, picture)));
        Assert.Equal("pairs", File.ReadAllText(Path.Combine(status.Folder!, "pairs.txt")));
        Assert.Equal([AssetState.Verified, AssetState.Missing], status.Files.Select(f => f.State));
        Assert.Contains("ask for it", status.Files[1].Note, StringComparison.Ordinal);
        Assert.Equal(["faces"], Directory.GetFileSystemEntries(_folder["cache/datasets"]).Select(Path.GetFileName));

        await _puller.PullAsync(card, JobContext.None);
        Assert.Equal(2, _server.Requests.Count);
    }

    [Fact]
    public async Task An_archive_fetched_by_hand_is_unpacked_and_stays()
    {
        var card = Card("images", "top");
        Directory.CreateDirectory(_folder["home/datasets"]);
        File.Copy(_folder["faces.tgz"], _folder["home/datasets/faces.tgz"]);
        await _puller.PullAsync(card, JobContext.None);
        Assert.Single(_server.Requests);
        Assert.True(File.Exists(_folder["home/datasets/faces.tgz"]));
    }

    [Fact]
    public async Task A_file_missing_in_the_users_own_copy_is_added_and_a_wrong_one_is_an_error()
    {
        var card = Card("images", "top");
        TestCards.Put(_folder["home/datasets/faces/images/A/1.jpg"], "x");
        Assert.Throws<FaceDistillException>(() => _puller.Verify(card));
        await _puller.PullAsync(card, JobContext.None);
        string pairs = _folder["home/datasets/faces/pairs.txt"];
        Assert.Equal("pairs", File.ReadAllText(pairs));

        File.WriteAllText(pairs, "mine");
        var e = await Assert.ThrowsAsync<FaceDistillException>(() => _puller.PullAsync(card, JobContext.None));
        Assert.Contains(pairs, e.Message, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(pairs));
    }

    [Fact]
    public async Task A_hostile_archive_leaves_no_data_set()
    {
        Archives.WriteTar(_folder["faces.tgz"], ("top/A/1.jpg", [1]), ("../../evil", [2]));
        var card = Card("images", "top");
        var e = await Assert.ThrowsAsync<FaceDistillException>(() => _puller.PullAsync(card, JobContext.None));
        Assert.Contains("leaves the folder", e.Message, StringComparison.Ordinal);
        Assert.Null(_finder.LocateDataset(card));
        Assert.Empty(Directory.GetDirectories(_folder["cache/datasets"]));
        Assert.False(File.Exists(_folder["cache/evil"]) || File.Exists(_folder["evil"]));
    }

    [Fact]
    public async Task An_archive_without_the_cards_folder_is_an_error()
    {
        var e = await Assert.ThrowsAsync<FaceDistillException>(() => _puller.PullAsync(Card("images", "other"), JobContext.None));
        Assert.Contains("no folder other", e.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(_folder["cache/datasets"]));
    }

    [Fact]
    public async Task A_data_set_by_hand_says_what_to_do()
    {
        var e = await Assert.ThrowsAsync<FaceDistillException>(() => _puller.PullAsync(DatasetCard.Load("utkface"), JobContext.None));
        Assert.Contains("accept the terms", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_data_set_does_not_verify()
    {
        Directory.CreateDirectory(_folder["home/datasets/utkface"]);
        var e = Assert.Throws<FaceDistillException>(() => _puller.Verify(DatasetCard.Load("utkface")));
        Assert.Contains("holds no files", e.Message, StringComparison.Ordinal);
    }

    private DatasetCard Card(string images, string archiveFolder)
    {
        string hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(_folder["faces.tgz"])));
        File.WriteAllText(_folder["faces.json"], $$"""
            {
              "name": "faces", "description": "d", "licence": "l", "source": "s", "layout": "identityFolders",
              "images": "{{images}}", "synthetic": false, "archiveFolder": "{{archiveFolder}}",
              "archive": { "file": "faces.tgz", "sha256": "{{hash}}", "source": { "url": "{{_server.Url("faces.tgz")}}" } },
              "files": [
                { "file": "pairs.txt", "sha256": "{{TestCards.Hash("pairs")}}", "source": { "url": "{{_server.Url("pairs.txt")}}" } },
                { "file": "people.txt", "sha256": "{{TestCards.Hash("people")}}", "source": { "manual": "ask for it" } }
              ]
            }
            """);
        return DatasetCard.Load(_folder["faces.json"]);
    }
}
