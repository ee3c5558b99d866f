using System.Text.Json.Serialization;
using FaceDistill.Embeddings;

namespace FaceDistill.Evaluation.Results;

/// <summary>The document of <c>evaluate --json</c>; others read its keys. Rates are fractions, not percent.</summary>
/// <param name="Protocol">The protocol's name.</param>
/// <param name="Models">One for each model.</param>
public sealed record EvaluationJson(string Protocol, IReadOnlyList<ModelJson> Models)
{
    /// <summary>How two embeddings made a score; left out for the cosine.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ScoreKind? Score { get; init; }

    /// <summary>Each two models compared; left out where the identities were not resampled.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ComparisonJson>? Comparisons { get; init; }

    /// <summary>How each model agrees with the teacher; left out without a teacher, or where the protocol scores no pairs of all images.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<AgreementJson>? Agreements { get; init; }

    /// <summary>What makes figures mean less than they seem to, for example people that a student was trained on; absent where nothing was found.</summary>
    public IReadOnlyList<string>? Warnings { get; init; }

    /// <summary>How long it took, with the models' own work, seconds.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Seconds { get; init; }

    /// <summary>The most memory that the process held at once, bytes.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? PeakMemoryBytes { get; init; }
}

/// <summary>Two models compared in <see cref="EvaluationJson"/>.</summary>
/// <param name="A">The first model's name.</param>
/// <param name="B">The second model's name.</param>
/// <param name="DifferenceAt1e4">TAR of a less TAR of b, at 1e-4.</param>
/// <param name="Interval95">Its 95% interval, [low, high].</param>
/// <param name="PValue">Two-sided p-value of the paired bootstrap, for a true difference of 0.</param>
public sealed record ComparisonJson(
    string A,
    string B,
    [property: JsonPropertyName("differenceAt1e-4")] double DifferenceAt1e4,
    IReadOnlyList<double> Interval95,
    double PValue)
{
    /// <summary>The document's part for a comparison.</summary>
    public static ComparisonJson Of(ModelComparison comparison)
    {
        ArgumentNullException.ThrowIfNull(comparison);
        var interval = comparison.Interval95;
        return new ComparisonJson(comparison.A, comparison.B, comparison.Difference, [interval.Low, interval.High], comparison.PValue);
    }
}

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

    /// <summary>95% interval of the true accept rate, [low, high], by false accept rate; without those that have none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, IReadOnlyList<double>>? TarInterval95AtFar { get; init; }

    /// <summary>95% interval of the retention at 1e-4, [low, high].</summary>
    [JsonPropertyName("retentionInterval95At1e-4")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<double>? RetentionInterval95At1e4 { get; init; }

    /// <summary>Equal error rate.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Eer { get; init; }

    /// <summary>Area under the ROC curve.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Auc { get; init; }

    /// <summary>Distance of the genuine from the impostor scores in their common standard deviation.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? DPrime { get; init; }

    /// <summary>Least normalised detection cost.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MinDcf { get; init; }

    /// <summary>Share of faces whose nearest other face is of the same person.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Rank1 { get; init; }

    /// <summary>Probes searched in a gallery.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IdentificationJson? Identification { get; init; }

    /// <summary>BLUFR's trials.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public BlufrJson? Blufr { get; init; }

    /// <summary>Multiply-accumulates of one face; left out where they are not known.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? MultAdds { get; init; }

    /// <summary>Trained values; left out where they are not known.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Parameters { get; init; }

    /// <summary>The impostor pairs of the highest scores; only with a report.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ScoredPair>? WorstFalseAccepts { get; init; }

    /// <summary>The genuine pairs of the lowest scores; only with a report.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ScoredPair>? WorstFalseRejects { get; init; }

    /// <summary>The document's part for a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="retention">Its retention at 1e-4, where there is one.</param>
    /// <param name="retentionInterval">The retention's 95% interval, where there is one.</param>
    public static ModelJson Of(ModelEvaluation model, double? retention, Interval? retentionInterval = null)
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
            RetentionInterval95At1e4 = retentionInterval is { } range ? [range.Low, range.High] : null,
            TarInterval95AtFar = Intervals(model.Uncertainty),
            Eer = model.Metrics?.Eer,
            Auc = model.Metrics?.Auc,
            DPrime = model.Metrics?.DPrime,
            MinDcf = model.Metrics?.MinDcf,
            Rank1 = model.Metrics?.Rank1,
            Identification = model.Identification is { } identification ? IdentificationJson.Of(identification) : null,
            Blufr = model.Blufr is { } blufr ? BlufrJson.Of(blufr) : null,
            MultAdds = model.Cost?.MultAdds,
            Parameters = model.Cost?.Parameters,
            WorstFalseAccepts = model.Worst?.FalseAccepts,
            WorstFalseRejects = model.Worst?.FalseRejects,
        };
    }

    private static Dictionary<string, IReadOnlyList<double>>? Intervals(TarUncertainty? uncertainty) =>
        uncertainty?.Fars.DistinctBy(FarTargets.Label).Select(far => (far, interval: uncertainty.At(far))).Where(entry => entry.interval is not null)
            .ToDictionary(entry => FarTargets.Label(entry.far), entry => (IReadOnlyList<double>)[entry.interval!.Value.Low, entry.interval.Value.High]);

    private static Dictionary<string, T?>? ByFar<T>(AllPairsResult? result, Func<FarPoint?, T?> value)
        where T : struct =>
        result?.Fars.Select((far, i) => (Key: FarTargets.Label(far), Value: value(result.Points[i])))
            .DistinctBy(entry => entry.Key).ToDictionary(entry => entry.Key, entry => entry.Value);
}
