using FaceDistill.Formats;
using FaceDistill.Kernels;

namespace FaceDistill.Tests.Formats;

public sealed class OnnxValidationTests
{
    [Fact]
    public void A_graph_without_fault_is_written() => Assert.NotEmpty(OnnxRun.Bytes(Graph(g => g.Relu("y", "x"))));

    [Fact]
    public void A_name_given_twice_is_refused()
    {
        Refused("'x' is given twice", g => g.Relu("y", g.Relu("x", "x")));
        Refused("'w' is given twice", g =>
        {
            g.Initializer<float>("w", [1], 1);
            g.Initializer<float>("w", [1], 1);
            g.Relu("y", "x");
        });
        Refused("'y' is given twice", g =>
        {
            g.Relu("y", "x");
            g.Relu("y", "x");
        });
        Refused("'y' is given twice", g =>
        {
            g.Relu("y", "x");
            g.Output("y", OnnxElementType.Float32, 2);
        });
    }

    [Fact]
    public void A_value_without_producer_is_refused()
    {
        Refused("input 'nowhere' of Add 'y' has no producer", g => g.Add("y", "x", "nowhere"));
        Refused("output 'y' has no producer", g => g.Relu("z", "x"));
    }

    [Fact]
    public void A_value_used_before_it_is_made_is_refused()
    {
        Refused("input 'z' of Relu 'y' is produced only by this or a later node", g =>
        {
            g.Relu("y", "z");
            g.Relu("z", "x");
        });
        Refused("input 'y' of Add 'y' is produced only by this or a later node", g => g.Add("y", "x", "y"));
    }

    [Fact]
    public void A_nameless_value_is_refused() => Refused("a value has no name", g => g.Relu("y", g.Relu(" ", "x")));

    [Fact]
    public void An_attribute_given_twice_is_refused() => Refused("LeakyRelu 'y' has the attribute 'alpha' twice", g =>
        g.Node("LeakyRelu", "y", ["x"], OnnxAttribute.Float("alpha", 1), OnnxAttribute.Float("alpha", 2)));

    [Fact]
    public void A_graph_without_output_is_refused()
    {
        var graph = new OnnxGraph("test");
        graph.Input("x", OnnxElementType.Float32, 2);
        Assert.Contains("it has no output", Assert.Throws<InvalidOperationException>(() => OnnxRun.Bytes(graph)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_shape_that_does_not_fit_the_data_is_refused()
    {
        var graph = new OnnxGraph("test");
        ArgumentException e = Assert.Throws<ArgumentException>(() => graph.Initializer<float>("w", [1, 2, 3], 2, 2));
        Assert.Contains("'w' has shape [2, 2] but 3 values", e.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => graph.Initializer<float>("w", [], 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => graph.Initializer<float>("w", [1], -1, -1));
        Assert.Throws<ArgumentException>(() => graph.Initializer<double>("w", [1], 1));
    }

    [Fact]
    public void A_dimension_needs_a_length_or_a_name()
    {
        var graph = new OnnxGraph("test");
        Assert.Throws<ArgumentException>(() => graph.Input("x", OnnxElementType.Float32, default(OnnxDim)));
        Assert.Throws<ArgumentOutOfRangeException>(() => graph.Input("x", OnnxElementType.Float32, 0));
        Assert.Throws<ArgumentException>(() => graph.Input("x", OnnxElementType.Float32, ""));
    }

    private static OnnxGraph Graph(Action<OnnxGraph> build)
    {
        var graph = new OnnxGraph("test");
        graph.Input("x", OnnxElementType.Float32, 2);
        build(graph);
        graph.Output("y", OnnxElementType.Float32, 2);
        return graph;
    }

    private static void Refused(string message, Action<OnnxGraph> build)
    {
        string said = Assert.Throws<InvalidOperationException>(() => OnnxRun.Bytes(Graph(build))).Message;
        Assert.StartsWith("ONNX graph 'test': ", said, StringComparison.Ordinal);
        Assert.Contains(message, said, StringComparison.Ordinal);
    }
}
