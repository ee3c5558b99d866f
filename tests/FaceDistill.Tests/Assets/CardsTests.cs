using System.Text.Json;
using FaceDistill.Assets;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Kernels;

namespace FaceDistill.Tests.Assets;

public sealed class CardsTests
{
    public static TheoryData<string, string> Shipped()
    {
        var all = new TheoryData<string, string>();
        foreach (string kind in new[] { Cards.Teachers, Cards.Detectors, Cards.Backbones, Cards.Datasets })
        {
            foreach (string name in Cards.Names(kind))
            {
                all.Add(kind, name);
            }
        }

        return all;
    }

    [Fact]
    public void The_shipped_cards_are_in_the_assembly()
    {
        Assert.Equal(["adaface-r50", "dlib-resnet", "facenet", "facenet-vggface2", "faceplugin-512", "insightface-mbf", "insightface-r50"],
            Cards.Names(Cards.Teachers));
        Assert.Equal(["faceres"], Cards.Names(Cards.Backbones));
        Assert.Equal(["yunet"], Cards.Names(Cards.Detectors));
        Assert.Equal(["celeba-a", "celeba-b", "celeba-wild", "ffhq-like", "lfw", "lfw-train", "no-mask", "synthetic", "utkface", "utkface-full", "ytf-frames"],
            Cards.Names(Cards.Datasets));
    }

    [Theory]
    [MemberData(nameof(Shipped))]
    public void A_shipped_card_says_its_name_licence_and_source(string kind, string name)
    {
        var card = JsonDocument.Parse(Cards.ReadText(kind, name).Text).RootElement;
        Assert.Equal(name, card.GetProperty("name").GetString());
        Assert.All(["description", "licence", "source"], key => Assert.NotEmpty(card.GetProperty(key).GetString()!));
    }

    [Theory]
    [InlineData("dlib-resnet", 2)]
    [InlineData("faceplugin-512", 1)]
    [InlineData("facenet", 1)]
    [InlineData("facenet-vggface2", 1)]
    [InlineData("adaface-r50", 1)]
    [InlineData("insightface-r50", 1)]
    [InlineData("insightface-mbf", 1)]
    public void A_teachers_files_are_well_formed_and_hashed_unless_the_users_own(string name, int files)
    {
        var card = Cards.ReadText(Cards.Teachers, name);
        var assets = JsonDocument.Parse(card.Text).RootElement.GetProperty("assets").Deserialize<Asset[]>(JsonFile.Options)!;
        var set = new AssetSet(card, name, assets);
        Assert.Equal(files, set.Assets.Count);
        Assert.All(set.Assets, a => Assert.True(a.Source.Manual is not null || (a.Sha256 is not null && a.Bytes is not null)));
    }

    [Fact]
    public void The_detectors_file_is_hashed()
    {
        var file = Assert.Single(DetectorCard.Files().Assets);
        Assert.Equal("face_detection_yunet_2026may.onnx", file.File);
        Assert.Equal(229738, file.Bytes);
        Assert.NotNull(file.Sha256);
    }

    [Theory]
    [InlineData("lfw", "IdentityFolders", false)]
    [InlineData("utkface", "Flat", false)]
    [InlineData("synthetic", "IdentityFolders", true)]
    public void A_data_sets_card_loads(string name, string layout, bool synthetic)
    {
        var card = DatasetCard.Load(name);
        Assert.Equal((layout, synthetic), (card.Layout.ToString(), card.Synthetic));
        Assert.All(card.AllFiles.Assets, a => Assert.NotNull(a.Sha256));
        Assert.True(card.Archive is not null || card.Manual is not null);
    }

    [Fact]
    public void An_unknown_card_names_the_known_ones()
    {
        var e = Assert.Throws<FaceDistillException>(() => Cards.ReadText(Cards.Teachers, "facenett"));
        Assert.Contains("dlib-resnet, facenet, facenet-vggface2, faceplugin-512", e.Message, StringComparison.Ordinal);
        Assert.Throws<FaceDistillException>(() => Cards.ReadText(Cards.Teachers, "../datasets/lfw"));
    }

