using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Tests.Datasets;
using OpenCvSharp;

namespace FaceDistill.Tests.Embeddings;

/// <summary>Models whose embedding can be computed by hand: each channel's mean, weighted by a ramp over the pixels.</summary>
public sealed class OnnxEmbedderTests : IDisposable
{
    private const int Size = 32;
    private static readonly ModelInputSpec Contract =
        new(Size, "dlib", ColorOrder.Rgb, TensorLayout.Nchw, [10, 20, 30], [100, 200, 50]);

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(TensorLayout.Nchw, ColorOrder.Rgb, 0)]
    [InlineData(TensorLayout.Nchw, ColorOrder.Bgr, 0)]
    [InlineData(TensorLayout.Nhwc, ColorOrder.Rgb, 0)]
    [InlineData(TensorLayout.Nhwc, ColorOrder.Bgr, 1)]
    [InlineData(TensorLayout.Nchw, ColorOrder.Rgb, 1)]
    [InlineData(TensorLayout.Nchw, ColorOrder.Rgb, 4)] // six faces: a whole batch and a remainder of two
    [InlineData(TensorLayout.Nhwc, ColorOrder.Rgb, 4)]
    public void Embeddings_equal_a_computation_by_hand(TensorLayout layout, ColorOrder order, int fixedBatch)
    {
        var contract = Contract with { Layout = layout, ColorOrder = order };
        using var teacher = new OnnxEmbedder("ramp", Model(layout, fixedBatch), contract);
        Assert.Equal(3, teacher.Dimension);
        var (input, expected) = Faces(contract, 6);
        var embeddings = new float[6 * 3];
        teacher.Embed(input, 6, embeddings);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i], embeddings[i], 1e-4);
        }
    }

    [Fact]
    public void Free_rows_and_columns_and_an_output_of_four_axes_are_taken()
    {
        var graph = new OnnxGraph("means");
        string x = graph.Input("input", OnnxElementType.Float32, "batch", 3, "rows", "columns");
        graph.Node("ReduceMean", "means", [x], OnnxAttribute.Ints("axes", 2, 3), OnnxAttribute.Int("keepdims", 1));
        graph.Output("means", OnnxElementType.Float32, "batch", 3, 1, 1);
        OnnxWriter.Write(graph, _folder["means.onnx"]);
        using var teacher = new OnnxEmbedder("means", _folder["means.onnx"], Contract, 3);
        float[] input = [.. Enumerable.Range(0, 2 * Contract.Values).Select(i => (float)(i / (Size * Size)))]; // planes of 0, 1, 2, ...
        var embeddings = new float[6];
        teacher.Embed(input, 2, embeddings);
        Assert.All(Enumerable.Range(0, 6), i => Assert.Equal(i, embeddings[i], 1e-5));
    }

    [Fact]
    public void Several_threads_may_use_one_teacher()
    {
        using var teacher = new OnnxEmbedder("ramp", Model(TensorLayout.Nchw, 4), Contract);
        var (input, expected) = Faces(Contract, 6);
        Parallel.For(0, 200, _ =>
        {
            var embeddings = new float[6 * 3];
            teacher.Embed(input, 6, embeddings);
            Assert.All(expected.Zip(embeddings), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        });
    }

    [Fact]
    public void A_normalised_output_has_length_one_and_the_raw_one_s_direction()
    {
        string path = Model(TensorLayout.Nchw, 0);
        using var teacher = new OnnxEmbedder("ramp", path, Contract with { NormalizeOutput = true });
        var (input, expected) = Faces(Contract, 2);
        var embeddings = new float[6];
        teacher.Embed(input, 2, embeddings);
        for (int row = 0; row < 6; row += 3)
        {
            double length = Math.Sqrt(expected[row..(row + 3)].Sum(v => v * v));
            Assert.All(Enumerable.Range(row, 3), i => Assert.Equal(expected[i] / length, embeddings[i], 1e-5));
        }
    }

    [Fact]
    public void Zeros_to_normalise_and_values_that_are_not_finite_are_refused()
    {
        using var zero = new OnnxEmbedder("ramp", Model(TensorLayout.Nchw, 0), Contract with { NormalizeOutput = true });
        Assert.Contains("an embedding of zeros", Error(() => zero.Embed(new float[Contract.Values], 1, new float[3])), StringComparison.Ordinal);
        using var root = new OnnxEmbedder("root", Model(TensorLayout.Nchw, 0, change: (g, x) => g.Node("Sqrt", "root", [x])), Contract);
        root.Embed(new float[Contract.Values], 1, new float[3]); // the root of zero is fine
        float[] negative = [.. Enumerable.Repeat(-1f, Contract.Values)];
        Assert.Contains("NaN or infinity", Error(() => root.Embed(negative, 1, new float[3])), StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_that_does_not_fit_its_contract_is_named()
    {
        string path = Model(TensorLayout.Nchw, 0);
        AssertRefused(path, Contract, "gives embeddings of 3 values where its card says 128", 128);
        AssertRefused(path, Contract with { Size = 64 }, "takes Single [-1, 3, 32, 32] but its contract says [-1, 3, 64, 64]");
        AssertRefused(path, Contract with { Layout = TensorLayout.Nhwc }, "but its contract says [-1, 32, 32, 3]");
        AssertRefused(path, Contract with { Size = 8 }, "size 8 is not within");
        AssertRefused(path, Contract with { Std = [1, 0, 1] }, "std positive");
        AssertRefused(path, Contract with { Template = "x" }, "no alignment template 'x'", origin: false);
    }

    [Fact]
    public void A_model_that_is_no_face_model_is_named()
    {
        var two = new OnnxGraph("two");
        two.Add("sum", two.Input("a", OnnxElementType.Float32, "n", 3, Size, Size), two.Input("b", OnnxElementType.Float32, "n", 3, Size, Size));
        two.Output("sum", OnnxElementType.Float32, "n", 3, Size, Size);
        OnnxWriter.Write(two, _folder["two.onnx"]);
        AssertRefused(_folder["two.onnx"], Contract, "has 2 inputs");

        var many = new OnnxGraph("many");
        many.Flatten("embedding", many.GlobalAveragePool("pooled", many.Input("a", OnnxElementType.Float32, "n", 3, Size, Size)));
        many.Output("pooled", OnnxElementType.Float32, "n", 3, 1, 1);
        many.Output("embedding", OnnxElementType.Float32, "n", 3);
        OnnxWriter.Write(many, _folder["many.onnx"]);
        AssertRefused(_folder["many.onnx"], Contract, "has the outputs pooled, embedding; name the embedding's in the card's contract");

        var bytes = new OnnxGraph("bytes");
        bytes.Node("Cast", "float", [bytes.Input("a", OnnxElementType.UInt8, "n", 3, Size, Size)], OnnxAttribute.Int("to", 1));
        bytes.Output("float", OnnxElementType.Float32, "n", 3, Size, Size);
        OnnxWriter.Write(bytes, _folder["bytes.onnx"]);
        AssertRefused(_folder["bytes.onnx"], Contract, "takes Byte");

        string whole = Model(TensorLayout.Nchw, 0, change: (g, x) => g.Node("Cast", "whole", [x], OnnxAttribute.Int("to", 7)), type: OnnxElementType.Int64);
        AssertRefused(whole, Contract, "gives Int64 values");
        string single = Model(
            TensorLayout.Nchw, 0, change: (g, x) => g.Node("ReduceMean", "single", [x], OnnxAttribute.Ints("axes", 1), OnnxAttribute.Int("keepdims", 0)),
            dims: 1);
        AssertRefused(single, Contract, "an embedding is [1, D]");
    }

    [Fact]
    public void A_file_that_is_no_model_is_one_clear_line()
    {
        File.WriteAllText(_folder["text.onnx"], "this is no model");
        AssertRefused(_folder["text.onnx"], Contract, "is not a model that ONNX Runtime loads");
        byte[] model = File.ReadAllBytes(Model(TensorLayout.Nchw, 0));
        foreach (int length in new[] { 0, 1, model.Length / 2, model.Length - 1 })
        {
            File.WriteAllBytes(_folder["cut.onnx"], model[..length]);
            AssertRefused(_folder["cut.onnx"], Contract, "is not a model that ONNX Runtime loads");
        }

        AssertRefused(_folder["none.onnx"], Contract, "cannot read", origin: false);
    }

    private string Model(
        TensorLayout layout, int fixedBatch, Func<OnnxGraph, string, string>? change = null, OnnxElementType type = OnnxElementType.Float32, int dims = 2)
    {
        var graph = new OnnxGraph("ramp");
        bool planar = layout == TensorLayout.Nchw;
        OnnxDim batch = fixedBatch > 0 ? fixedBatch : "batch";
        string x = planar
            ? graph.Input("input", OnnxElementType.Float32, batch, 3, Size, Size)
            : graph.Input("input", OnnxElementType.Float32, batch, Size, Size, 3);
        float[] ramp = [.. Enumerable.Range(0, Size * Size).Select(i => Ramp(i))];
        x = graph.Mul("weighted", x, planar ? graph.Initializer<float>("ramp", ramp, 1, 1, Size, Size)
            : graph.Initializer<float>("ramp", ramp, 1, Size, Size, 1));
        x = graph.Node("ReduceMean", "means", [x], planar ? OnnxAttribute.Ints("axes", 2, 3) : OnnxAttribute.Ints("axes", 1, 2),
            OnnxAttribute.Int("keepdims", 0));
        x = change?.Invoke(graph, x) ?? x;
        graph.Output(x, type, dims == 2 ? [batch, 3] : [batch]);
        string path = _folder[$"{Guid.NewGuid():N}.onnx"];
        OnnxWriter.Write(graph, path);
        return path;
    }

    private static float Ramp(int pixel) => (pixel % 7) - (pixel / (float)(Size * Size));

    private (float[] Input, double[] Expected) Faces(ModelInputSpec contract, int count)
    {
        var input = new float[count * contract.Values];
        var expected = new double[count * 3];
        for (int i = 0; i < count; i++)
        {
            using var face = Cv2.ImRead(Pictures.Noise(_folder[$"{i}.png"], Size, Size, i));
            FaceTensor.Fill(face, contract, input.AsSpan(i * contract.Values, contract.Values));
            for (int p = 0; p < Size * Size; p++)
            {
                var bgr = face.At<Vec3b>(p / Size, p % Size);
                for (int c = 0; c < 3; c++)
                {
                    double value = bgr[contract.ColorOrder == ColorOrder.Bgr ? c : 2 - c];
                    expected[(i * 3) + c] += (value - contract.Mean[c]) / contract.Std[c] * Ramp(p) / (Size * Size);
                }
            }
        }

        return (input, expected);
    }

    private static void AssertRefused(string path, ModelInputSpec contract, string says, int? dimension = null, bool origin = true)
    {
        string message = Error(() => new OnnxEmbedder("x", path, contract, dimension).Dispose());
        Assert.Contains(says, message, StringComparison.Ordinal);
        Assert.True(!origin || message.StartsWith(path, StringComparison.Ordinal), message);
    }

    private static string Error(Action action)
    {
        string message = Assert.Throws<FaceDistillException>(action).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }
}
