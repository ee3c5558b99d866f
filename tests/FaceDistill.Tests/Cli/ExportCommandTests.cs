using System.Text.Json;
using FaceDistill.Cli;

namespace FaceDistill.Tests.Cli;

public sealed class ExportCommandTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TempFolder _folder = new();

    [Theory]
    [InlineData("x.onnx", "onnx")]
    [InlineData("x.ort", "ort")]
    [InlineData("x.safetensors", "safetensors")]
    [InlineData("x.onnx", "onnx-fp16", "--format", "onnx-fp16", "--preprocess", "--normalize")]
    public async Task A_file_is_written_and_can_be_evaluated(string name, string format, params string[] more)
    {
        var (code, output, error) =
            await Run(["export", "--model", run.CopyTo(_folder["run"]), "--output", _folder[name], "--device", "cpu", "--json", .. more]);
        Assert.Equal((CommandLine.Done, ""), (code, error));
        using var exported = JsonDocument.Parse(output);
        Assert.Equal([_folder[name], _folder[name] + ".MODEL_CARD.md", _folder[name] + ".card.json"], exported.RootElement.GetProperty("files").EnumerateArray()
            .Select(f => f.GetString()));
        Assert.Equal(format, exported.RootElement.GetProperty("format").GetString());
        Assert.InRange(exported.RootElement.GetProperty("minCosine").GetDouble(), 0.999, 1);
        Assert.InRange(exported.RootElement.GetProperty("cosine").GetProperty("percentile5").GetDouble(), 0.999, 1);

        (code, output, _) = await Run(
            ["evaluate", "--model", _folder[name], "--model", _folder["run"], "--data", run.CopyFaces(_folder["people"]).Dataset.Root, "--device", "cpu",
            "--json"]);
        Assert.Equal(CommandLine.Done, code);
        using var measured = JsonDocument.Parse(output);
        double[] tars = [.. measured.RootElement.GetProperty("models").EnumerateArray().Select(m => m.GetProperty("tarAtFar").GetProperty("1e-2").GetDouble())];
        Assert.Equal(tars[1], tars[0], 0.01);
    }

    [Theory]
    [InlineData("--evaluate", "--data")]
    [InlineData("--max-loss 1", "--evaluate")]
    [InlineData("--protocol all-pairs", "--evaluate")]
    [InlineData("--format coreml", "coreml")]
    public async Task What_does_not_go_together_is_a_usage_error(string options, string expected)
    {
        var (code, _, error) = await Run(["export", "--model", run.Folder, .. options.Split(' ')]);
        Assert.Equal(CommandLine.Usage, code);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x.mlmodel", "rename it or give --format")]
    [InlineData("x.safetensors", "weights only", "--preprocess")]
    [InlineData("x.onnx", "--min-cosine is above 0", "--min-cosine", "1.5")]
    public async Task What_cannot_be_done_is_one_clear_line(string name, string expected, params string[] more)
    {
        var (code, _, error) = await Run(["export", "--model", run.Folder, "--output", _folder[name], .. more]);
        Assert.Equal(CommandLine.Failed, code);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.Single(error.Trim().Split('\n'));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    public void Dispose() => _folder.Dispose();

    private static async Task<(int Code, string Output, string Error)> Run(string[] arguments)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        int code = await CommandLine.RunAsync(arguments, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
