using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Embeddings;

/// <summary>Inputs and outputs as people export them: half precision, a norm beside the embedding, slopes of MXNet, and the sum with the mirror
/// image.</summary>
public sealed class OnnxContractTests : IDisposable
{
    private const int Size = 32, Pool = 8, Dimension = 3 * (Size / Pool) * (Size / Pool);
    private static readonly ModelInputSpec Contract = new(Size, "dlib", ColorOrder.Rgb, TensorLayout.Nchw, [127.5f, 127.5f, 127.5f], [127.5f, 127.5f, 127.5f]);
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Half_precision_in_and_out_runs()
    {
        using var half = new OnnxEmbedder("half", Pooled(type: OnnxElementType.Float16), Contract);
        using var single = new OnnxEmbedder("single", Pooled(), Contract);
        float[] expected = Embeddings(single, 3), actual = Embeddings(half, 3);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 2e-3));
        Assert.True(expected.Max() > 0.1);
    }

    [Fact]
    public void The_output_that_the_contract_names_is_the_embedding()
    {
        string path = Pooled(norm: true);
        string message = Assert.Throws<FaceDistillException>(() => new OnnxEmbedder("x", path, Contract)).Message;
        Assert.Equal($"{path} has the outputs norm, embedding; name the embedding's in the card's contract, as in \"output\": \"norm\", for FaceDistill will "
            + "not guess", message);
        message = Assert.Throws<FaceDistillException>(() => new OnnxEmbedder("x", path, Contract with { Output = "embeddings" })).Message;
        Assert.Equal($"{path} has no output 'embeddings', which its contract names, but norm, embedding", message);
        using var named = new OnnxEmbedder("x", path, Contract with { Output = "embedding" });
        using var only = new OnnxEmbedder("x", Pooled(), Contract);
        Assert.Equal(Embeddings(only, 2), Embeddings(named, 2));
    }

    [Fact]
    public void Slopes_of_MXNet_are_refused_with_the_remedy_and_run_when_they_are_mended()
    {
        string path = Pooled(slopes: [0.1f, 0.2f, 0.3f]);
        string message = Assert.Throws<FaceDistillException>(() => new OnnxEmbedder("x", path, Contract)).Message;
        Assert.Equal($"{path} has PReLU slopes that do not fit its pictures, [C] where ONNX wants [C, 1, 1], as exports of MXNet do; 'facedistill teachers "
            + $"add' "
            + "writes it mended, with its card", message);
        File.WriteAllBytes(_folder["mended.onnx"], OnnxFile.WithSlopesByChannel(File.ReadAllBytes(path), out int changed));
        Assert.Equal(1, changed);
        using var mended = new OnnxEmbedder("mended", _folder["mended.onnx"], Contract);
        using var plain = new OnnxEmbedder("plain", Pooled(), Contract);
        float[] before = Embeddings(plain, 2), after = Embeddings(mended, 2);
        for (int i = 0; i < before.Length; i++)
        {
            float slope = 0.1f * (1 + (i % Dimension / (Dimension / 3)));
            Assert.Equal(before[i] < 0 ? before[i] * slope : before[i], after[i], 1e-5);
        }

        Assert.Contains(before, v => v < -0.1);
    }

    [Fact]
    public void Mending_leaves_all_else_as_it_is()
    {
        byte[] plain = File.ReadAllBytes(Pooled(norm: true));
        Assert.Equal(plain, OnnxFile.WithSlopesByChannel(plain, out int changed));
        Assert.Equal((0, 17L), (changed, OnnxFile.OperatorSet(plain)));
        byte[] right = OnnxFile.WithSlopesByChannel(File.ReadAllBytes(Pooled(slopes: [1, 2, 3])), out _);
        Assert.Equal(right, OnnxFile.WithSlopesByChannel(right, out changed));
        Assert.Equal(0, changed);
    }

    [Theory]
    [InlineData(TensorLayout.Nchw, false)]
    [InlineData(TensorLayout.Nhwc, false)]
    [InlineData(TensorLayout.Nchw, true)]
    public void Flip_summed_is_the_face_s_embedding_plus_its_mirror_image_s_and_normalised_afterwards(TensorLayout layout, bool normalize)
    {
        var contract = Contract with { Layout = layout, NormalizeOutput = normalize };
        string path = Pooled(layout: layout);
        using var raw = new OnnxEmbedder("x", path, contract with { NormalizeOutput = false });
        using var summed = new FlipSummed(new OnnxEmbedder("x", path, contract));
        float[] plain = Embeddings(raw, 3), actual = Embeddings(summed, 3);
        for (int face = 0; face < 3; face++)
        {
            // Of pooled pictures the mirror image's embedding is the embedding with its columns turned about.
            float[] own = plain[(face * Dimension)..((face + 1) * Dimension)];
            const int side = Size / Pool;
            float[] expected = [.. own.Select((v, i) => v + own[(i / side * side) + side - 1 - (i % side)])];
            float length = normalize ? MathF.Sqrt(expected.Sum(v => v * v)) : 1;
            Assert.All(Enumerable.Range(0, Dimension), i => Assert.Equal(expected[i] / length, actual[(face * Dimension) + i], 1e-5));
        }

        Assert.Equal("x (flip-summed)", summed.Name);
        Assert.NotEqual(raw.Hash, summed.Hash);
    }

    // Mean colours of 4 x 4 squares, [N, 3 * 16], whatever the layout and the type.
    private string Pooled(
        OnnxElementType type = OnnxElementType.Float32, bool norm = false, float[]? slopes = null, TensorLayout layout = TensorLayout.Nchw)
    {
        var graph = new OnnxGraph("pooled");
        string x = layout == TensorLayout.Nchw ? graph.Input("input", type, "batch", 3, Size, Size)
            : graph.Node("Transpose", "planes", [graph.Input("input", type, "batch", Size, Size, 3)], OnnxAttribute.Ints("perm", 0, 3, 1, 2));
        x = slopes is null
            ? x
            : graph.Node("PRelu", "relu", [graph.AveragePool("pool", x, Pool, Pool), graph.Initializer<float>("slope", slopes, slopes.Length)]);
        x = graph.Flatten("embedding", slopes is null ? graph.AveragePool("pool", x, Pool, Pool) : x);
        if (norm)
        {
            graph.Node("ReduceL2", "norm", [x], OnnxAttribute.Ints("axes", 1), OnnxAttribute.Int("keepdims", 1));
            graph.Output("norm", type, "batch", 1);
        }

        graph.Output(x, type, "batch", Dimension);
        string path = _folder[$"{Guid.NewGuid():N}.onnx"];
        OnnxWriter.Write(graph, path);
        return path;
    }

    private static float[] Embeddings(IEmbedder model, int faces)
    {
        float[] input = [.. Enumerable.Range(0, faces).SelectMany(i => MadePicture.Of(model.Contract, i))], embeddings = new float[faces * model.Dimension];
        model.Embed(input, faces, embeddings);
        return embeddings;
    }
}
