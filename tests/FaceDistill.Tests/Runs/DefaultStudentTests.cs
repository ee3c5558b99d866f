using System.Text.Json;
using System.Xml.Linq;
using FaceDistill.Runs;

namespace FaceDistill.Tests.Runs;

/// <summary>The student that is taken where none is named.</summary>
public sealed class DefaultStudentTests : IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public void Of_the_kept_students_the_best_at_1e_4_is_taken_and_the_tool_s_package_holds_the_same()
    {
        string results = Path.Combine(RepositoryRoot.Path, "eval", "results"), found = DefaultStudent.Find();
        double Tar(string card)
        {
            using var document = JsonDocument.Parse(File.ReadAllText(card));
            return document.RootElement.GetProperty("accuracy").EnumerateArray()
                .Where(r => r.GetProperty("model").GetString() is "this file" && !r.GetProperty("seen").GetBoolean())
                .Select(r => r.GetProperty("result").GetProperty("tarAtFar").GetProperty("1e-4").GetDouble()).FirstOrDefault();
        }

        Assert.StartsWith(results, found, StringComparison.Ordinal);
        Assert.True(File.Exists(found));
        double best = Directory.EnumerateFiles(results, "*.card.json", SearchOption.AllDirectories).Max(Tar);
        Assert.Equal(best, Tar(found + ".card.json"));
        string project = Path.Combine(RepositoryRoot.Path, "src", "FaceDistill.Cli", "FaceDistill.Cli.csproj");
        string packed = XDocument.Load(project).Descendants("DefaultStudent").Single().Value;
        Assert.Equal(found, Path.GetFullPath(packed, Path.GetDirectoryName(project)!));
    }

    [Fact]
    public void Beside_the_installed_tool_lies_one()
    {
        Student("student/x.onnx", "this file", 0.4);
        Assert.Equal(_folder["student/x.onnx"], DefaultStudent.Find(_folder.Path));
    }

    [Fact]
    public void A_card_counts_by_its_file_on_strangers_and_only_where_the_file_is_there()
    {
        File.WriteAllText(_folder["FaceDistill.sln"], "");
        Student("eval/results/a/small.onnx", "this file", 0.3);
        Student("eval/results/b/fp32.onnx", "the student in TorchSharp", 0.4);
        Student("eval/results/c/seen.onnx", "this file", 0.9, seen: true);
        Student("eval/results/d/teacher.onnx", "teacher", 0.95);
        Student("eval/results/e/gone.onnx", "this file", 0.8);
        File.Delete(_folder["eval/results/e/gone.onnx"]);
        Directory.CreateDirectory(_folder["bin/net10.0"]);
        Assert.Equal(_folder["eval/results/b/fp32.onnx"], DefaultStudent.Find(_folder["bin/net10.0"]));
    }

    [Fact]
    public void None_or_a_damaged_card_is_one_line_that_names_the_remedy()
    {
        string message = Assert.Throws<FaceDistillException>(() => DefaultStudent.Find(_folder.Path)).Message;
        Assert.StartsWith("no student is at hand: name one with --model", message, StringComparison.Ordinal);
        Student("student/x.onnx", "this file", 0.4);
        File.WriteAllText(_folder["student/x.onnx.card.json"], "{");
        message = Assert.Throws<FaceDistillException>(() => DefaultStudent.Find(_folder.Path)).Message;
        Assert.StartsWith($"cannot read the model card {_folder["student/x.onnx.card.json"]}: ", message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private void Student(string file, string row, double tar, bool seen = false)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[file])!);
        File.WriteAllText(_folder[file], "");
        File.WriteAllText(_folder[file + ".card.json"], JsonSerializer.Serialize(new
        {
            teacher = new { name = "teacher" },
            accuracy = new[] { new { model = row, seen, result = new { tarAtFar = new Dictionary<string, double> { ["1e-4"] = tar } } } },
        }));
    }
}
