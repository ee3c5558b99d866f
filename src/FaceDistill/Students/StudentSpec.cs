using System.Globalization;
using System.Text.RegularExpressions;
using FaceDistill.Files;

namespace FaceDistill.Students;

/// <summary>Names a student: architecture, width multiplier and resolution, written <c>mobilenet-v1:0.75@128</c>.</summary>
/// <param name="Width">The width multiplier, above 0 and at most 1, with at most four decimals.</param>
/// <param name="Resolution">The input's side in pixels: 64 to 224, divisible by 32.</param>
public sealed partial record StudentSpec(double Width, int Resolution)
{
    /// <summary>Reads a student's name.</summary>
    /// <exception cref="FaceDistillException">It is malformed or out of range; the message says how to write it.</exception>
    public static StudentSpec Parse(string text)
    {
        var match = Pattern().Match(text);
        if (!match.Success
            || !double.TryParse(match.Groups[1].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double width)
            || !int.TryParse(match.Groups[2].Value, NumberStyles.None, CultureInfo.InvariantCulture, out int resolution))
        {
            throw new FaceDistillException(
                $"'{text}' is no student; write mobilenet-v1:WIDTH@RESOLUTION, the width with at most four decimals, for example mobilenet-v1:0.5@96");
        }

        string? wrong = width is <= 0 or > 1 ? "the width multiplier is above 0 and at most 1"
            : resolution is < 64 or > 224 || resolution % 32 != 0 ? "the resolution is 64, 96, 128, 160, 192 or 224"
            : null;
        return wrong is null ? new StudentSpec(width, resolution) : throw new FaceDistillException($"'{text}' is no student: {wrong}");
    }

    /// <summary>The name, as <see cref="Parse"/> reads it.</summary>
    public override string ToString() => InvariantText.Of($"mobilenet-v1:{Width:0.0###}@{Resolution}");

    // Four decimals at most: as many as ToString writes.
    [GeneratedRegex(@"^mobilenet-v1:([0-9]+(?:\.[0-9]{1,4})?)@([0-9]+)\z")]
    private static partial Regex Pattern();
}

/// <summary>How the last feature map becomes one vector, before the linear layer that gives the embedding.</summary>
public enum HeadKind
{
    /// <summary>Global average pooling.</summary>
    Gap,

    /// <summary>
    /// A depthwise convolution as large as the feature map, with batch norm and no activation: every place of the face has its
    /// own weight (Chen et al., "MobileFaceNets", 2018).
    /// </summary>
    Gdc,
}
