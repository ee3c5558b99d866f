using System.Text.Json.Serialization;
using FaceDistill.Embeddings;
using FaceDistill.Files;
using MathNet.Numerics.Statistics;

namespace FaceDistill.Evaluation.Results;

/// <summary>What a protocol says about several models: the document of <c>evaluate --json</c>, whose keys others read. Rates are fractions, not
/// percent.</summary>
/// <param name="Protocol">The protocol's name.</param>
/// <param name="Models">One for each model, in the order given.</param>
public sealed record EvaluationResult(string Protocol, IReadOnlyList<ModelResult> Models)
{
    /// <summary>The rate at which retention is told: accuracy at 1e-4 decides in FaceDistill.</summary>
    public const double RetentionFar = 1e-4;

    /// <summary>Which of the models is the teacher; null for none, or where the document was read.</summary>
    [JsonIgnore]
    public int? Reference { get; init; }

    /// <summary>What the measured faces are known by: SHA-256 over content and identity of each; left out where their contents are not known, or the models saw
    /// different ones.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? FacesId { get; init; }

    /// <summary>What their photos are known by, likewise and however they were aligned.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? PhotosId { get; init; }

    /// <summary>How two embeddings made a score; left out for the cosine.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ScoreKind? Score { get; init; }

    /// <summary>True where each model's embedding of a face is the sum of those of the face and of its mirror image; left out otherwise.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? FlipSummed { get; init; }

    /// <summary>Each two models compared, the earlier one first; left out where no two were resampled alike.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ModelComparison>? Comparisons { get; init; }

    /// <summary>How each model agrees with the teacher; left out without a teacher, or where the protocol scores no pairs of all images.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<AgreementResult>? Agreements { get; init; }

    /// <summary>What makes figures mean less than they seem to, for example people that a student was trained on; null where nothing was found.</summary>
    public IReadOnlyList<string>? Warnings { get; init; }

    /// <summary>How long it took, with the models' own work, seconds.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Seconds { get; init; }

    /// <summary>The most memory that the process held at once, bytes.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? PeakMemoryBytes { get; init; }
}

/// <summary>Two models of the same faces compared at <see cref="EvaluationResult.RetentionFar"/>, by a paired bootstrap over identities.</summary>
/// <param name="A">The first model's name.</param>
/// <param name="B">The second model's name.</param>
/// <param name="DifferenceAt1e4">True accept rate of A less that of B, as measured.</param>
/// <param name="Interval95">The difference's 95% interval, [low, high].</param>
/// <param name="PValue">Two-sided, for a true difference of 0; never below 2 / (resamples + 1).</param>
public sealed record ModelComparison(
    string A, string B, [property: JsonPropertyName("differenceAt1e-4")] double DifferenceAt1e4, IReadOnlyList<double> Interval95, double PValue)
{
    /// <summary>Compares two models; null where one of them has no resampled rates, or they were not resampled alike.</summary>
    public static ModelComparison? Of(ModelResult a, ModelResult b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        const double far = EvaluationResult.RetentionFar;
        return a.Uncertainty is { } own && b.Uncertainty is { } other && own.Differences(other, far) is { } differences
            && a.Rates?.At(far) is { } first && b.Rates?.At(far) is { } second
            ? new ModelComparison(a.Name, b.Name, first.Tar - second.Tar, TarUncertainty.Percentile(differences), TwoSided(differences))
            : null;
    }

    /// <summary>
    /// Twice the smaller share of resamples on either side of 0, those at 0 on both sides; one is added to each count and to
    /// the resamples, so that it is never 0 (Davison and Hinkley 1997, section 4.2).
    /// </summary>
    internal static double TwoSided(IReadOnlyCollection<double> differences)
    {
        int fewer = Math.Min(differences.Count(d => d <= 0), differences.Count(d => d >= 0));
        return Math.Min(1, 2.0 * (fewer + 1) / (differences.Count + 1));
    }
}

/// <summary>
/// How certain true accept rates are: their values on bootstrap resamples of the identities (not of the pairs: pairs that
/// share a person are not independent).
/// </summary>
internal sealed class TarUncertainty
{
    private readonly IReadOnlyList<double> _fars;
    private readonly double[]?[] _tars; // [fars][resamples]
    private readonly string _key;       // what two models must share to be resampled alike

    internal TarUncertainty(IReadOnlyList<double> fars, double[]?[] tars, string key)
    {
        (_fars, _tars, _key) = (fars, tars, key);
        Intervals = fars.DistinctBy(FarTargets.Label).Select(far => (far, interval: At(far))).Where(entry => entry.interval is not null)
            .ToDictionary(entry => FarTargets.Label(entry.far), entry => entry.interval!);
    }

    /// <summary>The 95% intervals of the true accept rate, [low, high], by the label of the false accept rate; without the rates that have none.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<double>> Intervals { get; }

    /// <summary>The 95% interval of the true accept rate at a rate, [low, high]; null where the rate was refused, not asked for, or has a tail
    /// of more than 16 million impostor pairs, too many to keep with their identities.</summary>
    public IReadOnlyList<double>? At(double far) => Tars(far) is { } tars ? Percentile(tars) : null;

    /// <summary>The 95% interval of this model's rate by a reference's, resample by resample; null where either has none, they
    /// were not resampled alike, or the reference accepts nobody in some resample.</summary>
    public IReadOnlyList<double>? Ratio(TarUncertainty reference, double far)
    {
        ArgumentNullException.ThrowIfNull(reference);
        return Pairs(reference, far) is { } pairs && pairs.TrueForAll(pair => pair.Other > 0) ? Percentile(pairs.Select(pair => pair.Own / pair.Other)) : null;
    }

