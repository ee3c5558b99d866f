using FaceDistill.Assets;

namespace FaceDistill.Tests.Assets;

public sealed class AssetFinderTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly AssetFinder _finder;

    public AssetFinderTests() => _finder = new AssetFinder(
        [_folder["given"]], [_folder["home1"], _folder["home2"]], _folder["cache"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Given_folders_come_before_homes_and_homes_before_the_cache()
    {
        var asset = TestCards.ByNpm("m.onnx", "right");
        var set = TestCards.Teacher(asset);
        Assert.Null(_finder.Locate(set, asset));
        foreach (string place in new[] { "cache/models/t/m.onnx", "home2/models/m.onnx", "home1/models/m.onnx", "given/m.onnx", "given/t/m.onnx" })
        {
            string path = TestCards.Put(_folder[place], "right");
            Assert.Equal(Path.GetFullPath(path), _finder.Find(set, asset));
        }
    }

    [Fact]
    public void A_missing_file_names_the_command_or_the_manual()
    {
        var asset = TestCards.ByNpm("m.onnx", "right");
        var e = Assert.Throws<FaceDistillException>(() => _finder.Find(TestCards.Teacher(asset), asset));
        Assert.Contains("facedistill teachers pull t", e.Message, StringComparison.Ordinal);

        var manual = TestCards.ByHand("h.onnx");
        e = Assert.Throws<FaceDistillException>(() => _finder.Find(TestCards.Teacher(manual), manual));
        Assert.Contains("sign the licence", e.Message, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(_folder.Path, "cache", "models", "t", "h.onnx"), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_hash_names_file_both_hashes_and_remedy_and_ends_the_search()
    {
        var asset = TestCards.ByNpm("m.onnx", "right");
        var set = TestCards.Teacher(asset);
        string wrong = TestCards.Put(_folder["home1/models/m.onnx"], "wrong");
        TestCards.Put(_folder["cache/models/t/m.onnx"], "right");
        var e = Assert.Throws<FaceDistillException>(() => _finder.Find(set, asset));
        Assert.All([wrong, TestCards.Hash("wrong"), TestCards.Hash("right"), "facedistill teachers pull t"],
            part => Assert.Contains(part, e.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_without_a_hash_in_its_card_is_taken_as_it_is()
    {
        var asset = TestCards.ByHand("h.onnx");
        string path = TestCards.Put(_folder["home2/models/h.onnx"], "anything");
        Assert.Equal(Path.GetFullPath(path), _finder.Find(TestCards.Teacher(asset), asset));
    }

    [Fact]
    public void A_path_counts_from_the_cards_folder()
    {
        var asset = new Asset("m.onnx", new AssetSource(Path: "sub/m.onnx"));
        var set = new AssetSet(new CardText(Cards.Teachers, "", _folder["own.json"], _folder.Path), "own", [asset]);
        var e = Assert.Throws<FaceDistillException>(() => _finder.Find(set, asset));
        Assert.Contains(Path.Combine(_folder.Path, "sub", "m.onnx"), e.Message, StringComparison.Ordinal);
        string path = TestCards.Put(_folder["sub/m.onnx"], "x");
        Assert.Equal(Path.GetFullPath(path), _finder.Find(set, asset));
    }

    [Fact]
    public void A_derived_file_is_found_in_the_cache()
    {
        var set = TestCards.Teacher(TestCards.ByHand("m.bin"));
        Assert.Null(_finder.LocateDerived(set, "m.onnx"));
        string path = TestCards.Put(_finder.CachePath(set, "m.onnx"), "x");
        Assert.Equal(path, _finder.LocateDerived(set, "m.onnx"));
    }

    [Fact]
    public void A_data_set_is_found_in_the_same_order_where_its_pictures_are()
    {
        var lfw = DatasetCard.Load("lfw");
        var e = Assert.Throws<FaceDistillException>(() => _finder.FindDataset(lfw));
        Assert.Contains("facedistill datasets pull lfw", e.Message, StringComparison.Ordinal);
        Directory.CreateDirectory(_folder["home1/datasets/lfw"]); // without pictures
        foreach (string place in new[] { "cache/datasets/lfw", "home2/datasets/lfw", "home1/datasets/lfw" })
        {
            Directory.CreateDirectory(Path.Combine(_folder[place], "images"));
            Assert.Equal(Path.GetFullPath(_folder[place]), _finder.FindDataset(lfw));
        }
    }

    [Fact]
    public void A_data_set_by_hand_tells_its_terms_and_its_place()
    {
        var e = Assert.Throws<FaceDistillException>(() => _finder.FindDataset(DatasetCard.Load("utkface")));
        Assert.Contains("terms", e.Message, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(_folder.Path, "cache", "datasets", "utkface"), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_given_folder_that_does_not_exist_is_an_error()
    {
        var e = Assert.Throws<FaceDistillException>(() => AssetFinder.FromEnvironment([_folder["none"]]));
        Assert.Contains(_folder["none"], e.Message, StringComparison.Ordinal);
    }
}
