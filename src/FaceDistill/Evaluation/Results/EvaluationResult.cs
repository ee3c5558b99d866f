namespace FaceDistill.Evaluation.Results;

/// <summary>What a protocol says about several models.</summary>
/// <param name="Protocol">Its name.</param>
/// <param name="Models">In the order given.</param>
/// <param name="Reference">Which of them is the teacher; null for none.</param>
public sealed record EvaluationResult(string Protocol, IReadOnlyList<ModelEvaluation> Models, int? Reference)
{
    /// <summary>The rate at which retention is told: accuracy at 1e-4 decides in FaceDistill.</summary>
    public const double RetentionFar = 1e-4;

    /// <summary>The share of the reference's TAR at 1e-4 that a model keeps; null for the reference itself, or where there is none.</summary>
    public double? Retention(int model) =>
        Reference is { } reference && reference != model ? Models[model].Retention(Models[reference], RetentionFar) : null;

    /// <summary>How two embeddings made a score.</summary>
    public ScoreKind Score { get; init; }

    /// <summary>How each model agrees with the reference; empty where it was not compared.</summary>
    public IReadOnlyList<AgreementJson> Agreements { get; init; } = [];

    /// <summary>What makes figures mean less than they seem to; empty where nothing was found.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>How long it took, with the models' own work, seconds; null where nobody measured it.</summary>
    public double? Seconds { get; init; }

    /// <summary>The most memory that the process held at once, bytes; null where nobody measured it.</summary>
    public long? PeakMemoryBytes { get; init; }

    /// <summary>The 95% interval of <see cref="Retention"/>; null where there is none, or the two were not resampled alike.</summary>
    public Interval? RetentionInterval(int model) =>
        Reference is { } reference && reference != model && Models[reference].Uncertainty is { } of
            ? Models[model].Uncertainty?.Ratio(of, RetentionFar) : null;

    /// <summary>Each two models compared at <see cref="RetentionFar"/>, the earlier one first; without those that were not resampled alike.</summary>
    public IReadOnlyList<ModelComparison> Comparisons() =>
    [
        .. from a in Enumerable.Range(0, Models.Count)
           from b in Enumerable.Range(a + 1, Models.Count - a - 1)
           let comparison = ModelComparison.Of(Models[a], Models[b], RetentionFar)
           where comparison is not null
           select comparison,
    ];

    /// <summary>The document that <c>evaluate --json</c> prints.</summary>
    public EvaluationJson ToJson()
    {
        var comparisons = Comparisons();
        return new EvaluationJson(Protocol, [.. Models.Select((model, i) => ModelJson.Of(model, Retention(i), RetentionInterval(i)))])
        {
            Score = Score == ScoreKind.Cosine ? null : Score,
            Agreements = Agreements.Count == 0 ? null : Agreements,
            Warnings = Warnings.Count == 0 ? null : Warnings,
            Seconds = Seconds,
            PeakMemoryBytes = PeakMemoryBytes,
            Comparisons = comparisons.Count == 0 ? null : [.. comparisons.Select(ComparisonJson.Of)],
        };
    }
}
