namespace FaceDistill.Students;

/// <summary>One printed row of a table of Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications" (2017).</summary>
/// <param name="Name">The row's name as printed.</param>
/// <param name="Student">The student it is taken for; null for the teacher.</param>
/// <param name="AccuracyPercent">Accuracy in percent: on ImageNet, and in table 14 at a false-accept rate of 1e-4.</param>
/// <param name="MillionMultAdds">Mult-adds in millions.</param>
/// <param name="MillionParameters">Parameters in millions.</param>
public sealed record PaperTableRow(string Name, StudentSpec? Student, double AccuracyPercent, double MillionMultAdds, double MillionParameters);

/// <summary>
/// The paper's tables of students, as printed. In table 14 the third student is printed as 0.75 MobileNet-128 like the fourth, but its 166 M mult-adds are
/// those of resolution 160.
/// </summary>
internal static class PaperTable
{
    /// <summary>Outputs of the last layer in the tables of ImageNet, which is a linear one after global pooling.</summary>
    public const int ImageNetClasses = 1000;

    private static readonly PaperTableRow Base = new("1.0 MobileNet-224", new StudentSpec(1, 224), 70.6, 569, 4.2);

    /// <summary>The rows of table 14 in the paper's order.</summary>
    public static IReadOnlyList<PaperTableRow> Rows { get; } =
    [
        new("FaceNet", null, 83, 1600, 7.5),
        new("1.0 MobileNet-160", new StudentSpec(1, 160), 79.4, 286, 4.9),
        new("1.0 MobileNet-128", new StudentSpec(1, 128), 78.3, 185, 5.5),
        new("0.75 MobileNet-128", new StudentSpec(0.75, 160), 75.2, 166, 3.4),
        new("0.75 MobileNet-128", new StudentSpec(0.75, 128), 72.5, 108, 3.8),
    ];

    /// <summary>The tables of networks on ImageNet: 4, full convolutions; 5, narrow against shallow; 6, widths; 7, resolutions.</summary>
    public static IReadOnlyDictionary<int, IReadOnlyList<PaperTableRow>> ImageNet { get; } = new Dictionary<int, IReadOnlyList<PaperTableRow>>
    {
        [4] = [new("Conv MobileNet", new StudentSpec(1, 224) { Kind = MobileNetKind.Conv }, 71.7, 4866, 29.3), Base with { Name = "MobileNet" }],
        [5] =
        [
            new("0.75 MobileNet", new StudentSpec(0.75, 224), 68.4, 325, 2.6),
            new("Shallow MobileNet", new StudentSpec(1, 224) { Kind = MobileNetKind.Shallow }, 65.3, 307, 2.9),
        ],
        [6] =
        [
            Base, new("0.75 MobileNet-224", new StudentSpec(0.75, 224), 68.4, 325, 2.6), new("0.5 MobileNet-224", new StudentSpec(0.5, 224), 63.7, 149, 1.3),
            new("0.25 MobileNet-224", new StudentSpec(0.25, 224), 50.6, 41, 0.5),
        ],
        [7] =
        [
            Base, new("1.0 MobileNet-192", new StudentSpec(1, 192), 69.1, 418, 4.2), new("1.0 MobileNet-160", new StudentSpec(1, 160), 67.2, 290, 4.2),
            new("1.0 MobileNet-128", new StudentSpec(1, 128), 64.4, 186, 4.2),
        ],
    };

    /// <summary>
    /// Table 2: what the types of 1.0 MobileNet-224's layers take, percent of its mult-adds and of its parameters (weights alone), as printed: the 1.19 is
    /// counted as 1.91.
    /// </summary>
    public static IReadOnlyList<(LayerType Type, double MultAddsPercent, double ParametersPercent)> Shares { get; } =
    [
        (LayerType.Pointwise, 94.86, 74.59), (LayerType.Depthwise, 3.06, 1.06), (LayerType.Full, 1.19, 0.02), (LayerType.Linear, 0.18, 24.33),
    ];

    /// <summary>Table 14's row of a student; null where the paper has none.</summary>
    public static PaperTableRow? Of(StudentSpec student) => Rows.FirstOrDefault(r => r.Student == student);
}
