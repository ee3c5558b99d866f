namespace FaceDistill.Formats;

/// <summary>
/// The operators that the project's networks use, by ONNX's names. Images are NCHW; the first argument names the output,
/// the others name values of the graph; each call adds one node and returns the output's name.
/// </summary>
public static class OnnxOperators
{
    /// <summary>Convolution with square stride and equal zero padding on all four sides.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="output">Names the result, [N, out, H', W'].</param>
    /// <param name="input">[N, in, H, W].</param>
    /// <param name="weights">[out, in / group, kernel height, kernel width].</param>
    /// <param name="bias">[out], or null for none.</param>
    /// <param name="stride">The stride in both directions.</param>
    /// <param name="pad">Zeros added on each side.</param>
    /// <param name="group">The number of groups; the number of input channels makes it depthwise.</param>
    public static string Conv(
        this OnnxGraph graph, string output, string input, string weights, string? bias, int stride = 1, int pad = 0, int group = 1) =>
        Checked(graph).Node("Conv", output, bias is null ? [input, weights] : [input, weights, bias],
            OnnxAttribute.Ints("strides", stride, stride), OnnxAttribute.Ints("pads", pad, pad, pad, pad), OnnxAttribute.Int("group", group));

    /// <summary>max(x, 0), element by element.</summary>
    public static string Relu(this OnnxGraph graph, string output, string input) => Checked(graph).Node("Relu", output, [input]);

    /// <summary>a + b with broadcasting.</summary>
    public static string Add(this OnnxGraph graph, string output, string a, string b) => Checked(graph).Node("Add", output, [a, b]);

    /// <summary>a - b with broadcasting.</summary>
    public static string Sub(this OnnxGraph graph, string output, string a, string b) => Checked(graph).Node("Sub", output, [a, b]);

    /// <summary>a * b, element by element, with broadcasting.</summary>
    public static string Mul(this OnnxGraph graph, string output, string a, string b) => Checked(graph).Node("Mul", output, [a, b]);

    /// <summary>The largest value of each size x size window; windows that do not fit are left out.</summary>
    public static string MaxPool(this OnnxGraph graph, string output, string input, int size, int stride) =>
        Checked(graph).Node("MaxPool", output, [input], Window(size, stride));

    /// <summary>The mean of each size x size window; windows that do not fit are left out.</summary>
    public static string AveragePool(this OnnxGraph graph, string output, string input, int size, int stride) =>
        Checked(graph).Node("AveragePool", output, [input], Window(size, stride));

    /// <summary>The mean over all pixels: [N, C, H, W] to [N, C, 1, 1].</summary>
    public static string GlobalAveragePool(this OnnxGraph graph, string output, string input) =>
        Checked(graph).Node("GlobalAveragePool", output, [input]);

    /// <summary>Zeros around the float32 tensor; the counts become the constant "output/pads".</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="output">Names the result.</param>
    /// <param name="input">The tensor.</param>
    /// <param name="pads">The zeros before each dimension, then the zeros after each dimension.</param>
    public static string Pad(this OnnxGraph graph, string output, string input, params long[] pads) =>
        Checked(graph).Node("Pad", output, [input, graph.Initializer<long>($"{output}/pads", pads, pads.Length)]);

    /// <summary>[N, C, H, W] to [N, C * H * W].</summary>
    public static string Flatten(this OnnxGraph graph, string output, string input) => Checked(graph).Node("Flatten", output, [input]);

    /// <summary>The linear layer x * weights + bias.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="output">Names the result, [N, out].</param>
    /// <param name="input">[N, in].</param>
    /// <param name="weights">[in, out], or [out, in] where <paramref name="transposed"/>.</param>
    /// <param name="bias">[out], or null for none.</param>
    /// <param name="transposed">Whether the weights stand as [out, in], torch's order.</param>
    public static string Gemm(this OnnxGraph graph, string output, string input, string weights, string? bias, bool transposed = false) =>
        Checked(graph).Node("Gemm", output, bias is null ? [input, weights] : [input, weights, bias],
            OnnxAttribute.Int("transB", transposed ? 1 : 0));

    private static OnnxGraph Checked(OnnxGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return graph;
    }

    private static OnnxAttribute[] Window(int size, int stride) =>
        [OnnxAttribute.Ints("kernel_shape", size, size), OnnxAttribute.Ints("strides", stride, stride)];
}
