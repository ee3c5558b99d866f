using FaceDistill.Formats;
using FaceDistill.Kernels;

namespace FaceDistill.Tests.Formats;

public sealed class OnnxOperatorsTests
{
    private static readonly float[] OneToNine = [1, 2, 3, 4, 5, 6, 7, 8, 9];

    // Expected values are worked out by hand from the operator's definition.

    [Fact]
    public void Conv_weighs_the_window_and_adds_the_bias()
    {
        // [[1,2],[3,4]] at each corner: 1*1+2*2+4*3+5*4 = 37, ...
        Check(OneToNine, [1, 1, 3, 3], [37.5f, 47.5f, 67.5f, 77.5f], [1, 1, 2, 2], graph =>
        {
            graph.Initializer<float>("w", [1, 2, 3, 4], 1, 1, 2, 2);
            graph.Initializer<float>("b", [0.5f], 1);
            graph.Conv("y", "x", "w", "b");
        });
    }

    [Fact]
    public void Conv_strides_and_pads()
    {
        // Padded to 5x5, windows of 3x3 at stride 2, all ones: the sums of the four 2x2 corners.
        Check(OneToNine, [1, 1, 3, 3], [12, 16, 24, 28], [1, 1, 2, 2], graph =>
        {
            graph.Initializer<float>("w", [1, 1, 1, 1, 1, 1, 1, 1, 1], 1, 1, 3, 3);
            graph.Conv("y", "x", "w", bias: null, new(2, 1, 1));
        });
    }

    [Fact]
    public void Conv_with_as_many_groups_as_channels_is_depthwise() =>
        Check([1, 2, 3, 4], [1, 2, 1, 2], [10, 20, 300, 400], [1, 2, 1, 2], graph =>
        {
            graph.Initializer<float>("w", [10, 100], 2, 1, 1, 1);
            graph.Conv("y", "x", "w", bias: null, new(1, 0, 2));
        });

    [Fact]
    public void Relu_cuts_at_zero() => Check([-1, 0, 2.5f], [3], [0, 0, 2.5f], [3], graph => graph.Relu("y", "x"));

    [Fact]
    public void Add_sub_and_mul_broadcast()
    {
        Check([1, 2, 3, 4], [2, 2], [11, 22, 13, 24], [2, 2], graph => graph.Add("y", "x", Row(graph)));
        Check([1, 2, 3, 4], [2, 2], [-9, -18, -7, -16], [2, 2], graph => graph.Sub("y", "x", Row(graph)));
        Check([1, 2, 3, 4], [2, 2], [10, 40, 30, 80], [2, 2], graph => graph.Mul("y", "x", Row(graph)));
        static string Row(OnnxGraph graph) => graph.Initializer<float>("row", [10, 20], 2);
    }

    [Fact]
    public void MaxPool_and_AveragePool_drop_windows_that_do_not_fit()
    {
        Check(OneToNine, [1, 1, 3, 3], [5], [1, 1, 1, 1], graph => graph.MaxPool("y", "x", size: 2, stride: 2));
        Check(OneToNine, [1, 1, 3, 3], [5, 6, 8, 9], [1, 1, 2, 2], graph => graph.MaxPool("y", "x", size: 2, stride: 1));
        Check(OneToNine, [1, 1, 3, 3], [3], [1, 1, 1, 1], graph => graph.AveragePool("y", "x", size: 2, stride: 2));
        Check(OneToNine, [1, 1, 3, 3], [3, 4, 6, 7], [1, 1, 2, 2], graph => graph.AveragePool("y", "x", size: 2, stride: 1));
    }

    [Fact]
    public void GlobalAveragePool_and_Flatten_give_one_number_a_channel() =>
        Check([1, 2, 3, 6, 0, 0, 4, 8], [1, 2, 2, 2], [3, 3], [1, 2],
            graph => graph.Flatten("y", graph.GlobalAveragePool("mean", "x")));

    [Fact]
    public void Flatten_keeps_the_batch() =>
        Check([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 1, 2], [1, 2, 3, 4, 5, 6, 7, 8], [2, 4], graph => graph.Flatten("y", "x"));

    [Fact]
    public void Pad_takes_counts_before_then_after() =>
        Check([1, 2], [1, 2], [0, 1, 2, 0, 0, 0, 0, 0], [2, 4], graph => graph.Pad("y", "x", 0, 1, 1, 1));

    [Fact]
    public void Gemm_multiplies_by_weights_in_either_order()
    {
        // [1, 2] times [[1, 2, 3], [4, 5, 6]] = [9, 12, 15].
        Check([1, 2], [1, 2], [9, 12, 15], [1, 3], graph =>
        {
            graph.Initializer<float>("w", [1, 2, 3, 4, 5, 6], 2, 3);
            graph.Gemm("y", "x", "w", bias: null);
        });
        Check([1, 2], [1, 2], [9.5f, 12.25f, 14], [1, 3], graph =>
        {
            graph.Initializer<float>("w", [1, 4, 2, 5, 3, 6], 3, 2);
            graph.Initializer<float>("b", [0.5f, 0.25f, -1], 3);
            graph.Gemm("y", "x", "w", "b", transposed: true);
        });
    }

    private static void Check(float[] input, int[] shape, float[] expected, int[] expectedShape, Action<OnnxGraph> build)
    {
        var graph = new OnnxGraph("test");
        graph.Input("x", OnnxElementType.Float32, [.. shape.Select(d => (OnnxDim)(long)d)]);
        build(graph);
        graph.Output("y", OnnxElementType.Float32, [.. expectedShape.Select(d => (OnnxDim)(long)d)]);
        (float[] values, int[] actualShape) = OnnxRun.First(graph, ("x", input, shape));
        Assert.Equal(expectedShape, actualShape);
        Assert.Equal(expected, values);
    }
}
