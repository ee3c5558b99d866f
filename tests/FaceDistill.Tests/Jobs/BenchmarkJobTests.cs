using FaceDistill.Assets;
using FaceDistill.Benchmark;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Jobs;
using FaceDistill.Runs;
using FaceDistill.Stores;

namespace FaceDistill.Tests.Jobs;

public sealed class BenchmarkJobTests(TrainedRun trained) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // Two runs called run swapped their figures.
    [Fact]
    public void An_accuracy_belongs_to_the_model_that_it_was_measured_on_whatever_that_is_called()
    {
        string first = trained.CopyTo(_folder["a/run"]), second = trained.CopyTo(_folder["b/run"]);
        DeadStudent.Make(second); // other weights
        var finder = new AssetFinder([], [], _folder["cache"]);
        ModelResult Of(string run, double tar)
        {
            using var model = ModelArgument.Open(run, finder, "cpu");
            return new ModelResult(model.Name, 10, 5, 40_000)
            {
                ModelHash = EmbeddingCache.ModelHash(model), TarAtFar = new Dictionary<string, double?> { ["1e-4"] = tar },
            };
        }

        var unknown = Of(first, 0.9) with { ModelHash = null };
        JsonFile.Write(_folder["e.json"], new EvaluationResult(Evaluator.AllPairs, [Of(second, 0.2), Of(first, 0.1), unknown]));
        var said = new List<string>();
        var result = new BenchmarkJob(finder).Run(
            new BenchmarkRequest([first, second], [_folder["e.json"]], null, null, null, "cpu", 1, _folder["out"]), new JobContext(said.Add));
        Assert.Equal([0.1, 0.2], result.Models.Select(m => m.Tar));
        Assert.Equal([first, second], result.Models.Select(m => m.Name.Split(", ")[^1])); // and the table tells them apart
        Assert.Contains($"times as fast as {result.Models[0].Name}", File.ReadAllText(_folder["out/bench.html"]), StringComparison.Ordinal);
        Assert.Contains(said, line => line.StartsWith($"{_folder["e.json"]} does not say which weights", StringComparison.Ordinal));
        Assert.DoesNotContain(said, line => line.Contains("is of none of the models", StringComparison.Ordinal));

        JsonFile.Write(_folder["other.json"], new EvaluationResult(Evaluator.AllPairs, [Of(second, 0.2)]));
        result = new BenchmarkJob(finder).Run(
            new BenchmarkRequest([first], [_folder["e.json"], _folder["other.json"]], null, null, null, "cpu", 1, null), new JobContext(said.Add));
        Assert.Equal(0.1, result.Models[0].Tar); // the other is of one name, and other weights
        string line = Assert.Single(said, l => l.Contains("is of none of the models", StringComparison.Ordinal));
        Assert.StartsWith($"{_folder["other.json"]} is of none of the models measured here", line, StringComparison.Ordinal);
    }

    [Fact]
    public void Accuracies_are_of_one_score_and_of_the_same_photos_however_these_were_aligned()
    {
        string copy = trained.CopyTo(_folder["run"]);
        EvaluationResult Of(string? photos, string? faces) =>
            new(Evaluator.AllPairs, [new ModelResult("model", 10, 5, 40_000)]) { PhotosId = photos, FacesId = faces };
        BenchmarkJson Run(params EvaluationResult[] given)
        {
            string[] files = [.. given.Select((_, i) => _folder[$"{i}.json"])];
            foreach (var (file, result) in files.Zip(given))
            {
                JsonFile.Write(file, result);
            }

            return new BenchmarkJob(new AssetFinder([], [], _folder["cache"])).Run(
                new BenchmarkRequest([copy], files, null, null, null, "cpu", 1, null), JobContext.None);
        }

        Assert.Single(Run(Of("photos", "by dlib"), Of("photos", "by arcface"), Of(null, null)).Models);
        string message = Assert.Throws<FaceDistillException>(() => Run(Of(null, null), Of("photos", "faces"), Of("others", "theirs"))).Message;
        Assert.Equal($"{_folder["2.json"]} is an evaluation of another test than {_folder["1.json"]} (other faces, or another list, share or draw of them); "
            + "accuracies on two tests do not compare", message);
        message = Assert.Throws<FaceDistillException>(() => Run(Of("photos", "faces"), Of("photos", "faces") with { Score = ScoreKind.Euclidean })).Message;
        Assert.Equal(
            $"{_folder["1.json"]} is an evaluation by euclidean, {_folder["0.json"]} by cosine; accuracies by two scores do not compare", message);
    }

    // OpenCV's reader of TFLite files says nothing of a phone's.
    [Theory]
    [InlineData("x.tflite", "LiteRT")]
    [InlineData("x.ncnn.param", "ncnn")]
    [InlineData("x.safetensors", "PyTorch")]
    public void What_is_computed_elsewhere_is_not_timed_here(string file, string runtime)
    {
        File.WriteAllText(_folder[file], "");
        var request = new BenchmarkRequest([_folder[file]], [], null, null, null, "cpu", 1, null);
        string message = Assert.Throws<FaceDistillException>(
            () => new BenchmarkJob(new AssetFinder([], [], _folder["cache"])).Run(request, JobContext.None)).Message;
        Assert.StartsWith($"{_folder[file]} is not timed here: {runtime} computes it where it is used", message, StringComparison.Ordinal);
    }
}
