using System.Text.Json.Nodes;
using FaceDistill.Assets;
using FaceDistill.Files;
using FaceDistill.Jobs;
using FaceDistill.Teachers;

namespace FaceDistill.Tests.Teachers;

public sealed class TeacherCardTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly AssetFinder _finder;

    public TeacherCardTests() => _finder = new AssetFinder([], [], _folder["cache"]);

    public static TheoryData<string> Shipped => new(Cards.Names(Cards.Teachers));

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Shipped))]
    public void A_shipped_card_loads(string name)
    {
        var (card, files) = TeacherCard.Load(name);
        Assert.Equal(name, card.Name);
        Assert.Equal(card.Assets.Length, files.Assets.Count);
        Assert.NotEmpty(card.Licence);
        Assert.Equal((card.Description, card.Licence), ModelPull.About(name));
    }

    [Fact]
    public void A_user_s_card_with_a_path_opens_wherever_the_program_runs()
    {
        using var teacher = TeacherCard.Open(TinyTeacher.Write(_folder["sub"]), _finder);
        Assert.Equal(("tiny", TinyTeacher.Dimension), (teacher.Name, teacher.Dimension));
    }

    [Theory]
    [InlineData("\"model\": \"tiny.onnx\"", "\"model\": \"tiny.onnx\", \"convert\": \"magic\"", "no conversion 'magic'; there is dlib-resnet")]
    [InlineData("\"model\": \"tiny.onnx\"", "\"model\": \"tiny.onnx\", \"convert\": \"dlib-resnet\"", "is made from one .json and one .bin file")]
    [InlineData("\"model\": \"tiny.onnx\"", "\"model\": \"other.onnx\"", "the model 'other.onnx' is not among the assets")]
    [InlineData("\"path\": \"tiny.onnx\"", "\"path\": \"gone.onnx\"", "no file ")]
    [InlineData("\"path\": \"tiny.onnx\"", "\"url\": \"http://example.org/x\"", "not an https address")]
    [InlineData("\"file\": \"tiny.onnx\"", "\"file\": \"tiny.onnx\", \"sha256\": \"00000000000000000000000000000000000000000000000000000000000000ff\"",
        "SHA-256")]
    [InlineData("\"dimension\": 16", "\"dimension\": 17", "gives embeddings of 16 values where its card says 17")]
    [InlineData("\"size\": 64", "\"size\": 96", "but its contract says")]
    [InlineData("\"template\": \"dlib\"", "\"template\": \"x\"", "no alignment template 'x'")]
    [InlineData("\"dimension\": 16", "\"dimensions\": 16",
        "line 4: unknown key 'dimensions'; known: name, description, licence, source, assets, model, contract, dimension, convert")]
    [InlineData("\"std\": [255, 255, 255]", "\"std\": [255, 255, 255], \"ouput\": \"embedding\"", "unknown key 'ouput'; known: size, template, ")]
    [InlineData("\"path\": \"tiny.onnx\"", "\"pat\": \"tiny.onnx\"", "unknown key 'pat'; known: npm, member, url, path, manual")]
    [InlineData("\"colorOrder\": \"rgb\"", "\"colorOrder\": \"rbg\"", "line 5")]
    public void A_card_that_does_not_hold_is_one_clear_line(string what, string by, string says)
    {
        string path = TinyTeacher.Write(_folder["sub"]);
        string text = File.ReadAllText(path);
        Assert.Contains(what, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(what, by, StringComparison.Ordinal));
        string message = Assert.Throws<FaceDistillException>(() => TeacherCard.Open(path, _finder).Dispose()).Message;
        Assert.Contains(says, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_converted_network_is_known_by_what_it_was_made_of_and_made_again_when_it_was_altered()
    {
        string right = Hash("a", seed: 1), other = Hash("b", seed: 2);
        Assert.NotEqual(right, other); // another card of the same name left its network beside, and it was not taken
        Assert.Equal(right, Hash("a", seed: 1));
        string converted = Assert.Single(Directory.GetFiles(_folder["cache/models/dlib"], "*.onnx"), f => FileHash.Sha256(f) == right);
        byte[] bytes = File.ReadAllBytes(converted);
        bytes[^2000] ^= 1;
        File.WriteAllBytes(converted, bytes);
        Assert.Equal(right, Hash("a", seed: 1));
        File.WriteAllText(converted, "junk");
        Assert.Equal(right, Hash("a", seed: 1));
        File.Delete(converted + ".sha256"); // as a kill between the two files leaves it
        Assert.Equal(right, Hash("a", seed: 1));

        // In a folder of the user's it is refused, and stays.
        Directory.Move(_folder["cache/models"], _folder["mine"]);
        string brought = Path.Combine(_folder["mine"], "dlib", Path.GetFileName(converted));
        var finder = new AssetFinder([_folder["mine"]], [], _folder["cache"]);
        Assert.Equal(right, TeacherHash(finder, "a"));
        File.AppendAllText(brought, "x");
        Assert.StartsWith(brought, Assert.Throws<FaceDistillException>(() => TeacherHash(finder, "a")).Message, StringComparison.Ordinal);

        // Where the cache takes no file it goes with the process.
        Directory.CreateDirectory(_folder["closed/models"]);
        File.WriteAllText(_folder["closed/models/dlib"], "");
        Assert.Equal(right, TeacherHash(new AssetFinder([], [], _folder["closed"]), "a"));

        string Hash(string folder, int seed)
        {
            if (!Directory.Exists(_folder[folder]))
            {
                using var made = new TempFolder();
                SyntheticDlibWeights.Write(made, seed);
                Directory.CreateDirectory(_folder[folder]);
                foreach (string file in Directory.GetFiles(made.Path))
                {
                    File.Copy(file, Path.Combine(_folder[folder], Path.GetFileName(file)));
                }

                var card = JsonNode.Parse(Cards.ReadText(Cards.Teachers, "dlib-resnet").Text)!;
                card["name"] = "dlib";
                card["assets"] = JsonNode.Parse("""
                    [{ "file": "weights.bin", "source": { "path": "weights.bin" } },
                     { "file": "weights_manifest.json", "source": { "path": "weights_manifest.json" } }]
                    """);
                File.WriteAllText(_folder[folder + "/dlib.json"], card.ToJsonString());
            }

            return TeacherHash(_finder, folder);
        }

        string TeacherHash(AssetFinder finder, string folder)
        {
            using var teacher = TeacherCard.Open(_folder[folder + "/dlib.json"], finder);
            return teacher.Hash;
        }
    }

    [Fact]
    public void A_shipped_teacher_that_is_not_there_says_how_to_get_it() =>
        Assert.Contains("facedistill teachers pull dlib-resnet",
            Assert.Throws<FaceDistillException>(() => TeacherCard.Open("dlib-resnet", _finder)).Message, StringComparison.Ordinal);

    [Fact]
    public void An_unknown_card_lists_those_there_are() =>
        Assert.Contains(string.Join(", ", Cards.Names(Cards.Teachers)),
            Assert.Throws<FaceDistillException>(() => TeacherCard.Load("facenet2")).Message, StringComparison.Ordinal);
}
