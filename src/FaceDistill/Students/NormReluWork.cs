namespace FaceDistill.Students;

/// <summary>What all threads of one of <see cref="NormRelu"/>'s loops share; each takes one part of the rows after another.</summary>
internal unsafe struct NormReluWork
{
    /// <summary>The convolution's output.</summary>
    public void* Input;

    /// <summary>The normalised output, or the output's gradient, which becomes the input's.</summary>
    public void* Output;

    /// <summary>C factors and C summands that make the normalised output; C centres that are taken off the input.</summary>
    public float* Scale, Shift, Centre;

    /// <summary>C factors each: the input's gradient is Scale * gradient + ByCentred * (input - Centre) + Constant.</summary>
    public float* ByCentred, Constant;

    /// <summary>2 C sums a part.</summary>
    public double* Sums;

    /// <summary>N H W.</summary>
    public long Rows;

    /// <summary>C, the parts that the rows are cut into, and the next part to take.</summary>
    public int Channels, Parts, Next;

    /// <summary>0 with a ReLU, else minus infinity.</summary>
    public float Floor;

    /// <summary>Whether input and output are bfloat16.</summary>
    public bool Half;

    /// <summary>The first row of a part.</summary>
    public readonly long Row(int part) => Rows * part / Parts;
}
