namespace FaceDistill.Formats;

/// <summary>How a convolution's kernel moves.</summary>
/// <param name="Stride">The stride in both directions.</param>
/// <param name="Pad">Zeros added on each side.</param>
/// <param name="Group">The number of groups; the number of input channels makes it depthwise.</param>
internal readonly record struct ConvStep(int Stride, int Pad, int Group);

/// <summary>
/// The operators that the project's networks use, by ONNX's names. Images are NCHW; the first argument names the output,
/// the others name values of the graph; each call adds one node and returns the output's name.
/// </summary>
internal static class OnnxOperators
{
    /// <summary>Convolution with square stride and equal zero padding on all four sides.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="output">Names the result, [N, out, H', W'].</param>
    /// <param name="input">[N, in, H, W].</param>
    /// <param name="weights">[out, in / group, kernel height, kernel width].</param>
    /// <param name="bias">[out], or null for none.</param>
    /// <param name="step">How the kernel moves; null for stride 1 without padding, one group.</param>
    public static string Conv(this OnnxGraph graph, string output, string input, string weights, string? bias, ConvStep? step = null)
    {
        (int stride, int pad, int group) = step ?? new ConvStep(1, 0, 1);
        return Checked(graph).Node("Conv", output, bias is null ? [input, weights] : [input, weights, bias],
            OnnxAttribute.Ints("strides", stride, stride), OnnxAttribute.Ints("pads", pad, pad, pad, pad), OnnxAttribute.Int("group", group));
    }

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

/// <summary>One attribute of an ONNX node: its name and an integer, a float, a string, or a list of integers or floats.</summary>
internal sealed class OnnxAttribute
{
    private OnnxAttribute(string name, object value)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(value);
        (Name, Value) = (name, value);
    }

    /// <summary>The attribute's name in the operator's specification, such as "strides".</summary>
    public string Name { get; }

    /// <summary>A long, float, string, long[] or float[]: the factories below allow nothing else.</summary>
    internal object Value { get; }

    /// <summary>An integer.</summary>
    public static OnnxAttribute Int(string name, long value) => new(name, value);

    /// <summary>A list of integers.</summary>
    public static OnnxAttribute Ints(string name, params long[] values) => new(name, values);

    /// <summary>A float.</summary>
    public static OnnxAttribute Float(string name, float value) => new(name, value);

    /// <summary>A list of floats.</summary>
    public static OnnxAttribute Floats(string name, params float[] values) => new(name, values);

    /// <summary>A string.</summary>
    public static OnnxAttribute String(string name, string value) => new(name, value);
}

/// <summary>One dimension of a graph input or output: a fixed length, or a name for a length known only at run time.</summary>
internal readonly record struct OnnxDim
{
    private OnnxDim(long length, string? name) => (Length, Name) = (length, name);

    /// <summary>The fixed length; 0 where the dimension has a name.</summary>
    public long Length { get; }

    /// <summary>The name, such as "batch"; null where the length is fixed.</summary>
    public string? Name { get; }

    /// <summary>A fixed length, at least 1.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The length is less than 1.</exception>
    public static OnnxDim FromInt64(long length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        return new(length, null);
    }

    /// <summary>A length known only at run time.</summary>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static OnnxDim FromString(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return new(0, name);
    }

    /// <summary>Same as <see cref="FromInt64"/>.</summary>
    public static implicit operator OnnxDim(long length) => FromInt64(length);

    /// <summary>Same as <see cref="FromString"/>.</summary>
    public static implicit operator OnnxDim(string name) => FromString(name);
}

/// <summary>Element types of ONNX tensors; the numbers are those of TensorProto.DataType in the ONNX specification.</summary>
internal enum OnnxElementType
{
    /// <summary>IEEE single precision, C# <see cref="float"/>.</summary>
    Float32 = 1,

    /// <summary>C# <see cref="byte"/>.</summary>
    UInt8 = 2,

    /// <summary>C# <see cref="sbyte"/>.</summary>
    Int8 = 3,

    /// <summary>C# <see cref="int"/>.</summary>
    Int32 = 6,

    /// <summary>C# <see cref="long"/>.</summary>
    Int64 = 7,

    /// <summary>IEEE half precision, C# <see cref="Half"/>.</summary>
    Float16 = 10,
}
