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
public sealed record FaceContract(
    int Size,
    string Template,
    ColorOrder ColorOrder,
    TensorLayout Layout,
    float[] Mean,
    float[] Std,
    bool PerImageStandardisation = false,
    bool NormalizeOutput = false)
{
    /// <summary>The number of float32 values of one face.</summary>
    public int Values => 3 * Size * Size;

    /// <summary>Checks every field.</summary>
    /// <param name="origin">The file that the contract came from, for the message.</param>
    /// <returns>The contract itself.</returns>
    /// <exception cref="FaceDistillException">A field is out of range; the message names origin and field.</exception>
    public FaceContract Validated(string origin)
    {
        string? wrong = AlignmentTemplate.All.All(t => t.Name != Template)
            ? $"no alignment template '{Template}'; there are {string.Join(", ", AlignmentTemplate.All.Select(t => t.Name))}"
            : Size is < 32 or > 1024 ? $"size {Size} is not within 32 to 1024"
            : Mean.Length != 3 || Std.Length != 3 ? "mean and std have three values each"
            : Mean.Any(m => !float.IsFinite(m)) || Std.Any(s => !float.IsFinite(s) || s <= 0) ? "mean is finite and std positive"
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
