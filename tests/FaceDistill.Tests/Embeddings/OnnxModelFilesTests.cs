using System.Security.Cryptography;
using System.Text;
using FaceDistill.Assets;
using FaceDistill.Embeddings;
using FaceDistill.Files;
using FaceDistill.Jobs;
using FaceDistill.Stores;
using FaceDistill.Teachers;

namespace FaceDistill.Tests.Embeddings;

/// <summary>Models whose weights lie in files beside the graph's.</summary>
public sealed class OnnxModelFilesTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly string _card, _model;

    public OnnxModelFilesTests() => (_card, _model) = (TinyTeacher.Write(_folder.Path), _folder["tiny.onnx"]);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_model_of_one_file_is_known_by_it()
    {
        Assert.Equal([_model], OnnxModelFiles.Of(_model));
        Assert.Equal(FileHash.Sha256(_model), OnnxModelFiles.Sha256(_model));
        foreach (string text in new[] { "", "junk", new('\n', 300) }) // no model, of which ONNX Runtime says so
        {
            File.WriteAllText(_folder["junk.onnx"], text);
            Assert.Equal([_folder["junk.onnx"]], OnnxModelFiles.Of(_folder["junk.onnx"]));
        }
    }

    [Fact]
    public void Weights_beside_the_graph_belong_to_what_the_model_is_known_by()
    {
        var (alone, first) = Opened();
        string data = ExternalWeights.Move(_model);
        Assert.Equal([_model, data], OnnxModelFiles.Of(_model));
        var (before, same) = Opened();
        Assert.Equal(first, same);
        Assert.NotEqual(alone, before);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(FileHash.Sha256(_model) + FileHash.Sha256(data)))), before);

        File.WriteAllBytes(data, [.. File.ReadAllBytes(data).Chunk(4).SelectMany(w => BitConverter.GetBytes(2 * BitConverter.ToSingle(w)))]);
        var (after, other) = Opened();
        Assert.Equal(2 * first, other, 1e-6f);
        Assert.NotEqual(before, after);

        var bench = BenchmarkModel.Of($"teacher:{_card}", Finder(), _folder.Path, JobContext.None);
        using var teacher = TeacherCard.Open(_card, Finder());
        Assert.Equal(EmbeddingCache.ModelHash(teacher), bench.Hash); // its accuracies are found
        var timed = new BenchmarkJob(Finder()).Run(new BenchmarkRequest([$"teacher:{_card}"], [], null, null, null, "cpu", 1, null), JobContext.None);
        Assert.Equal(new FileInfo(_model).Length + new FileInfo(data).Length, timed.Models[0].FileBytes);
    }

    [Theory]
    [InlineData("../tiny.onnx.data", "keeps weights in '../tiny.onnx.data', which is not in its folder; save the model as one file")]
    [InlineData("/tmp/weights", "keeps weights in '/tmp/weights', which is not in its folder")]
    [InlineData("gone.data", "gone.data, which is not there; put it there, or save the model as one file")]
    public void Weights_that_are_not_in_the_model_s_folder_are_refused(string location, string says)
    {
        ExternalWeights.Move(_model, location);
        string message = Assert.Throws<FaceDistillException>(() => Opened()).Message;
        Assert.Contains($"{_model} {says}"[..20], message, StringComparison.Ordinal);
        Assert.Contains(says, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_card_that_pins_the_graph_pins_its_weights_too()
    {
        string data = ExternalWeights.Move(_model), text = File.ReadAllText(_card), graph = $"\"sha256\": \"{FileHash.Sha256(_model)}\"";
        const string file = "\"file\": \"tiny.onnx\"";
        File.WriteAllText(_card, text.Replace(file, $"{file}, {graph}", StringComparison.Ordinal));
        var pull = new ModelPull(Finder());
        Assert.Equal($"{_model} keeps weights in {data}, whose SHA-256 {_card} does not name; add it to its assets, or save the model as one file",
            Assert.Throws<FaceDistillException>(() => pull.Verify(_card)).Message);

        string beside = $$"""{ "file": "tiny.onnx.data", "sha256": "{{FileHash.Sha256(data)}}", "source": { "path": "tiny.onnx.data" } }, """;
        File.WriteAllText(_card, text.Replace(file, $"{file}, {graph}", StringComparison.Ordinal).Replace("[{", $"[{beside}{{", StringComparison.Ordinal));
        Assert.Equal([data, _model], pull.Verify(_card));
        File.WriteAllBytes(data, new byte[new FileInfo(data).Length]);
        Assert.StartsWith($"{data} is not the file that {_card} names", Assert.Throws<FaceDistillException>(() => TeacherCard.Open(_card, Finder())).Message,
            StringComparison.Ordinal);
    }

    // What the model is known by, and the first value of an embedding.
    private (string Hash, float Value) Opened()
    {
        using var teacher = TeacherCard.Open(_card, Finder());
        var embedding = new float[TinyTeacher.Dimension];
        float[] face = new float[teacher.Contract.Values];
        Array.Fill(face, 0.25f);
        teacher.Embed(face, 1, embedding);
        return (teacher.Hash, embedding[0]);
    }

    private AssetFinder Finder() => new([], [], _folder["cache"]);
}
