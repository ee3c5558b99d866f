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

/// <summary>One printed row of Table 14 of Howard et al., "MobileNets" (2017).</summary>
/// <param name="Name">The row's name as printed.</param>
/// <param name="Student">The student it is taken for; null for the teacher.</param>
/// <param name="AccuracyPercent">Accuracy at a false-accept rate of 1e-4, percent.</param>
/// <param name="MillionMultAdds">Mult-adds in millions.</param>
/// <param name="MillionParameters">Parameters in millions.</param>
public sealed record PaperTableRow(string Name, StudentSpec? Student, double AccuracyPercent, double MillionMultAdds, double MillionParameters);

/// <summary>
/// Table 14 of Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications" (2017), as printed.
/// Its third student is printed as 0.75 MobileNet-128 like the fourth, but its 166 M mult-adds are those of resolution 160.
/// </summary>
internal static class PaperTable
{
    /// <summary>The rows in the paper's order.</summary>
    public static IReadOnlyList<PaperTableRow> Rows { get; } =
    [
        new("FaceNet", null, 83, 1600, 7.5),
        new("1.0 MobileNet-160", new StudentSpec(1, 160), 79.4, 286, 4.9),
        new("1.0 MobileNet-128", new StudentSpec(1, 128), 78.3, 185, 5.5),
        new("0.75 MobileNet-128", new StudentSpec(0.75, 160), 75.2, 166, 3.4),
        new("0.75 MobileNet-128", new StudentSpec(0.75, 128), 72.5, 108, 3.8),
    ];

    /// <summary>The row of a student; null where the paper has none.</summary>
    public static PaperTableRow? Of(StudentSpec student) => Rows.FirstOrDefault(r => r.Student == student);
}
