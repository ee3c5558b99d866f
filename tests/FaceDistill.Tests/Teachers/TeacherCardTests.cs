using FaceDistill.Assets;
using FaceDistill.Jobs;
using FaceDistill.Teachers;

namespace FaceDistill.Tests.Teachers;

public sealed class TeacherCardTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly AssetFinder _finder;

    public TeacherCardTests() => _finder = new AssetFinder([], [], [], _folder["cache"]);

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
    [InlineData("\"dimension\": 16", "\"dimensions\": 16", "dimensions")]
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
    public void A_shipped_teacher_that_is_not_there_says_how_to_get_it() =>
        Assert.Contains("facedistill teachers pull dlib-resnet",
            Assert.Throws<FaceDistillException>(() => TeacherCard.Open("dlib-resnet", _finder)).Message, StringComparison.Ordinal);

    [Fact]
    public void An_unknown_card_lists_those_there_are() =>
        Assert.Contains(string.Join(", ", Cards.Names(Cards.Teachers)),
            Assert.Throws<FaceDistillException>(() => TeacherCard.Load("facenet2")).Message, StringComparison.Ordinal);
}
