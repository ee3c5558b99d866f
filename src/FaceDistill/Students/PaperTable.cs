namespace FaceDistill.Students;

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
public static class PaperTable
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
