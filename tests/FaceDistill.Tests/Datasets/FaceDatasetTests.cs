using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Datasets;

public sealed class FaceDatasetTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Pictures_come_in_ordinal_order_with_their_folder_as_identity()
    {
        foreach (string file in new[] { "b/2.JPG", "b/10.png", "B/1.webp", "a/deep/x.jpeg", "root.png", "a/notes.txt", "readme" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder[file])!);
            File.WriteAllText(_folder[file], "");
        }

        var dataset = FaceDataset.List(_folder.Path);
        Assert.Equal(
            [new("B/1.webp", "B"), new("a/deep/x.jpeg", "a/deep"), new("b/10.png", "b"), new("b/2.JPG", "b"), new FaceImage("root.png", "")],
            dataset.Images);
        Assert.Equal([("a/notes.txt", "not a picture file"), ("readme", "not a picture file")], dataset.Others);
        Assert.All(dataset.Images, image => Assert.True(File.Exists(dataset.FullPath(image))));
    }

    [Fact]
    public void A_separator_at_the_end_of_a_folder_changes_nothing()
    {
        string slashed = _folder.Path + Path.DirectorySeparatorChar;
        Assert.Equal(FaceDataset.List(_folder.Path).Root, FaceDataset.List(slashed).Root);
        Assert.Equal(DataFolder.Of(_folder.Path), DataFolder.Of(slashed));
    }

    [Fact]
    public void A_missing_folder_is_named() =>
        Assert.Equal($"no folder {_folder["none"]}", Assert.Throws<FaceDistillException>(() => FaceDataset.List(_folder["none"])).Message);

    [Fact]
    public void Pictures_are_in_the_folder_itself_or_in_its_images()
    {
        Pictures.Noise(_folder["set/images/a/1.png"], 8, 8);
        File.WriteAllText(_folder["set/pairs.txt"], "");
        Assert.Equal(new DataFolder(_folder["set"], Path.Combine(_folder["set"], "images")), DataFolder.Of(_folder["set"]));
        Pictures.Noise(_folder["set/own.png"], 8, 8);
        Assert.Equal(new DataFolder(_folder["set"], _folder["set"]), DataFolder.Of(_folder["set"]));
    }

    [Fact]
    public void A_folder_called_images_among_others_of_pictures_is_one_of_them()
    {
        foreach (string picture in new[] { "images/1.png", "Anna/1.png", "Anna/deep/2.png" })
        {
            Pictures.Noise(_folder["set/" + picture], 8, 8);
        }

        var data = DataFolder.Of(_folder["set"]);
        Assert.Equal(_folder["set"], data.Images);
        Assert.Equal(["Anna", "Anna/deep", "images"], FaceDataset.List(data.Images).Images.Select(i => i.Identity));
        Directory.Delete(_folder["set/Anna"], recursive: true);
        Directory.CreateDirectory(_folder["set/meta"]);
        File.WriteAllText(_folder["set/meta/pairs.txt"], "");
        Pictures.Noise(_folder["set/aligned/1.png"], 64, 64); // as 'align' made of them
        new AlignmentManifest(1, "dlib", 64, 0, "user", "", true).Write(_folder["set/aligned"]);
        Assert.Equal(Path.Combine(_folder["set"], "images"), DataFolder.Of(_folder["set"]).Images);
    }

    [Fact]
    public void An_aligned_folder_with_a_person_called_images_is_taken_whole()
    {
        Pictures.Noise(_folder["images/1.png"], 64, 64);
        new AlignmentManifest(1, "dlib", 64, 0, "user", "", true).Write(_folder.Path);
        Assert.Equal(_folder.Path, DataFolder.Of(_folder.Path).Images);
    }

    [Fact]
    public void An_unknown_name_lists_the_data_sets_there_are()
    {
        string message = Assert.Throws<FaceDistillException>(
            () => DataFolder.Resolve("lfv", new AssetFinder([], [], _folder.Path))).Message;
        Assert.Contains("no folder lfv", message, StringComparison.Ordinal);
        Assert.All(Cards.Names(Cards.Datasets), name => Assert.Contains(name, message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_card_s_data_set_that_is_not_there_says_how_to_get_it_and_one_that_is_there_is_found()
    {
        var finder = new AssetFinder([], [_folder.Path], _folder["cache"]);
        Assert.Contains("facedistill datasets pull lfw",
            Assert.Throws<FaceDistillException>(() => DataFolder.Resolve("lfw", finder)).Message, StringComparison.Ordinal);
        Pictures.Noise(_folder["datasets/lfw/images/a/1.png"], 8, 8);
        Assert.Equal(_folder[Path.Combine("datasets", "lfw", "images")], DataFolder.Resolve("lfw", finder).Images);
    }

    [Fact]
    public void The_pictures_of_a_card_lie_where_it_says()
    {
        const string keys = """ "description": "d", "licence": "l", "source": "s", "layout": "flat", "synthetic": false, "manual": "m" }""";
        File.WriteAllText(_folder["set.json"], $$"""{ "name": "set", "images": "pictures",{{keys}}""");
        Pictures.Noise(_folder["datasets/set/pictures/a/1.png"], 8, 8);
        Pictures.Noise(_folder["datasets/set/previews/a/1.png"], 8, 8);
        var data = DataFolder.Resolve(_folder["set.json"], new AssetFinder([], [_folder.Path], _folder["cache"]));
        Assert.Equal((_folder["datasets/set"], _folder["datasets/set/pictures"]), (data.Root, data.Images));
    }
}
