using MathNet.Numerics.Statistics;

namespace FaceDistill.Evaluation.Results;

/// <summary>What a model reaches in open-set identification at one permitted false alarm rate.</summary>
/// <param name="Far">The permitted share of unknown probes that raise an alarm, above 0 and below 1.</param>
/// <param name="Threshold">The smallest float threshold whose measured false alarm rate is not above it; alarm when score >= threshold.</param>
/// <param name="FalseAlarms">Unknown probes whose best score in the gallery reaches the threshold.</param>
/// <param name="Identified">Known probes whose own identity is at rank 1 and reaches the threshold.</param>
/// <param name="Dir">Detection and identification rate: identified by known probes, 0..1.</param>
public sealed record DirPoint(double Far, float Threshold, long FalseAlarms, int Identified, double Dir);

/// <summary>
/// Open-set identification: probes of people in the gallery and of people who are not (Phillips, Grother, Micheals,
/// "Evaluation methods in face recognition", in Handbook of Face Recognition, 2005: the open-set watch list).
/// </summary>
/// <param name="GalleryImages">Images in the gallery.</param>
/// <param name="GalleryIdentities">People in the gallery.</param>
/// <param name="KnownProbes">Probes of people in the gallery.</param>
/// <param name="UnknownProbes">Probes of other people.</param>
/// <param name="UnknownIdentities">How many these people are.</param>
/// <param name="Fars">The false alarm rates asked for.</param>
/// <param name="Points">One for each rate, in their order; null where the unknown probes do not permit one false alarm.</param>
public sealed record OpenSetResult(
    int GalleryImages,
    int GalleryIdentities,
    int KnownProbes,
    int UnknownProbes,
    int UnknownIdentities,
    IReadOnlyList<double> Fars,
    IReadOnlyList<DirPoint?> Points)
{
    /// <summary>The point at a rate, or null where it was refused or not asked for.</summary>
    public DirPoint? At(double far) => Points.FirstOrDefault(point => point?.Far == far);
}

/// <summary>The outcome of searching probes in a gallery.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="GalleryImages">Images in the closed set's gallery.</param>
/// <param name="GalleryIdentities">People in it.</param>
/// <param name="Probes">Probes of people in it.</param>
/// <param name="Rank1">The share of them whose own identity comes first, 0..1; one that ties with another does not.</param>
/// <param name="Rank5">The share of them whose own identity is among the first five.</param>
/// <param name="OpenSet">With people who are not in the gallery.</param>
/// <param name="MissingImages">Images of the user's gallery list that the set lacks.</param>
public sealed record IdentificationResult(
    string Name,
    int GalleryImages,
    int GalleryIdentities,
    int Probes,
    double Rank1,
    double Rank5,
    OpenSetResult OpenSet,
    IReadOnlyList<string> MissingImages)
{
    /// <summary>Pairs of a gallery image and a probe of one person, in the closed set.</summary>
    public long GenuinePairs { get; init; }

    /// <summary>The other pairs of a gallery image and a probe, in the closed set.</summary>
    public long ImpostorPairs { get; init; }

    /// <summary>The result as that of a model under a protocol.</summary>
    public ModelEvaluation ToModel() => new(Name, GalleryImages + Probes, GenuinePairs, ImpostorPairs, null, null, MissingImages) { Identification = this };
}

/// <summary>The outcome of one BLUFR trial.</summary>
/// <param name="Images">Images of the test set: gallery and probes.</param>
/// <param name="Identities">People in it.</param>
/// <param name="GenuinePairs">Pairs of one person in the test set.</param>
/// <param name="ImpostorPairs">Pairs of two people in it.</param>
/// <param name="Verification">All pairs of the test set, at FAR 0.1%.</param>
/// <param name="OpenSet">The probes searched in the gallery, at a false alarm rate of 1%.</param>
public sealed record BlufrTrialResult(
    int Images, int Identities, long GenuinePairs, long ImpostorPairs, FarPoint Verification, OpenSetResult OpenSet)
{
    /// <summary>Verification rate (TAR) at FAR 0.1%, 0..1.</summary>
    public double VerificationRate => Verification.Tar;

    /// <summary>Detection and identification rate at rank 1 and a false alarm rate of 1%, 0..1.</summary>
    public double IdentificationRate => OpenSet.Points[0]!.Dir;
}

/// <summary>A rate over trials.</summary>
/// <param name="Mean">Their mean, 0..1.</param>
/// <param name="StandardDeviation">Their sample standard deviation; 0 for one trial.</param>
public readonly record struct TrialRate(double Mean, double StandardDeviation)
{
    /// <summary>Mean minus standard deviation: the figure that BLUFR ranks by.</summary>
    public double MeanMinusDeviation => Mean - StandardDeviation;

    /// <summary>Sums up trials, at least one.</summary>
    public static TrialRate Of(IReadOnlyList<double> rates)
    {
        ArgumentNullException.ThrowIfNull(rates);
        return new TrialRate(rates.Mean(), rates.Count > 1 ? rates.StandardDeviation() : 0);
    }
}

/// <summary>The outcome of BLUFR (Liao, Lei, Yi, Li, IJCB 2014).</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Trials">Where the trials are from: the lists' folder, or the label of own trials.</param>
/// <param name="Results">One for each trial.</param>
/// <param name="MissingImages">Listed images that the set lacks, each once.</param>
public sealed record BlufrResult(string Name, string Trials, IReadOnlyList<BlufrTrialResult> Results, IReadOnlyList<string> MissingImages)
{
    /// <summary>The result as that of a model under a protocol; the pairs are those of all trials together.</summary>
    public ModelEvaluation ToModel() => new(
        Name, Results.Max(trial => trial.Images), Results.Sum(trial => trial.GenuinePairs), Results.Sum(trial => trial.ImpostorPairs), null, null,
            MissingImages)
    {
        Blufr = this,
    };

    /// <summary>Verification rate at FAR 0.1% over the trials.</summary>
    public TrialRate VerificationRate => TrialRate.Of([.. Results.Select(trial => trial.VerificationRate)]);

    /// <summary>Open-set detection and identification rate at rank 1 and a false alarm rate of 1% over the trials.</summary>
    public TrialRate IdentificationRate => TrialRate.Of([.. Results.Select(trial => trial.IdentificationRate)]);
}

/// <summary>How probes are searched in a gallery.</summary>
/// <param name="Gallery">Paths of the gallery's images, with or without extension; null for the first image of each identity.</param>
/// <param name="UnknownShare">The share of the gallery's identities that the open-set search takes out of it, at least 0 and below 1, to have
/// probes of unknown people; null for none where the gallery lacks people anyway, and otherwise a half.</param>
/// <param name="Seed">Decides who is taken out.</param>
/// <param name="Fars">The false alarm rates; null for 1e-2 and 1e-3.</param>
public sealed record IdentificationOptions(
    IReadOnlyList<string>? Gallery = null, double? UnknownShare = null, long Seed = 1, IReadOnlyList<double>? Fars = null)
{
    /// <summary>1e-2 and 1e-3.</summary>
    public static IReadOnlyList<double> DefaultFars { get; } = [1e-2, 1e-3];
}
