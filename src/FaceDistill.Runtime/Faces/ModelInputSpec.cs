using System.Text.Json.Serialization;
using OpenCvSharp;

namespace FaceDistill.Faces;

/// <summary>What a model wants to see: everything between an aligned face and the model's input tensor.</summary>
/// <param name="Size">The input picture's side in pixels.</param>
/// <param name="Template">The name of the <see cref="AlignmentTemplate"/>.</param>
/// <param name="ColorOrder">The order of the three channels.</param>
/// <param name="Layout">The order of the tensor's axes.</param>
/// <param name="Mean">Three values subtracted from the 0..255 channels, in the tensor's channel order.</param>
/// <param name="Std">Three values that the differences are divided by, in the tensor's channel order.</param>
/// <param name="PerImageStandardisation">
/// Instead of mean and std: each picture minus its own mean, divided by max(its standard deviation, 1/sqrt(values)), over all
/// three channels (TensorFlow's per_image_standardization, as in the public FaceNet).
/// </param>
/// <param name="NormalizeOutput">Whether the model's raw output is to be brought to unit length to be its embedding.</param>
public sealed record ModelInputSpec(
    int Size,
    string Template,
    ColorOrder ColorOrder,
    TensorLayout Layout,
    float[] Mean,
    float[] Std,
    bool PerImageStandardisation = false,
    bool NormalizeOutput = false)
{
    /// <summary>The name of the output that is the embedding, where the model has others (AdaFace: embedding and norm); null for its only one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] // what is kept under contracts without it stays known
    public string? Output { get; init; }

    /// <summary>The number of float32 values of one face.</summary>
    public int Values => 3 * Size * Size;

    /// <summary>Checks every field.</summary>
    /// <param name="origin">The file that the contract came from, for the message.</param>
    /// <returns>The contract itself.</returns>
    /// <exception cref="FaceDistillException">A field is out of range; the message names origin and field.</exception>
    public ModelInputSpec Validated(string origin)
    {
        string? wrong = AlignmentTemplate.All.All(t => t.Name != Template)
            ? $"no alignment template '{Template}'; there are {string.Join(", ", AlignmentTemplate.All.Select(t => t.Name))}"
            : Size is < 32 or > 1024 ? $"size {Size} is not within 32 to 1024"
            : Mean.Length != 3 || Std.Length != 3 ? "mean and std have three values each"
            : Mean.Any(m => !float.IsFinite(m)) || Std.Any(s => !float.IsFinite(s) || s <= 0) ? "mean is finite and std positive"
            : Output is { Length: 0 } ? "output is empty; name the embedding's, or leave it out where the model has one alone"
            : null;
        return wrong is null ? this : throw new FaceDistillException($"{origin}: {wrong}");
    }
}

/// <summary>The order of a picture's channels.</summary>
public enum ColorOrder
{
    /// <summary>Red, green, blue.</summary>
    Rgb,

    /// <summary>Blue, green, red.</summary>
    Bgr,
}

/// <summary>The order of an image tensor's axes.</summary>
public enum TensorLayout
{
    /// <summary>[batch, channel, row, column].</summary>
    Nchw,

    /// <summary>[batch, row, column, channel].</summary>
    Nhwc,
}

/// <summary>
/// Turns an aligned face into a model's input values. The only place that knows colour orders and scalings; OpenCV's
/// pictures are BGR everywhere else.
/// </summary>
public static class FaceTensor
{
    /// <summary>Grows when the same picture and contract give other values, or <see cref="AlignedFrame.View"/> cuts another: part of what embeddings are kept
    /// under.</summary>
    internal const int Version = 1;

    /// <summary>Writes one face as a model wants it.</summary>
    /// <param name="face">BGR 8-bit, contract.Size x contract.Size.</param>
    /// <param name="contract">Colour order, layout and scaling.</param>
    /// <param name="destination">float32, contract.Values of them: [3, size, size] or [size, size, 3].</param>
    public static void Fill(Mat face, ModelInputSpec contract, Span<float> destination)
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
            FillChannel(pixels[source..], planar ? destination.Slice(channel * plane, plane) : destination[channel..], planar ? 1 : 3, plane, scale[channel],
                offset[channel]);
        }

        GC.KeepAlive(face); // its pixels are its own
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

        GC.KeepAlive(face);
    }

    /// <summary>The contract of every student: RGB, channels first, (x - 127.5) / 127.5, so that black is -1 and white is 1.</summary>
    public static ModelInputSpec StudentContract(int resolution, string template) =>
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
    private static (float[] Scale, float[] Offset) Normalisation(ModelInputSpec contract) =>
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
