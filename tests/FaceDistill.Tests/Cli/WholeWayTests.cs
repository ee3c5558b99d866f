using System.Text.Json;
using FaceDistill.Cli;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Synthetic;

namespace FaceDistill.Tests.Cli;

/// <summary>The command line from faces to report, in this process.</summary>
public sealed class WholeWayTests
{
    [Fact]
    public async Task Faces_become_a_measured_exported_student()
    {
        using var folder = new TempFolder();
        SyntheticDataset.Write(folder["faces"], new DrawnPeople(6, 8, 5), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0.1));
        string card = TinyTeacher.Write(folder["teacher"]);
        string[] distill = ["distill", "--student", "mobilenet-v1:0.25@64", "--teacher", card, "--data", folder["faces"], "--output", folder["run"],
            "--epochs", "2", "--batch-size", "8", "--device", "cpu"];
        Assert.Equal((0, ""), await Run(distill, "finished"));
        Assert.All(new[] { "checkpoint.safetensors", "student.onnx", "log.csv", "report.md", "report.json", "run.json" },
            f => Assert.True(File.Exists(folder[$"run/{f}"]), f));

        var (code, error) = await Run(distill, "");
        Assert.Equal(CommandLine.Failed, code);
        Assert.Contains("--resume", error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        Assert.Equal(CommandLine.Done, (await Run([.. distill, "--resume"], "finished")).Code);

        using var measured = await Json(["evaluate", "--model", folder["run"], "--model", "teacher:" + card, "--data", folder["faces"], "--json"]);
        var models = measured.RootElement.GetProperty("models");
        Assert.Equal("all-pairs", measured.RootElement.GetProperty("protocol").GetString());
        Assert.Equal(48, models[0].GetProperty("images").GetInt32());
        Assert.Equal(6 * 28, models[0].GetProperty("genuinePairs").GetInt64());
        Assert.Equal((48 * 47 / 2) - (6 * 28), models[0].GetProperty("impostorPairs").GetInt64());
        Assert.Equal(JsonValueKind.Null, models[0].GetProperty("tarAtFar").GetProperty("1e-4").ValueKind);
        Assert.InRange(models[1].GetProperty("tarAtFar").GetProperty("1e-2").GetDouble(), 0, 1);

        using var exported = await Json(["export", "--model", folder["run"], "--output", folder["out.onnx"], "--json"]);
        Assert.InRange(exported.RootElement.GetProperty("maxAbsDifference").GetDouble(), 0, 1e-4);
        Assert.Equal(Path.GetFullPath(folder["out.onnx"]), exported.RootElement.GetProperty("files")[0].GetString());

        using var again = await Json(["evaluate", "--model", folder["out.onnx"], "--data", folder["faces"], "--json"]);
        Assert.Equal(
            models[0].GetProperty("tarAtFar").GetProperty("1e-2").GetDouble(),
            again.RootElement.GetProperty("models")[0].GetProperty("tarAtFar").GetProperty("1e-2").GetDouble(), 1e-2);
        string report = await File.ReadAllTextAsync(folder["run/report.md"]);
        Assert.Contains("synthetic drawings", report, StringComparison.Ordinal);
        Assert.Contains("all-pairs on faces", report, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("align --help")]
    [InlineData("embed --help")]
    [InlineData("distill --help")]
    [InlineData("evaluate --help")]
    [InlineData("export --help")]
    [InlineData("count --help")]
    [InlineData("bench --help")]
    [InlineData("quickstart --help")]
    [InlineData("teachers pull --help")]
    [InlineData("datasets list --help")]
    public async Task Help_is_everywhere(string line)
    {
        var (code, error) = await Run(line.Split(' '), "usage:");
        Assert.Equal((0, ""), (code, error));
    }

    [Theory]
    [InlineData("bogus", CommandLine.Usage)]
    [InlineData("evaluate", CommandLine.Usage)]
    [InlineData("evaluate --embeddings x.npy --protocol nope", CommandLine.Usage)]
    [InlineData("evaluate --embeddings nothing.npy --labels nothing.txt", CommandLine.Failed)]
    [InlineData("count mobilenet-v1:2@96", CommandLine.Failed)]
    [InlineData("distill --student mobilenet-v1:0.5@96 --data nowhere --output x", CommandLine.Failed)]
    [InlineData("teachers pull no-such-teacher", CommandLine.Failed)]
    public async Task Wrong_input_gives_one_line_and_its_exit_code(string line, int expected)
    {
        var (code, error) = await Run(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), "");
        Assert.Equal(expected, code);
        Assert.StartsWith("facedistill: ", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task Verbose_shows_where_an_error_came_from()
    {
        var (_, error) = await Run(["count", "mobilenet-v1:2@96", "--verbose"], "");
        Assert.Contains("   at ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Count_prints_plain_numbers()
    {
        using var count = await Json(["count", "mobilenet-v1:1.0@160", "--json"]);
        Assert.Equal("mobilenet-v1:1.0@160", count.RootElement.GetProperty("student").GetString());
        Assert.InRange(count.RootElement.GetProperty("multAddsBackbone").GetInt64(), 289_600_000, 289_700_000);
        Assert.Equal(6, count.RootElement.EnumerateObject().Count());
    }

    private static async Task<(int Code, string Error)> Run(string[] args, string expected)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        int code = await CommandLine.RunAsync(args, output, error);
        if (expected.Length > 0 && expected != "finished")
        {
            Assert.Contains(expected, output.ToString(), StringComparison.Ordinal);
        }

        // Progress and notices of a run that succeeds are not what is asked about.
        return (code, code == 0 ? "" : error.ToString());
    }

    private static async Task<JsonDocument> Json(string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        Assert.True(await CommandLine.RunAsync(args, output, error) == 0, error.ToString());
        return JsonDocument.Parse(output.ToString());
    }
}
