namespace FaceDistill.Pipeline;

/// <summary>One student of a table.</summary>
public sealed record Table14RecipeRow
{
    /// <summary>The student, for example mobilenet-v1:0.5@96.</summary>
    public required string Student { get; init; }

    /// <summary>Its passes over the faces; null for those of the options.</summary>
    public int? Epochs { get; init; }

    /// <summary>Its highest learning rate; null for that of the options.</summary>
    public double? LearningRate { get; init; }

    /// <summary>
    /// The student of an earlier row, or a backbone's card, of the same or a greater width, whose weights it starts with; null for random weights.
    /// </summary>
    public string? Init { get; init; }
}
