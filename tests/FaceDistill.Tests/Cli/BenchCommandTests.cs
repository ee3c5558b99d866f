using System.Text.Json;
using System.Xml.Linq;
using FaceDistill.Assets;
using FaceDistill.Cli;
using FaceDistill.Export.Graphs;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Runs;
using FaceDistill.Stores;

namespace FaceDistill.Tests.Cli;

public sealed class BenchCommandTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public async Task Models_stand_side_by_side_with_cost_and_known_accuracy()
    {
        string card = TinyTeacher.Write(_folder["teacher"]);
        string copy = run.CopyTo(_folder["best"]); // evaluations note themselves in the run folder
        OnnxWriter.Write(StudentOnnx.Build(run.Checkpoint), _folder["student.onnx"]);
        JsonFile.Write(_folder["evaluation.json"], Evaluation("lfw-view1-test", (HashOf(copy), 0.18), (HashOf($"teacher:{card}"), 0.7)));
        using var document = await Json("bench", "--model", copy, _folder["student.onnx"], _folder["teacher/tiny.onnx"], "--model", $"teacher:{card}",
            "--evaluations", _folder["evaluation.json"], "--rounds", "2", "--output", _folder["out"], "--json");
        var root = document.RootElement;
        var models = root.GetProperty("models").EnumerateArray().ToList();
        Assert.Equal(["mobilenet-v1:0.25@64 (best)", "mobilenet-v1:0.25@64 (student.onnx)", "tiny.onnx", "tiny"],
            models.Select(m => m.GetProperty("name").GetString()));
        Assert.Equal(("tiny", "lfw-view1-test"), (root.GetProperty("reference").GetString(), root.GetProperty("protocol").GetString()));
        Assert.Equal(1, models[3].GetProperty("speedup").GetDouble());
        Assert.All(models, m =>
        {
            var latency = m.GetProperty("latencyMs");
            Assert.InRange(latency.GetProperty("p50").GetDouble(), 1e-6, latency.GetProperty("p95").GetDouble());
            Assert.Equal(8, latency.GetProperty("runs").GetInt32());
            Assert.True(m.GetProperty("imagesPerSecond").GetDouble() > 0);
            Assert.Equal(("cpu", 1), (m.GetProperty("provider").GetString(), m.GetProperty("throughputBatch").GetInt32()));
        });
        Assert.Equal(models[0].GetProperty("multAdds").GetInt64(), models[1].GetProperty("multAdds").GetInt64());
        Assert.Equal(new FileInfo(_folder["student.onnx"]).Length, models[0].GetProperty("fileBytes").GetInt64());
        Assert.Equal(0.18, models[0].GetProperty("tarAt1e-4").GetDouble());
        Assert.False(models[1].TryGetProperty("tarAt1e-4", out _)); // of another file
        Assert.Equal(64 * 64 * 3, models[2].GetProperty("multAdds").GetInt64()); // one 1 x 1 convolution of three channels

        Assert.Equal(5, (await File.ReadAllLinesAsync(_folder["out/bench.csv"])).Length);
        Assert.Contains("| tiny | cpu | ", await File.ReadAllTextAsync(_folder["out/bench.md"]), StringComparison.Ordinal);
        Assert.Contains("<th scope=\"col\" class=\"deciding\">TAR at 1e-4</th>", await File.ReadAllTextAsync(_folder["out/bench.html"]),
            StringComparison.Ordinal);
        var plot = XDocument.Load(_folder["out/bench.svg"]);
        Assert.Equal("http://www.w3.org/2000/svg", plot.Root!.Name.NamespaceName);
        var words = plot.Descendants().Where(e => e.Name.LocalName == "text").Select(e => e.Value).ToList();
        Assert.Contains("tiny", words);
        Assert.Contains("mobilenet-v1:0.25@64 (best)", words);
    }

    [Fact]
    public async Task Accuracy_is_measured_on_data_where_a_model_says_what_it_wants()
    {
        TinyTeacher.Write(_folder["teacher"]);
        OnnxWriter.Write(StudentOnnx.Build(run.Checkpoint), _folder["student.onnx"]);
        string[] bench = ["bench", "--model", _folder["student.onnx"], _folder["teacher/tiny.onnx"], "--data", run.Tiny.Faces.Dataset.Root, "--rounds", "1",
            "--output", _folder["out"]];
        var (code, output, error) = await Run(bench);
        Assert.True(code == 0, error);
        Assert.Contains("tiny.onnx does not say what input it wants; its accuracy is left out", error, StringComparison.Ordinal);
        Assert.Contains("mobilenet-v1:0.25@64 (student.onnx)", output, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["out/bench.svg"])); // 120 drawn faces have too few impostor pairs for FAR 1e-4
        Assert.Contains("all-pairs", await File.ReadAllTextAsync(_folder["out/bench.md"]), StringComparison.Ordinal);
        Assert.All(new[] { "out/bench.md", "out/bench.html" }, file => // nor a column of dashes
            Assert.DoesNotContain("TAR at 1e-4", File.ReadAllText(_folder[file]), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(CommandLine.Usage, "--model", "bench")]
    [InlineData(CommandLine.Usage, "give --data to measure it", "bench --model x --protocol all-pairs")]
    [InlineData(CommandLine.Failed, "is no model to measure", "bench --model nowhere")]
    [InlineData(CommandLine.Failed, "the ONNX Runtime that is installed has cpu", "bench --model nowhere --provider openvino")]
    [InlineData(CommandLine.Usage, "'cudaa' is none of auto, cpu, cuda, directml, openvino, coreml; did you mean 'cuda'?", "bench --model x --provider cudaa")]
    [InlineData(CommandLine.Failed, "1 to 100000 rounds", "bench --model nowhere --rounds 0")]
    public async Task Wrong_input_is_one_line(int expected, string words, string line)
    {
        var (code, _, error) = await Run(line.Split(' '));
        Assert.Equal(expected, code);
        Assert.Contains(words, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public async Task An_evaluation_by_another_protocol_is_refused()
    {
        string card = TinyTeacher.Write(_folder["teacher"]);
        JsonFile.Write(_folder["evaluation.json"], Evaluation("lfw-view1-test", (new string('a', 64), 0.7)));
        var (code, _, error) = await Run("bench", "--model", $"teacher:{card}", "--evaluations", _folder["evaluation.json"], "--protocol", "all-pairs");
        Assert.Equal(CommandLine.Failed, code);
        Assert.Contains("evaluation.json is an evaluation by lfw-view1-test, not by all-pairs", error, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static object Evaluation(string protocol, params (string Hash, double Tar)[] models) => new
    {
        protocol,
        models = models.Select(m => new
        {
            name = "as others call it", modelHash = m.Hash,
            images = 3707,
            genuinePairs = 24620,
            impostorPairs = 6844451,
            tarAtFar = new Dictionary<string, double> { ["1e-4"] = m.Tar },
            tarInterval95AtFar = new Dictionary<string, double[]> { ["1e-4"] = [m.Tar - 0.05, m.Tar + 0.05] },
        }),
    };

    private static async Task<JsonDocument> Json(params string[] args)
    {
        var (code, output, error) = await Run(args);
        Assert.True(code == 0, error);
        return JsonDocument.Parse(output);
    }

    private string HashOf(string model)
    {
        using var opened = ModelArgument.Open(model, new AssetFinder([], [], _folder["cache"]), "cpu");
        return EmbeddingCache.ModelHash(opened);
    }

    private static async Task<(int Code, string Output, string Error)> Run(params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        return (await CommandLine.RunAsync(args, output, error), output.ToString(), error.ToString());
    }
}
