using System.Text.Json.Serialization;
using FaceDistill.Embeddings;
using FaceDistill.Files;
using FaceDistill.Students;

namespace FaceDistill.Evaluation.Results;

/// <summary>What a protocol says about one model, in <see cref="EvaluationResult"/>; what the protocol does not give is left out. Where it was measured
/// here, the figures are those of <see cref="Rates"/>, <see cref="Metrics"/> and the like; where the document was read, these are null.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Images">Images whose pairs were scored.</param>
/// <param name="GenuinePairs">Pairs of one person.</param>
/// <param name="ImpostorPairs">Pairs of two people.</param>
public sealed record ModelResult(string Name, int Images, long GenuinePairs, long ImpostorPairs)
{
    /// <summary>The exact rates; null where the protocol gives none.</summary>
    [JsonIgnore]
    internal RatesAtFar? Rates { get; init; }

    /// <summary>How certain they are; null where it was not asked for, or the protocol or the set gives none.</summary>
    [JsonIgnore]
    internal TarUncertainty? Uncertainty { get; init; }

    /// <summary>Metrics over all pairs, with curves; null where they were not asked for, or the protocol gives none.</summary>
    [JsonIgnore]
    internal ScoreMetrics? Metrics { get; init; }

    /// <summary>Accuracy over folds; null where the protocol gives none.</summary>
    [JsonIgnore]
    internal FoldsResult? Folds { get; init; }

    /// <summary>The thresholds at the rates of <see cref="FarTargets.Curve"/>, without the protocol's name; null where they were not asked for.</summary>
    [JsonIgnore]
    internal IReadOnlyList<StudentThreshold>? Curve { get; init; }

    /// <summary>The pairs it gets most wrong; null where they were not asked for, or the protocol scores no pairs.</summary>
    [JsonIgnore]
    internal WorstPairsResult? Worst { get; init; }

    /// <summary>SHA-256 of the model with its input contract, by which the figures are joined to it; null where it is not known, as of a .npy file.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? ModelHash { get; init; }

    /// <summary>Photos of the measured people that gave no face; null where all did, or the protocol does not score all pairs.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public AcquisitionResult? Acquisition { get; init; }

    /// <summary>Photos of the measured people that show several faces, of which one was measured; null where nobody counted.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? SeveralFaces { get; init; }

    /// <summary>How much of what is measured it was trained on, or chose its best epoch by; null where that is not known: of teachers, of files outside
    /// a run folder.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TrainedOverlap? TrainedOn { get; init; }

    /// <summary>What it costs; null where that is not known.</summary>
    [JsonIgnore]
    public StudentCost? Cost { get; init; }

    /// <summary>Images that the protocol's files name and the set lacks.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Missing { get; init; } = [];

    /// <summary>True accept rate by false accept rate ("1e-4"); null where too few impostor pairs permit none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, double?>? TarAtFar { get => field ?? Rates?.Tar; init; }

    /// <summary>Cosine threshold by false accept rate.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, float?>? ThresholdAtFar { get => field ?? Rates?.Threshold; init; }

    /// <summary>Impostor pairs at or above the threshold, by false accept rate.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, long?>? FalseAcceptsAtFar { get => field ?? Rates?.FalseAccepts; init; }

    /// <summary>Mean accuracy of the folds.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? TenFoldAccuracy { get => field ?? Folds?.Accuracy; init; }

    /// <summary>Its standard error.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? TenFoldStandardError { get => field ?? Folds?.StandardError; init; }

    /// <summary>Pairs of the protocol left out because an image is missing; left out where there are no folds.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? SkippedPairs { get => field ?? Folds?.SkippedPairs; init; }

    /// <summary>How many images the protocol's files name and the set lacks; left out where none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? MissingImages { get => field ?? (Missing.Count > 0 ? Missing.Count : null); init; }

    /// <summary>Pairs of a list whose two images stand there as a pair before, and which count once more; left out where none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? RepeatedPairs { get; init; }