    [Fact]
    public void A_users_own_card_is_taken_by_its_path()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["mine.json"], """
            { "name": "mine", "description": "d", "licence": "l", "source": "s",
              "assets": [{ "file": "m.onnx", "source": { "path": "sub/m.onnx" } }] }
            """);
        var set = DetectorCard.Files(folder["mine.json"]);
        Assert.Equal(("mine", folder.Path), (set.Name, set.Card.Folder));
        var missing = Assert.Throws<FaceDistillException>(() => Cards.ReadText(Cards.Teachers, folder["none.json"]));
        Assert.Contains(folder["none.json"], missing.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "file": "../m.onnx", "source": { "manual": "x" } }""", "plain file name")]
    [InlineData("""{ "file": "a/m.onnx", "source": { "manual": "x" } }""", "plain file name")]
    [InlineData("""{ "file": "m.onnx", "source": { "manual": "x" }, "sha256": "12" }""", "64 hexadecimal digits")]
    [InlineData("""{ "file": "m.onnx", "source": { "manual": "x" }, "bytes": 0 }""", "positive")]
    [InlineData("""{ "file": "m.onnx", "source": { } }""", "exactly one")]
    [InlineData("""{ "file": "m.onnx", "source": { "manual": "x", "path": "y" } }""", "exactly one")]
    [InlineData("""{ "file": "m.onnx", "source": { "manual": "" } }""", "empty")]
    [InlineData("""{ "file": "m.onnx", "source": { "npm": "a@1.0.0" } }""", "go together")]
    [InlineData("""{ "file": "m.onnx", "source": { "npm": "a@latest", "member": "m" } }""", "exact version")]
    [InlineData("""{ "file": "m.onnx", "source": { "npm": "a@1.0.0", "member": "../m" } }""", "leaves the package")]
    [InlineData("""{ "file": "m.onnx", "source": { "url": "http://example.org/m" } }""", "https")]
    [InlineData("""{ "file": "m.onnx", "source": { "url": "https://example.org/m" } }""", "needs its \"sha256\"")]
    [InlineData("""{ "file": "m.onnx", "sauce": { "manual": "x" } }""", "sauce")]
    public void A_malformed_file_entry_is_one_clear_line(string asset, string part)
    {
        using var folder = new TempFolder();
        string path = folder["c.json"];
        File.WriteAllText(path, $$"""{ "name": "c", "description": "d", "licence": "l", "source": "s", "assets": [{{asset}}] }""");
        var e = Assert.Throws<FaceDistillException>(() => DetectorCard.Files(path));
        Assert.Contains(part, e.Message, StringComparison.Ordinal);
        Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"images\": \"../x\", \"manual\": \"m\"", "\"images\"")]
    [InlineData("\"images\": \"\"", "\"archive\" and \"manual\"")]
    [InlineData("\"images\": \"\", \"manual\": \"m\", \"archiveFolder\": \"a/b\"", "\"archiveFolder\"")]
    [InlineData("\"images\": \"\", \"archive\": { \"file\": \"a.rar\", \"source\": { \"manual\": \"x\" } }", "no .tgz")]
    [InlineData("\"images\": \"\", \"manual\": \"m\", \"files\": [{ \"file\": \"pairs.txt\", \"source\": { \"path\": \"p.txt\" } }]",
        "\"files\": 'pairs.txt' comes by \"url\" or \"manual\"; npm and path are for the archive")]
    [InlineData("\"images\": \"\", \"manual\": \"m\", \"files\": [{ \"file\": \"p.txt\", \"source\": { \"npm\": \"a@1.0.0\", \"member\": \"m\" } }]",
        "\"files\": 'p.txt' comes by")]
    [InlineData("\"images\": \"\", \"manual\": \"m\", \"files\": [null]", "line 1: null stands in a list")]
    public void A_malformed_data_sets_card_is_one_clear_line(string keys, string part)
    {
        using var folder = new TempFolder();
        string path = folder["d.json"];
        File.WriteAllText(path, $$"""{ "name": "d", "description": "d", "licence": "l", "source": "s", "layout": "flat", "synthetic": false, {{keys}} }""");
        var e = Assert.Throws<FaceDistillException>(() => DatasetCard.Load(path));
        Assert.Contains(part, e.Message, StringComparison.Ordinal);
    }
}
