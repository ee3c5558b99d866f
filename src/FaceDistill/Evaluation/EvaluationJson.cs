using System.Text.Json.Serialization;

namespace FaceDistill.Evaluation;

/// <summary>The document of <c>evaluate --json</c>; others read its keys. Rates are fractions, not percent.</summary>
/// <param name="Protocol">The protocol's name.</param>
/// <param name="Models">One for each model.</param>
public sealed record EvaluationJson(string Protocol, IReadOnlyList<ModelJson> Models);

/// <summary>A model in <see cref="EvaluationJson"/>; what the protocol does not give is left out.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Images">Images whose pairs were scored.</param>
/// <param name="GenuinePairs">Pairs of one person.</param>
/// <param name="ImpostorPairs">Pairs of two people.</param>
public sealed record ModelJson(string Name, int Images, long GenuinePairs, long ImpostorPairs)
{
    /// <summary>True accept rate by false accept rate ("1e-4"); null where too few impostor pairs permit none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, double?>? TarAtFar { get; init; }

    /// <summary>Cosine threshold by false accept rate.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, float?>? ThresholdAtFar { get; init; }

    /// <summary>Impostor pairs at or above the threshold, by false accept rate.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, long?>? FalseAcceptsAtFar { get; init; }

    /// <summary>Mean accuracy of the folds.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? TenFoldAccuracy { get; init; }

    /// <summary>Its standard error.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? TenFoldStandardError { get; init; }

    /// <summary>Pairs of the protocol left out because an image is missing.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? SkippedPairs { get; init; }

    /// <summary>How many images the protocol's files name and the set lacks; left out where none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? MissingImages { get; init; }

    /// <summary>TAR at 1e-4 by that of the teacher.</summary>
    [JsonPropertyName("retentionAt1e-4")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? RetentionAt1e4 { get; init; }

    /// <summary>The document's part for a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="retention">Its retention at 1e-4, where there is one.</param>
    public static ModelJson Of(ModelEvaluation model, double? retention)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new ModelJson(model.Name, model.Images, model.GenuinePairs, model.ImpostorPairs)
        {
            TarAtFar = ByFar(model.AllPairs, point => point?.Tar),
            ThresholdAtFar = ByFar(model.AllPairs, point => point?.Threshold),
            FalseAcceptsAtFar = ByFar(model.AllPairs, point => point?.FalseAccepts),
            TenFoldAccuracy = model.TenFold?.Accuracy,
            TenFoldStandardError = model.TenFold?.StandardError,
            SkippedPairs = model.TenFold?.SkippedPairs,
            MissingImages = model.MissingImages.Count > 0 ? model.MissingImages.Count : null,
            RetentionAt1e4 = retention,
        };
    }

    private static Dictionary<string, T?>? ByFar<T>(AllPairsResult? result, Func<FarPoint?, T?> value)
        where T : struct =>
        result?.Fars.Select((far, i) => (Key: FarTargets.Label(far), Value: value(result.Points[i])))
            .DistinctBy(entry => entry.Key).ToDictionary(entry => entry.Key, entry => entry.Value);
}
