using FaceDistill.Benchmark;
using FaceDistill.Export.Graphs;
using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Students;

namespace FaceDistill.Tests.Benchmark;

public sealed class GraphCostTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public void An_exported_student_counts_what_its_architecture_does()
    {
        OnnxWriter.Write(StudentOnnx.Build(run.Checkpoint), _folder["student.onnx"]);
        var architecture = run.Checkpoint.Description.Architecture();
        var expected = StudentCost.Of(architecture);
        var counted = GraphCost.Of(_folder["student.onnx"], null);
        Assert.Equal(expected.MultAdds, counted.MultAdds);
        // Folded: a channel has one bias in the place of the batch norm's scale and offset.
        Assert.Equal(expected.Parameters - architecture.Convolutions.Sum(c => c.Out), counted.Parameters);
        Assert.Empty(Directory.GetFiles(Directory.GetCurrentDirectory(), "onnxruntime_profile*")); // no trace of the counting is left
    }

    [Fact]
    public void Matrix_products_are_counted_by_hand()
    {
        var graph = new OnnxGraph("product");
        string x = graph.Flatten("flat", graph.Input("x", OnnxElementType.Float32, "batch", 3, 2, 2));
        x = graph.Gemm("gemm", x, graph.Initializer<float>("w", new float[5 * 12], 5, 12), graph.Initializer<float>("b", new float[5], 5), transposed: true);
        graph.Node("MatMul", "y", [x, graph.Initializer<float>("m", new float[5 * 7], 5, 7)]);
        graph.Output("y", OnnxElementType.Float32, "batch", 7);
        OnnxWriter.Write(graph, _folder["product.onnx"]);
        Assert.Equal(new GraphCost((12 * 5) + (5 * 7), (12 * 5) + 5 + (5 * 7)), GraphCost.Of(_folder["product.onnx"], null));
    }

    [Fact]
    public void Of_a_fixed_batch_the_cost_and_the_rate_are_those_of_one_picture()
    {
        var graph = new OnnxGraph("eight");
        string x = graph.Flatten("flat", graph.Input("x", OnnxElementType.Float32, 8, 3, 2, 2));
        graph.Node("MatMul", "y", [x, graph.Initializer<float>("m", new float[12 * 7], 12, 7)]);
        graph.Output("y", OnnxElementType.Float32, 8, 7);
        OnnxWriter.Write(graph, _folder["eight.onnx"]);
        Assert.Equal(new GraphCost(12 * 7, 12 * 7), GraphCost.Of(_folder["eight.onnx"], null));
        using var session = new BenchSession(_folder["eight.onnx"], null);
        session.RunMany();
        Assert.Equal((8, 8), (session.FixedBatch, session.PicturesAtOnce));
    }

    // A GPU is not busy with one picture; what keeps it so is a computation of the CPU here.
    [Fact]
    public void A_device_is_measured_with_large_batches_where_the_model_takes_them()
    {
        OnnxWriter.Write(StudentOnnx.Build(run.Checkpoint), _folder["student.onnx"]);
        var graph = new OnnxGraph("single");
        graph.Relu("y", graph.Input("x", OnnxElementType.Float32, 1, 3, 8, 8));
        graph.Output("y", OnnxElementType.Float32, 1, 3, 8, 8);
        OnnxWriter.Write(graph, _folder["single.onnx"]);
        int Batch(string file, int atOnce)
        {
            using var session = new BenchSession(_folder[file], null, (FaceDistill.Embeddings.OnnxSessions.Open(_folder[file]), "cuda"), _ => atOnce);
            session.RunMany();
            Assert.Equal("cuda", session.Provider);
            return session.PicturesAtOnce;
        }

        Assert.Equal([16, 1, 1], [Batch("student.onnx", 16), Batch("student.onnx", 0), Batch("single.onnx", 16)]);
        using var here = new BenchSession(_folder["student.onnx"], null);
        Assert.Equal(("cpu", 1), (here.Provider, here.PicturesAtOnce));
    }

    [Fact]
    public void What_cannot_be_run_alone_is_refused_in_one_line()
    {
        var graph = new OnnxGraph("open");
        graph.Relu("y", graph.Input("x", OnnxElementType.Float32, "batch", 3, "height", "width"));
        graph.Output("y", OnnxElementType.Float32, "batch", 3, "height", "width");
        OnnxWriter.Write(graph, _folder["open.onnx"]);
        Assert.Contains("open.onnx leaves the size of its input open", Refused("open.onnx"), StringComparison.Ordinal);
        var whole = run.Checkpoint.Description.Contract;
        Assert.Equal(0, GraphCost.Of(_folder["open.onnx"], whole).MultAdds); // a contract tells the size

        graph = new OnnxGraph("two");
        graph.Add("y", graph.Input("a", OnnxElementType.Float32, "batch", 3), graph.Input("b", OnnxElementType.Float32, "batch", 3));
        graph.Output("y", OnnxElementType.Float32, "batch", 3);
        OnnxWriter.Write(graph, _folder["two.onnx"]);
        Assert.Contains("has 2 inputs", Refused("two.onnx"), StringComparison.Ordinal);
        Assert.Contains("no model file", Refused("none.onnx"), StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private string Refused(string name)
    {
        string message = Assert.Throws<FaceDistillException>(() => new BenchSession(_folder[name], null).Dispose()).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }
}
