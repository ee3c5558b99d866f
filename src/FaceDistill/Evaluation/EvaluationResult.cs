namespace FaceDistill.Evaluation;

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

    /// <summary>The document that <c>evaluate --json</c> prints.</summary>
    public EvaluationJson ToJson() => new(Protocol, [.. Models.Select((model, i) => ModelJson.Of(model, Retention(i)))]);
}
