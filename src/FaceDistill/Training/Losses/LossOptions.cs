using System.Text.Json.Serialization;
using FaceDistill.Files;

namespace FaceDistill.Training.Losses;

/// <summary>The weight of each loss in the sum that training minimises; 0 leaves it out.</summary>
public sealed record LossOptions
{
    /// <summary>The weight of <see cref="SquaredDifference"/>, 0 to 1000. Default 1.</summary>
    public double Squared { get; init; } = 1;

    /// <summary>The weight of <see cref="CosineDistance"/>, 0 to 1000. Default 0.</summary>
    public double Cosine { get; init; }

    /// <summary>The weight of <see cref="RelationalDistance"/>, 0 to 1000; the paper's is 25 beside a task loss, which is too much beside the squared
    /// difference (eval/README.md). Default 0.</summary>
    public double Distance { get; init; }

    /// <summary>The weight of <see cref="RelationalAngle"/>, 0 to 1000; the paper's is 50 beside a task loss, which is too much beside the squared difference
    /// (eval/README.md). Default 0.</summary>
    public double Angle { get; init; }

    /// <summary>The weight of <see cref="FaceDistill.Training.Losses.ArcFace"/>, which needs identities (a sub-folder for each person), 0 to 1000. Alone it is
    /// a training without a teacher. Default 0.</summary>
    public double ArcFace { get; init; }

    /// <summary>What ArcFace multiplies cosines by, 1 to 1000. Default 64, the paper's.</summary>
    public double ArcFaceScale { get; init; } = FaceDistill.Training.Losses.ArcFace.PaperScale;

    /// <summary>ArcFace's margin in radians, 0 to 1. Default 0.5, the paper's; with few faces a person only a smaller one may be learned.</summary>
    public double ArcFaceMargin { get; init; } = FaceDistill.Training.Losses.ArcFace.PaperMargin;

    /// <summary>Whether any loss looks at the teacher.</summary>
    [JsonIgnore]
    public bool IsDistilled => Terms.Any(term => term.Distils && term.Weight > 0);

    // One row a loss: its weight, its name in a report's formula and in a message, and whether it looks at the teacher.
    private (double Weight, string Name, string Words, bool Distils)[] Terms =>
    [
        (Squared, "squared", "squared difference", true),
        (Cosine, "cosine", "cosine loss", true),
        (Distance, "distance", "distances", true),
        (Angle, "angle", "angles", true),
        (ArcFace, "ArcFace", "ArcFace loss", false),
    ];

    /// <summary>Checks every range.</summary>
    /// <returns>The options themselves.</returns>
    /// <exception cref="FaceDistillException">A weight is out of its range, or all are 0.</exception>
    public LossOptions Validated()
    {
        string? wrong = Terms.FirstOrDefault(term => !(term.Weight is >= 0 and <= 1000)) is { Words: { } words } bad
            ? InvariantText.Of($"the weight of the {words} is 0 to 1000, not {bad.Weight}")
            : Terms.Sum(term => term.Weight) == 0 ? "every loss has the weight 0; give one a weight"
            : !(ArcFaceScale is >= 1 and <= 1000) ? InvariantText.Of($"ArcFace's scale is 1 to 1000, not {ArcFaceScale}")
            : !(ArcFaceMargin is >= 0 and <= 1) ? InvariantText.Of($"ArcFace's margin is 0 to 1 radians, not {ArcFaceMargin}")
            : null;
        return wrong is null ? this : throw new FaceDistillException(wrong);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(
        " + ", Terms.Where(term => term.Weight > 0).Select(term => term.Weight == 1 ? term.Name : InvariantText.Of($"{term.Weight} {term.Name}")));
}
