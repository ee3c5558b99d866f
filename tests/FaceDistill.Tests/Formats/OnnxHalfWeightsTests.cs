using FaceDistill.Formats;

namespace FaceDistill.Tests.Formats;

public sealed class OnnxHalfWeightsTests
{
    [Fact]
    public void Weights_are_rounded_to_half_and_vectors_stay()
    {
        var graph = Linear([1 / 3f, 2, -4, 0.1f], [1 / 3f, 0.1f]);
        var (values, _) = OnnxRun.First(OnnxHalfWeights.Of(graph), ("x", [1, 0, 0, 1], [2, 2]));
        Assert.Equal([(float)(Half)(1 / 3f) + (1 / 3f), 2 + 0.1f, -4 + (1 / 3f), (float)(Half)0.1f + 0.1f], values);
        Assert.Equal([(1 / 3f) + (1 / 3f), 2 + 0.1f, -4 + (1 / 3f), 0.1f + 0.1f], OnnxRun.First(graph, ("x", [1, 0, 0, 1], [2, 2])).Values);
    }

    [Fact]
    public void The_file_has_half_the_length()
    {
        var graph = new OnnxGraph("g");
        string y = graph.Gemm("y", graph.Input("x", OnnxElementType.Float32, "batch", 100), graph.Initializer<float>("w", new float[10000], 100, 100), null);
        graph.Output(y, OnnxElementType.Float32, "batch", 100);
        Assert.InRange(OnnxRun.Bytes(OnnxHalfWeights.Of(graph)).Length, 20000, 20400);
    }

    [Theory]
    [InlineData(65520f)]
    [InlineData(float.NaN)]
    public void A_weight_that_half_cannot_hold_is_refused(float weight) => Assert.Contains(
        "w holds a weight beyond float16's range",
        Assert.Throws<FaceDistillException>(() => OnnxHalfWeights.Of(Linear([1, weight, 0, 0], [0, 0]))).Message, StringComparison.Ordinal);

    private static OnnxGraph Linear(float[] weights, float[] bias)
    {
        var graph = new OnnxGraph("linear");
        string x = graph.Input("x", OnnxElementType.Float32, "batch", 2);
        graph.Output(graph.Gemm("y", x, graph.Initializer<float>("w", weights, 2, 2), graph.Initializer<float>("b", bias, 2)), OnnxElementType.Float32, "batch",
            2);
        return graph;
    }
}
