using FaceDistill.Formats;
using FaceDistill.Kernels;
using Microsoft.ML.OnnxRuntime;

namespace FaceDistill.Tests.Formats;

public sealed class OnnxWriterTests
{
    [Fact]
    public void Metadata_and_descriptions_arrive_in_ONNX_Runtime()
    {
        OnnxGraph graph = Doubler();
        (graph.DocString, graph.ProducerName, graph.ProducerVersion) = ("doubles", "tests", "7.8");
        graph.Metadata["teacher"] = "dlib-resnet";
        graph.Metadata["note"] = "accents: é, empty follows";
        graph.Metadata["empty"] = "";
        using InferenceSession session = OnnxRun.Session(graph);
        Assert.Equal("doubles", session.ModelMetadata.Description);
        Assert.Equal("tests", session.ModelMetadata.ProducerName);
        Assert.Equal("double", session.ModelMetadata.GraphName);
        Assert.Equal(3, session.ModelMetadata.CustomMetadataMap.Count);
        Assert.Equal("dlib-resnet", session.ModelMetadata.CustomMetadataMap["teacher"]);
        Assert.Equal("accents: é, empty follows", session.ModelMetadata.CustomMetadataMap["note"]);
        Assert.Equal("", session.ModelMetadata.CustomMetadataMap["empty"]);
    }

    [Fact]
    public void A_named_dimension_takes_any_batch()
    {
        using InferenceSession session = OnnxRun.Session(Doubler());
        Assert.Equal("batch", session.InputMetadata["x"].SymbolicDimensions[0]);
        Assert.Equal([-1, 2], session.InputMetadata["x"].Dimensions);
        Assert.Equal([2f, 4f], OnnxRun.First(session, ("x", [1, 2], [1, 2])).Values);
        Assert.Equal([2f, 4f, 6f, 8f, 10f, 12f], OnnxRun.First(session, ("x", [1, 2, 3, 4, 5, 6], [3, 2])).Values);
    }

    [Fact]
    public void Every_element_type_arrives()
    {
        CheckCast<float>([1.5f, -2], [1.5f, -2]);
        CheckCast<byte>([0, 255], [0, 255]);
        CheckCast<sbyte>([-128, 127], [-128, 127]);
        CheckCast<int>([-70000, 70000], [-70000, 70000]);
        CheckCast<long>([-(1L << 40), 1L << 40], [-(1L << 40), 1L << 40]);
        CheckCast<Half>([(Half)0.25f, (Half)(-3)], [0.25f, -3]);
    }

    [Fact]
    public void Every_attribute_kind_arrives()
    {
        var graph = new OnnxGraph("attributes");
        graph.Input("x", OnnxElementType.Float32, 1, 4);
        graph.Node("LeakyRelu", "leaky", ["x"], OnnxAttribute.Float("alpha", 0.25f)); // float
        graph.Node("Constant", "floats", [], OnnxAttribute.Floats("value_floats", 1, 2, 3, 4)); // floats
        graph.Node("Constant", "axes", [], OnnxAttribute.Ints("value_ints", -1)); // ints, one of them negative
        graph.Node("Mul", "scaled", ["leaky", "floats"]);
        graph.Node("ReduceSum", "sum", ["scaled", "axes"], OnnxAttribute.Int("keepdims", 0)); // int
        graph.Node("Constant", "text", [], OnnxAttribute.String("value_string", "abc")); // string
        graph.Output("sum", OnnxElementType.Float32, 1);
        (float[] values, int[] shape) = OnnxRun.First(graph, ("x", [-4, 1, -4, 1], [1, 4]));
        Assert.Equal([1], shape);
        Assert.Equal([-1f + 2 - 3 + 4], values);
    }

    [Fact]
    public void A_string_attribute_is_read_by_its_operator()
    {
        var graph = new OnnxGraph("edge");
        graph.Input("x", OnnxElementType.Float32, 2);
        graph.Initializer<long>("pads", [1, 0], 2);
        graph.Node("Pad", "y", ["x", "pads"], OnnxAttribute.String("mode", "edge"));
        graph.Output("y", OnnxElementType.Float32, 3);
        Assert.Equal([5f, 5f, 6f], OnnxRun.First(graph, ("x", [5, 6], [2])).Values);
    }

    [Fact]
    public void An_optional_input_can_be_left_out_and_a_node_can_have_two_outputs()
    {
        var graph = new OnnxGraph("clip");
        graph.Input("x", OnnxElementType.Float32, 4);
        graph.Initializer<float>("max", [6]);
        graph.Node("Clip", "clipped", ["x", "", "max"]);
        graph.Node("Split", ["a", "b"], ["clipped"]);
        graph.Sub("y", "b", "a");
        graph.Output("y", OnnxElementType.Float32, 2);
        Assert.Equal([7f, 4f], OnnxRun.First(graph, ("x", [-1, 2, 9, 100], [4])).Values);
    }

    [Fact]
    public void Int8_weights_work_through_DequantizeLinear()
    {
        var graph = new OnnxGraph("qdq");
        graph.Input("x", OnnxElementType.Float32, "batch", 2);
        graph.Initializer<sbyte>("q", [-128, 64, 127, -1], 2, 2);
        graph.Initializer<float>("scale", [0.5f, 2], 2);
        graph.Initializer<sbyte>("zero", [0, 1], 2);
        graph.Node("DequantizeLinear", "w", ["q", "scale", "zero"], OnnxAttribute.Int("axis", 0));
        graph.Gemm("y", "x", "w", bias: null, transposed: true); // rows (-64, 32) and (252, -4)
        graph.Output("y", OnnxElementType.Float32, "batch", 2);
        Assert.Equal([-32f, 248f], OnnxRun.First(graph, ("x", [1, 1], [1, 2])).Values);
    }

    [Fact]
    public void Equal_graphs_give_equal_files_and_the_stream_stays_open()
    {
        using var folder = new TempFolder();
        OnnxWriter.Write(Doubler(), folder["a.onnx"]);
        using var stream = new MemoryStream();
        OnnxWriter.Write(Doubler(), stream);
        Assert.True(stream.CanWrite);
        Assert.Equal(File.ReadAllBytes(folder["a.onnx"]), stream.ToArray());
    }

    private static OnnxGraph Doubler()
    {
        var graph = new OnnxGraph("double");
        graph.Input("x", OnnxElementType.Float32, "batch", 2);
        graph.Add("y", "x", "x");
        graph.Output("y", OnnxElementType.Float32, "batch", 2);
        return graph;
    }

    // The constant, cast to float32 by ONNX Runtime, plus the input's zero.
    private static void CheckCast<T>(T[] values, float[] expected)
        where T : unmanaged
    {
        var graph = new OnnxGraph("cast");
        graph.Input("x", OnnxElementType.Float32, 1);
        graph.Initializer<T>("c", values, values.Length);
        graph.Node("Cast", "f", ["c"], OnnxAttribute.Int("to", (long)OnnxElementType.Float32));
        graph.Add("y", "f", "x");
        graph.Output("y", OnnxElementType.Float32, values.Length);
        Assert.Equal(expected, OnnxRun.First(graph, ("x", [0], [1])).Values);
    }
}
