namespace FaceDistill.Students;

/// <summary>One convolution of a student, with the batch norm behind it.</summary>
/// <param name="Name">The name of its weights; its batch norm's is the name followed by "_bn".</param>
/// <param name="In">Input channels.</param>
/// <param name="Out">Output channels.</param>
/// <param name="Kernel">The square kernel's side.</param>
/// <param name="Stride">The stride in both directions.</param>
/// <param name="Padding">Zeros added on each side.</param>
/// <param name="Groups">1, or the number of channels of a depthwise convolution.</param>
/// <param name="InSize">The input map's side.</param>
/// <param name="Relu">Whether a ReLU follows the batch norm.</param>
public sealed record ConvLayer(string Name, int In, int Out, int Kernel, int Stride, int Padding, int Groups, int InSize, bool Relu)
{
    /// <summary>The output map's side.</summary>
    public int OutSize => ((InSize + (2 * Padding) - Kernel) / Stride) + 1;

    /// <summary>Weights of the convolution, without the batch norm.</summary>
    public long Weights => (long)Out * (In / Groups) * Kernel * Kernel;

    /// <summary>Multiply-accumulates of one picture, borders counted like the inside.</summary>
    public long MultAdds => Weights * OutSize * OutSize;
}
