namespace FaceDistill.Formats;

/// <summary>One attribute of an ONNX node: its name and an integer, a float, a string, or a list of integers or floats.</summary>
public sealed class OnnxAttribute
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