    /// <summary>TAR at 1e-4 by that of the teacher.</summary>
    [JsonPropertyName("retentionAt1e-4")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? RetentionAt1e4 { get; init; }

    /// <summary>95% interval of the true accept rate, [low, high], by false accept rate; without those that have none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, IReadOnlyList<double>>? TarInterval95AtFar { get => field ?? Uncertainty?.Intervals; init; }

    /// <summary>95% interval of the retention at 1e-4, [low, high].</summary>
    [JsonPropertyName("retentionInterval95At1e-4")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<double>? RetentionInterval95At1e4 { get; init; }

    /// <summary>Equal error rate.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Eer { get => field ?? Metrics?.Eer; init; }

    /// <summary>Area under the ROC curve.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Auc { get => field ?? Metrics?.Auc; init; }

    /// <summary>Distance of the genuine from the impostor scores in their common standard deviation.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? DPrime { get => field ?? Metrics?.DPrime; init; }

    /// <summary>Least normalised detection cost.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? MinDcf { get => field ?? Metrics?.MinDcf; init; }

    /// <summary>Share of faces whose nearest other face is of the same person.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Rank1 { get => field ?? Metrics?.Rank1; init; }

    /// <summary>Probes searched in a gallery.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IdentificationResult? Identification { get; init; }

    /// <summary>IJB's templates.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IjbResult? Ijb { get; init; }

    /// <summary>BLUFR's trials.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public BlufrResult? Blufr { get; init; }

    /// <summary>Multiply-accumulates of one face; left out where they are not known.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? MultAdds { get => field ?? Cost?.MultAdds; init; }

    /// <summary>Trained values; left out where they are not known.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Parameters { get => field ?? Cost?.Parameters; init; }

    /// <summary>The impostor pairs of the highest scores; only with a report.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ScoredPair>? WorstFalseAccepts { get => field ?? Worst?.FalseAccepts; init; }

    /// <summary>The genuine pairs of the lowest scores; only with a report.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ScoredPair>? WorstFalseRejects { get => field ?? Worst?.FalseRejects; init; }

    /// <summary>This model beside its teacher: with the share of the teacher's TAR that it keeps, where the protocol and the impostor pairs give both and
    /// the teacher accepts somebody, and with that share's interval where both were resampled alike.</summary>
    public ModelResult Beside(ModelResult teacher)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        const double far = EvaluationResult.RetentionFar;
        return this with
        {
            RetentionAt1e4 = teacher.Rates?.At(far) is { Tar: > 0 } of && Rates?.At(far) is { } own ? own.Tar / of.Tar : null,
            RetentionInterval95At1e4 = teacher.Uncertainty is { } resampled ? Uncertainty?.Ratio(resampled, far) : null,
        };
    }
}

/// <summary>What the scores of pairs reach at false accept rates, exactly.</summary>
/// <param name="Images">The faces.</param>
/// <param name="Identities">How many people they show; 0 where nobody says.</param>
/// <param name="GenuinePairs">Pairs of one person.</param>
/// <param name="ImpostorPairs">Pairs of two people.</param>
/// <param name="Fars">The false accept rates asked for.</param>
/// <param name="Points">One for each rate, in their order; null where the impostor pairs do not permit one false accept.</param>
internal sealed record RatesAtFar(
    int Images, int Identities, long GenuinePairs, long ImpostorPairs, IReadOnlyList<double> Fars, IReadOnlyList<FarPoint?> Points)
{
    /// <summary>True accept rate by the label of the false accept rate.</summary>
    public IReadOnlyDictionary<string, double?> Tar { get; } = FarPoint.ByLabel(Fars, Points, point => (double?)point?.Tar);

    /// <summary>Threshold, likewise.</summary>
    public IReadOnlyDictionary<string, float?> Threshold { get; } = FarPoint.ByLabel(Fars, Points, point => point?.Threshold);

    /// <summary>False accepts, likewise.</summary>
    public IReadOnlyDictionary<string, long?> FalseAccepts { get; } = FarPoint.ByLabel(Fars, Points, point => point?.FalseAccepts);

    /// <summary>The same at some of the rates; null where one of them was not asked for.</summary>
    public RatesAtFar? Only(IReadOnlyList<double> fars)
    {
        int[] at = [.. fars.Select(far => Fars.ToList().IndexOf(far))];
        return at.Contains(-1) ? null : new RatesAtFar(Images, Identities, GenuinePairs, ImpostorPairs, fars, [.. at.Select(i => Points[i])]);
    }

    /// <summary>The point at a rate, or null where it was refused or not asked for.</summary>
    public FarPoint? At(double far) => Points.FirstOrDefault(point => point?.Far == far);
}

/// <summary>What a model reaches at one permitted false accept rate.</summary>
/// <param name="Far">The permitted false accept rate, above 0 and below 1.</param>
/// <param name="Threshold">The smallest float threshold whose measured false accept rate is not above it; accept when score >= threshold.</param>
/// <param name="FalseAccepts">Impostor pairs at or above the threshold.</param>
/// <param name="TrueAccepts">Genuine pairs at or above the threshold.</param>
/// <param name="Tar">True accepts by genuine pairs, 0..1.</param>
internal sealed record FarPoint(double Far, float Threshold, long FalseAccepts, long TrueAccepts, double Tar)
{
    /// <summary>Values of points by the labels of their rates; of two rates of one label the first.</summary>
    internal static Dictionary<string, T> ByLabel<TPoint, T>(IReadOnlyList<double> fars, IReadOnlyList<TPoint> points, Func<TPoint, T> value) =>
        fars.Zip(points).DistinctBy(entry => FarTargets.Label(entry.First)).ToDictionary(entry => FarTargets.Label(entry.First), entry => value(entry.Second));
}

/// <summary>Accuracy over folds, each by the threshold of the others.</summary>
/// <param name="Folds">Each fold's accuracy, 0..1, and the threshold, cosine.</param>
/// <param name="SkippedPairs">Pairs left out because an image is missing.</param>
/// <param name="Accuracy">Mean of the folds, 0..1.</param>
/// <param name="StandardError">Sample standard deviation of the folds by the root of their number.</param>
internal sealed record FoldsResult(IReadOnlyList<(double Accuracy, float Threshold)> Folds, int SkippedPairs, double Accuracy, double StandardError);

/// <summary>Metrics over all pairs that need every impostor score, not only the highest; none is rounded into bins.</summary>
/// <param name="Eer">Equal error rate, 0..1: where the ROC curve crosses false accept rate = false reject rate.</param>
/// <param name="Auc">Area under the ROC curve, 0..1 (Mann-Whitney, ties counted half).</param>
/// <param name="DPrime">Distance of the means of genuine and impostor scores, by the root of the mean of their variances
/// (Daugman 2000, "decidability"); null where neither varies.</param>
/// <param name="MinDcf">Least normalised detection cost, 0..1, with P_target 0.01 and both costs 1 (NIST 2016 Speaker
/// Recognition Evaluation Plan, section 3).</param>
/// <param name="Rank1">Of the faces of people with two faces or more, the share whose nearest other face of the whole set
/// is of the same person (closed set, leave-one-out); an impostor equally near counts as the nearest.</param>
/// <param name="Curves">What plots show.</param>
internal sealed record ScoreMetrics(double Eer, double Auc, double? DPrime, double MinDcf, double Rank1, ScoreCurves Curves);

/// <summary>Curves for plots.</summary>
/// <param name="Roc">By rising false accept rate, evenly spaced in its logarithm from one impostor pair to 1.</param>
/// <param name="Scores">How the scores lie.</param>
internal sealed record ScoreCurves(IReadOnlyList<RocPoint> Roc, ScoreHistogram Scores);

/// <summary>A point of a ROC curve.</summary>
/// <param name="Far">The permitted false accept rate, above 0 and at most 1.</param>
/// <param name="Tar">The true accept rate of the smallest threshold that holds it, 0..1.</param>
internal readonly record struct RocPoint(double Far, double Tar);

/// <summary>Genuine and impostor scores in equal bins, for plots only.</summary>
/// <param name="Low">Where the first bin begins.</param>
/// <param name="High">Where the last one ends.</param>
/// <param name="Genuine">Genuine pairs in each bin.</param>
/// <param name="Impostor">Impostor pairs in each bin.</param>
internal sealed record ScoreHistogram(float Low, float High, IReadOnlyList<long> Genuine, IReadOnlyList<long> Impostor);

/// <summary>A scored pair of faces.</summary>
/// <param name="A">The one face's path.</param>
/// <param name="B">The other face's path.</param>
/// <param name="IdentityA">Who the one is.</param>
/// <param name="IdentityB">Who the other is.</param>
/// <param name="Score">Their score.</param>
public sealed record ScoredPair(string A, string B, string IdentityA, string IdentityB, float Score);

/// <summary>The pairs that a model gets most wrong, whatever the threshold.</summary>
/// <param name="FalseAccepts">The impostor pairs of the highest scores, the highest first.</param>
/// <param name="FalseRejects">The genuine pairs of the lowest scores, the lowest first.</param>
internal sealed record WorstPairsResult(IReadOnlyList<ScoredPair> FalseAccepts, IReadOnlyList<ScoredPair> FalseRejects);

/// <summary>How many of the measured people and faces a student was trained on, or chose its best epoch by.</summary>
/// <param name="People">People of whom a measured face, or the name, is known to it.</param>
/// <param name="ByName">Of these, those known by name alone.</param>
/// <param name="OfPeople">The measured people.</param>
/// <param name="Faces">Measured faces that are training faces by content.</param>
/// <param name="OfFaces">The measured faces.</param>
public sealed record TrainedOverlap(int People, int ByName, int OfPeople, int Faces, int OfFaces)
{
    /// <summary>Whether there is any, so that the figure says little of strangers.</summary>
    [JsonIgnore]
    public bool Any => People > 0 || Faces > 0;

    /// <summary>The overlap in words.</summary>
    internal string Words
    {
        get
        {
            string faces = InvariantText.Of($"{Faces} of the {OfFaces} faces measured here");
            string names = ByName == 0 ? "" : ByName == People ? ", by their names" : InvariantText.Of($", {ByName} of them by their names");
            string people = InvariantText.Of($"{People} of the {OfPeople} people measured here{names}");
            string what = People == 0 ? faces : Faces == 0 ? people : InvariantText.Of($"{people}, and {Faces} of the {OfFaces} faces");
            return $"was trained on, or chose its best epoch by, {what}: this says little about people whom it has not seen";
        }
    }
}
