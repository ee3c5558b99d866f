using FaceDistill.Native;
using OpenCvSharp;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Faces;

/// <summary>
/// Turns an aligned face into a model's input values. The only place that knows colour orders and scalings; OpenCV's
/// pictures are BGR everywhere else.
/// </summary>
public static class FaceTensor
{
    /// <summary>Writes one face as a model wants it.</summary>
    /// <param name="face">BGR 8-bit, contract.Size x contract.Size.</param>
    /// <param name="contract">Colour order, layout and scaling.</param>
    /// <param name="destination">float32, contract.Values of them: [3, size, size] or [size, size, 3].</param>
    public static void Fill(Mat face, FaceContract contract, Span<float> destination)
    {
        ArgumentNullException.ThrowIfNull(face);
        ArgumentNullException.ThrowIfNull(contract);
        if (face.Width != contract.Size || face.Height != contract.Size)
        {
            throw new ArgumentException($"a face of {face.Width}x{face.Height} where {contract.Size}x{contract.Size} is wanted");
        }

        var pixels = Pixels(face);
        var (scale, offset) = contract.PerImageStandardisation ? Standardisation(pixels) : Normalisation(contract);
        int plane = contract.Size * contract.Size;
        for (int channel = 0; channel < 3; channel++)
        {
            int source = contract.ColorOrder == ColorOrder.Bgr ? channel : 2 - channel;
            bool planar = contract.Layout == TensorLayout.Nchw;
            FillChannel(pixels[source..], planar ? destination.Slice(channel * plane, plane) : destination[channel..], planar ? 1 : 3, plane, scale[channel], offset[channel]);
        }
    }

    /// <summary>Copies one face as RGB bytes.</summary>
    /// <param name="face">BGR 8-bit, size x size, continuous.</param>
    /// <param name="destination">uint8 [size, size, 3], RGB.</param>
    public static void CopyRgb(Mat face, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(face);
        var pixels = Pixels(face);
        for (int i = 0; i < pixels.Length; i += 3)
        {
            destination[i] = pixels[i + 2];
            destination[i + 1] = pixels[i + 1];
            destination[i + 2] = pixels[i];
        }
    }

    /// <summary>Scales a batch for a student, on the batch's device.</summary>
    /// <param name="pixels">uint8 [N, size, size, 3], RGB.</param>
    /// <param name="contract">The student's contract: RGB, one mean and one std for all channels.</param>
    /// <returns>float32 [N, 3, size, size] with the channels innermost in memory.</returns>
    public static Tensor Normalize(Tensor pixels, FaceContract contract)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        ArgumentNullException.ThrowIfNull(contract);
        using var scope = NewDisposeScope();
        return pixels.permute(0, 3, 1, 2).to(ScalarType.Float32).Subtract(contract.Mean[0]).Multiply(1 / contract.Std[0]).MoveToOuterDisposeScope();
    }

    /// <summary>The contract of every student: RGB, channels first, (x - 127.5) / 127.5, so that black is -1 and white is 1.</summary>
    public static FaceContract StudentContract(int resolution, string template) =>
        new(resolution, template, ColorOrder.Rgb, TensorLayout.Nchw, [127.5f, 127.5f, 127.5f], [127.5f, 127.5f, 127.5f]);

    // A part of a larger picture is not continuous: its rows would be read wrongly.
    private static unsafe ReadOnlySpan<byte> Pixels(Mat face) => face.Type() == MatType.CV_8UC3 && face.IsContinuous()
        ? new ReadOnlySpan<byte>(face.DataPointer, checked((int)(face.Total() * 3)))
        : throw new ArgumentException($"a picture of {face.Type()} (continuous: {face.IsContinuous()}) where continuous 8-bit BGR is wanted");

    private static void FillChannel(ReadOnlySpan<byte> source, Span<float> target, int step, int count, float scale, float offset)
    {
        for (int i = 0; i < count; i++)
        {
            target[i * step] = (source[i * 3] * scale) + offset;
        }
    }

    // (x - mean) / std as x * scale + offset.
    private static (float[] Scale, float[] Offset) Normalisation(FaceContract contract) =>
        ([.. contract.Std.Select(s => 1 / s)], [.. contract.Mean.Zip(contract.Std, (m, s) => -m / s)]);

    private static (float[] Scale, float[] Offset) Standardisation(ReadOnlySpan<byte> pixels)
    {
        long sum = 0, squares = 0;
        foreach (byte p in pixels)
        {
            sum += p;
            squares += p * p;
        }

        double mean = sum / (double)pixels.Length;
        double deviation = Math.Sqrt(Math.Max(0, (squares / (double)pixels.Length) - (mean * mean)));
        float scale = (float)(1 / Math.Max(deviation, 1 / Math.Sqrt(pixels.Length)));
        float offset = (float)(-mean * scale);
        return ([scale, scale, scale], [offset, offset, offset]);
    }
}
