namespace FaceDistill.Formats;

/// <summary>A graph input or output with its type.</summary>
internal sealed record OnnxValue(string Name, OnnxElementType Type, OnnxDim[] Dims);

/// <summary>A constant tensor; the bytes are row-major and little-endian.</summary>
internal sealed record OnnxInitializer(string Name, OnnxElementType Type, long[] Dims, byte[] Data);

/// <summary>An operator's use; an empty input name stands for an optional input that is left out.</summary>
internal sealed record OnnxNode(string Op, string[] Inputs, string[] Outputs, OnnxAttribute[] Attributes);
