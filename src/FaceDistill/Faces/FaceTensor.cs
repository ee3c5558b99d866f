using OpenCvSharp;

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
        if (face.Width != contract.Size || face.Height != contract.Size || face.Type() != MatType.CV_8UC3 || !face.IsContinuous())
        {
            throw new ArgumentException($"a face of {face.Width}x{face.Height} {face.Type()} where {contract.Size}x{contract.Size} BGR is wanted");
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
    /// <param name="mirrored">Whether left and right are exchanged.</param>
    public static void CopyRgb(Mat face, Span<byte> destination, bool mirrored = false)
    {
        ArgumentNullException.ThrowIfNull(face);
        var pixels = Pixels(face);
        int width = face.Width, height = face.Height;
        for (int y = 0; y < height; y++)
        {
            var from = pixels.Slice(3 * y * width, 3 * width);
            var to = destination.Slice(3 * y * width, 3 * width);
            for (int x = 0; x < width; x++)
            {
                int s = 3 * (mirrored ? width - 1 - x : x);
                to[3 * x] = from[s + 2];
                to[(3 * x) + 1] = from[s + 1];
                to[(3 * x) + 2] = from[s];
            }
        }
    }

    private static unsafe ReadOnlySpan<byte> Pixels(Mat face) => new(face.DataPointer, checked((int)(face.Total() * 3)));

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
