using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Embeddings;

/// <summary>What a model's first run at load tells: models of pooled pictures whose fault is known.</summary>
public sealed class OnnxTrialTests : IDisposable
{
    private const int Size = 32, Pool = 8, Dimension = 3 * (Size / Pool) * (Size / Pool);
    private static readonly ModelInputSpec Contract = new(Size, "dlib", ColorOrder.Rgb, TensorLayout.Nchw, [127.5f, 127.5f, 127.5f], [127.5f, 127.5f, 127.5f]);

    // ONNX files, opset 13: the mean of each channel, "e" [N, 3]; then a Loop without a trip count whose condition stays true; a sequence of "e"; and a
    // sequence as input.
    private const string EndlessLoop =
        "CAg6jAIKNQoBeBIBZRoBZSIKUmVkdWNlTWVhbioNCgRheGVzQAJAA6ABByoPCghrZWVwZGltcxgAoAECCpEBCgAKAXQKAWUSAWwaAWwiBExvb3AqewoEYm9keTJwChUKAWMSAmMyGgJj"
        + "MiIISWRlbnRpdHkKFQoBdhICdjIaAnYyIghJZGVudGl0eRIBYloLCgFpEgYKBAgHEgBaCwoBYxIGCgQICRIAWgkKAXYSBAoCCAFiDAoCYzISBgoECAkSAGIKCgJ2MhIECgIIAaABBRIB"
        + "ZyoIEAlCAXRKAQFaHAoBeBIXChUIARIRCgMSAU4KAggDCgIIIAoCCCBiFAoBbBIPCg0IARIJCgMSAU4KAggDQgQKABAN";
    private const string SequenceOutput =
        "CAg6hQEKNQoBeBIBZRoBZSIKUmVkdWNlTWVhbioNCgRheGVzQAJAA6ABByoPCghrZWVwZGltcxgAoAECChwKAWUSAXMaAXMiEVNlcXVlbmNlQ29uc3RydWN0EgFnWhwKAXgSFwoVCAES"
        + "EQoDEgFOCgIIAwoCCCAKAgggYg0KAXMSCCIGCgQKAggBQgQKABAN";
    private const string SequenceInput =
        "CAg6iwEKKgoBeBIBeRoBeSISQ29uY2F0RnJvbVNlcXVlbmNlKgsKBGF4aXMYAKABAgo1CgF5EgFlGgFlIgpSZWR1Y2VNZWFuKg0KBGF4ZXNAAkADoAEHKg8KCGtlZXBkaW1zGACgAQIS"
        + "AWdaDQoBeBIIIgYKBAoCCAFiFAoBZRIPCg0IARIJCgMSAU4KAggDQgQKABAN";

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("batch")]
    [InlineData(4)]
    public void A_model_that_mixes_the_faces_of_a_batch_is_refused(object batch)
    {
        // What a batch norm in training mode does: less the batch's mean.
        string mixing = Model(batch is int count ? count : (string)batch, (g, x) =>
        {
            string mean = g.Node("ReduceMean", "mean", [x], OnnxAttribute.Ints("axes", 0), OnnxAttribute.Int("keepdims", 1));
            return g.Node("Sub", "centred", [x, mean]);
        });
        foreach (bool normalize in new[] { false, true }) // alone such a model gives zeros, which are no reason to speak of the contract
        {
            string message = Refused(mixing, Contract with { NormalizeOutput = normalize });
            Assert.Contains("gives a face another embedding among others than alone", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_little_mixing_is_refused_and_a_model_without_it_is_not()
    {
        string Mixed(float part) => Model("batch", (g, x) =>
        {
            string mean = g.Node("ReduceMean", "mean", [x], OnnxAttribute.Ints("axes", 0), OnnxAttribute.Int("keepdims", 1));
            return g.Node("Add", "mixed", [x, g.Mul("part", mean, g.Initializer<float>("factor", [part], 1))]);
        });
        Refused(Mixed(0.1f), Contract);
        new OnnxEmbedder("x", Mixed(0), Contract).Dispose();
    }

    [Fact]
    public void A_model_whose_batch_is_baked_in_is_run_with_one_face_at_a_time()
    {
        string free = Model("batch", (_, x) => x);
        string baked = Model("batch", (g, x) =>
        {
            string row = g.Node("Reshape", "row", [x, g.Initializer<long>("one", [1, Dimension], 2)]);
            return g.Gemm("twice", row, g.Initializer<float>("unit", Unit(2), Dimension, Dimension),
                g.Initializer<float>("zero", new float[Dimension], Dimension),
                transposed: true);
        });
        using var single = new OnnxEmbedder("free", free, Contract);
        using var twice = new OnnxEmbedder("baked", baked, Contract);
        float[] faces = [.. MadePicture.Of(Contract, 0), .. MadePicture.Of(Contract, 1), .. MadePicture.Of(Contract, 2)];
        float[] expected = new float[3 * Dimension], actual = new float[3 * Dimension];
        single.Embed(faces, 3, expected);
        twice.Embed(faces, 3, actual);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(2 * pair.First, pair.Second, 1e-5));
    }

    [Theory]
    [InlineData(EndlessLoop, "does not come to an end: it ran for 1 s on a face")]
    [InlineData(SequenceOutput, "gives ONNX_TYPE_SEQUENCE; an embedding is a tensor")]
    [InlineData(SequenceInput, "takes ONNX_TYPE_SEQUENCE; a face model takes a tensor")]
    public void A_model_that_is_no_function_of_a_picture_is_one_clear_line(string base64, string says)
    {
        File.WriteAllBytes(_folder["x.onnx"], Convert.FromBase64String(base64));
        Assert.Contains(says, Refused(_folder["x.onnx"], Contract, TimeSpan.FromSeconds(1)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_batch_that_fits_no_memory_is_refused() =>
        Assert.Contains("was made for 2147483647 faces at once", Refused(Model(int.MaxValue, (_, x) => x), Contract), StringComparison.Ordinal);

    [Fact]
    public void A_model_that_gives_nan_is_refused_at_load() => Assert.Contains("an embedding of NaN or infinity", Refused(Model("batch", (g, x) =>
    {
        string zero = g.Node("Sub", "zero", [x, x]);
        return g.Node("Div", "nan", [zero, zero]);
    }), Contract), StringComparison.Ordinal);

    [Theory]
    [InlineData("batch")]
    [InlineData(1)]
    [InlineData(4)]
    public void A_model_that_does_not_see_its_input_is_refused_where_a_user_names_it(object batch)
    {
        string constant = Model(batch is int count ? count : (string)batch, (g, x) => g.Node("Add", "constant",
            [g.Mul("zeros", x, g.Initializer<float>("zero", [0], 1)),
                g.Initializer<float>("ramp", [.. Enumerable.Range(0, Dimension).Select(i => (float)i)], Dimension)]));
        string message = Assert.Throws<FaceDistillException>(() => new OnnxEmbedder("x", constant, Contract).Seeing()).Message;
        Assert.StartsWith($"{constant} gives two different pictures the very same embedding", message, StringComparison.Ordinal);
        string seeing = Model(batch is int same ? same : (string)batch, (_, x) => x);
        new OnnxEmbedder("x", seeing, Contract).Seeing().Dispose();
    }

    private static float[] Unit(float value)
    {
        var matrix = new float[Dimension * Dimension];
        for (int i = 0; i < Dimension; i++)
        {
            matrix[(i * Dimension) + i] = value;
        }

        return matrix;
    }

    private static string Refused(string path, ModelInputSpec contract, TimeSpan? limit = null)
    {
        string message = Assert.Throws<FaceDistillException>(() => new OnnxEmbedder("x", path, contract, null, limit ?? OnnxTrial.Limit).Dispose()).Message;
        Assert.StartsWith(path, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        return message;
    }

    private string Model(OnnxDim batch, Func<OnnxGraph, string, string> change)
    {
        var graph = new OnnxGraph("pooled");
        string x = graph.Input("input", OnnxElementType.Float32, batch, 3, Size, Size);
        x = change(graph, graph.Flatten("pooled.flat", graph.AveragePool("pooled", x, Pool, Pool)));
        graph.Output(x, OnnxElementType.Float32, batch, Dimension);
        string path = _folder[$"{Guid.NewGuid():N}.onnx"];
        OnnxWriter.Write(graph, path);
        return path;
    }
}