    /// <summary>
    /// The percentile interval of a bootstrap (Efron 1979): from the 2.5% to the 97.5% quantile of the resampled values,
    /// which MathNet interpolates (Hyndman and Fan's definition 8).
    /// </summary>
    /// <param name="resampled">The values, in any order; not changed.</param>
    internal static IReadOnlyList<double> Percentile(IEnumerable<double> resampled)
    {
        double[] sorted = [.. resampled.Order()];
        return [SortedArrayStatistics.Quantile(sorted, 0.025), SortedArrayStatistics.Quantile(sorted, 0.975)];
    }

    /// <summary>This model's rate less another's in each resample; null where either has none, or they were not resampled alike.</summary>
    internal double[]? Differences(TarUncertainty other, double far) => Pairs(other, far)?.Select(pair => pair.Own - pair.Other).ToArray();

    private List<(double Own, double Other)>? Pairs(TarUncertainty other, double far) =>
        _key == other._key && Tars(far) is { } own && other.Tars(far) is { } theirs ? [.. own.Zip(theirs)] : null;

    private double[]? Tars(double far)
    {
        int at = _fars.ToList().IndexOf(far);
        return at < 0 ? null : _tars[at];
    }
}

/// <summary>How well a student's embeddings agree with the teacher's: image by image, and as probes in the teacher's gallery.</summary>
/// <param name="Teacher">The teacher's name.</param>
/// <param name="Student">The student's name.</param>
/// <param name="Images">How many images.</param>
/// <param name="Cosine">Cosine between both embeddings of an image.</param>
/// <param name="Histogram">Bins of 0.02, from the first that holds an image to the last.</param>
/// <param name="Worst">The 20 images, or all, that agree least; the worst first.</param>
public sealed record AgreementResult(
    string Teacher, string Student, int Images, CosineSpread Cosine, IReadOnlyList<AgreementBin> Histogram, IReadOnlyList<ImageAgreement> Worst)
{
    /// <summary>Teacher-teacher, student-student and teacher-student, in this order; left out where the images have no identity.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<CrossSearchResult>? Search { get; init; }
}

/// <summary>The distribution of the agreement of <see cref="AgreementResult"/>.</summary>
/// <param name="Mean">Mean.</param>
/// <param name="Median">Median.</param>
/// <param name="Percentile5">5th percentile (<see cref="NearestRank"/>): one image in twenty agrees no better.</param>
/// <param name="Minimum">Minimum.</param>
/// <param name="OtherImages">Mean between the teacher's embedding of an image and the student's of another: what agreement by chance is, which is far
/// above 0 where all embeddings share a mean; null with one image.</param>
public sealed record CosineSpread(double Mean, double Median, double Percentile5, double Minimum, double? OtherImages);

/// <summary>The one definition of percentiles of faces and of times: values that were measured, never some between two (Hyndman and Fan's definition
/// 1).</summary>
internal static class NearestRank
{
    /// <summary>The smallest value that at least a share of the values does not exceed.</summary>
    /// <param name="rising">At least one, in rising order.</param>
    /// <param name="share">Above 0, at most 1.</param>
    public static double Of(double[] rising, double share) => SortedArrayStatistics.QuantileCustom(rising, share, QuantileDefinition.R1);
}

/// <summary>A bin of a histogram: values from its lower bound up to, but not including, its upper one; the last bin includes it.</summary>
/// <param name="From">Lower bound.</param>
/// <param name="To">Upper bound.</param>
/// <param name="Count">How many values.</param>
public readonly record struct AgreementBin(double From, double To, int Count);

/// <summary>How well two models agree on an image.</summary>
/// <param name="Path">The image, as the teacher's set lists it.</param>
/// <param name="Cosine">Between the two embeddings, -1..1.</param>
public readonly record struct ImageAgreement(string Path, double Cosine);

/// <summary>Accuracy where one model embeds the gallery and another the probes.</summary>
/// <param name="Gallery">The model of the one image of each pair.</param>
/// <param name="Probe">The model of the other.</param>
/// <param name="GenuinePairs">Pairs of one person; ordered pairs, twice as many, where the models differ.</param>
/// <param name="ImpostorPairs">Pairs of two people, likewise.</param>
/// <param name="TarAtFar">True accept rate by false accept rate ("1e-4"); null where too few impostor pairs permit none.</param>
/// <param name="ThresholdAtFar">Cosine threshold by false accept rate.</param>
public sealed record CrossSearchResult(
    string Gallery,
    string Probe,
    long GenuinePairs,
    long ImpostorPairs,
    IReadOnlyDictionary<string, double?> TarAtFar,
    IReadOnlyDictionary<string, float?> ThresholdAtFar)
{
    /// <summary>The false accept rate that a line tells: 1e-4, or the least that was measured; 1e-4 also where none was.</summary>
    internal string ToldFar => FarTargets.Label(EvaluationResult.RetentionFar) is var far && TarAtFar.GetValueOrDefault(far) is not null ? far
        : TarAtFar.Where(t => t.Value is not null).Select(t => t.Key).MinBy(InvariantNumber.Of) ?? far;

    /// <summary>The rate in words: that of the table, or of how many pairs of faces there are too few.</summary>
    internal string Words(string far, Func<double, string> rate) => TarAtFar.GetValueOrDefault(far) is { } tar ? rate(tar)
        : FarTargets.TooFew(far, Gallery == Probe ? ImpostorPairs : ImpostorPairs / 2);
}
