namespace FaceDistill.Evaluation;

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
