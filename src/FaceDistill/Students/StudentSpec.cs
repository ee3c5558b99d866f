using System.Text.RegularExpressions;
using FaceDistill.Files;

namespace FaceDistill.Students;

/// <summary>The networks of the paper (Howard et al., "MobileNets", 2017) that a student can be.</summary>
public enum MobileNetKind
{
    /// <summary>MobileNet: 13 depthwise-separable blocks (table 1).</summary>
    Separable,

    /// <summary>The network that MobileNet is compared with in table 4: a full 3x3 convolution in place of each block.</summary>
    Conv,

    /// <summary>That of table 5: MobileNet without the five blocks of 512 channels that keep their map's size.</summary>
    Shallow,
}

/// <summary>Names a student: architecture, width multiplier and resolution, written <c>mobilenet-v1:0.75@128</c>.</summary>
/// <param name="Width">The width multiplier, above 0 and at most 1, with at most four decimals.</param>
/// <param name="Resolution">The input's side in pixels: 64 to 224, divisible by 16.</param>
public sealed partial record StudentSpec(double Width, int Resolution)
{
    private static readonly (MobileNetKind Kind, string Name)[] Names =
        [(MobileNetKind.Separable, "mobilenet-v1"), (MobileNetKind.Conv, "mobilenet-v1-conv"), (MobileNetKind.Shallow, "mobilenet-v1-shallow")];

    /// <summary>Which of the paper's networks it is. Default <see cref="MobileNetKind.Separable"/>.</summary>
    public MobileNetKind Kind { get; init; }

    /// <summary>Reads a student's name.</summary>
    /// <exception cref="FaceDistillException">It is malformed or out of range; the message says how to write it.</exception>
    public static StudentSpec Parse(string text)
    {
        var match = Pattern().Match(text);
        if (!match.Success
            || !InvariantNumber.Real(match.Groups[2].Value, out double width)
            || !InvariantNumber.Count(match.Groups[3].Value, out int resolution))
        {
            throw new FaceDistillException(
                $"'{text}' is no student; write mobilenet-v1:WIDTH@RESOLUTION (or mobilenet-v1-conv:, mobilenet-v1-shallow:), the width with at most four "
                    + "decimals, for example mobilenet-v1:0.5@96"
                    + (Pattern().IsMatch($"{Names[0].Name}:{text}") ? $"; did you mean '{Names[0].Name}:{text}'?" : ""));
        }

        string? wrong = width is <= 0 or > 1 ? "the width multiplier is above 0 and at most 1"
            : resolution is < 64 or > 224 || resolution % 16 != 0 ? "the resolution is a multiple of 16 from 64 to 224"
            : null;
        return wrong is not null ? throw new FaceDistillException($"'{text}' is no student: {wrong}")
            : new StudentSpec(width, resolution) { Kind = Names.Single(n => n.Name == match.Groups[1].Value).Kind };
    }

    /// <summary>The name, as <see cref="Parse"/> reads it.</summary>
    public override string ToString() => InvariantText.Of($"{Names.Single(n => n.Kind == Kind).Name}:{Width:0.0###}@{Resolution}");

    // Four decimals at most: as many as ToString writes.
    [GeneratedRegex(@"^(mobilenet-v1(?:-conv|-shallow)?):([0-9]+(?:\.[0-9]{1,4})?)@([0-9]+)\z")]
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
