namespace FaceDistill.Teachers;

/// <summary>One tensor as the weight file has it, dequantised.</summary>
/// <param name="Name">Its path in the network, such as "conv32_1/conv1/conv/filters".</param>
/// <param name="Shape">Its shape; convolution filters are [height, width, in, out], depthwise ones [height, width, channels, 1].</param>
/// <param name="Values">float32, row-major.</param>
public sealed record TfjsTensor(string Name, int[] Shape, float[] Values);
