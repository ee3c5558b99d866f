namespace FaceDistill.Evaluation;

/// <summary>Identification of a model, as JSON. Rates are fractions, not percent.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="GalleryImages">Images in the closed set's gallery.</param>
/// <param name="GalleryIdentities">People in it.</param>
/// <param name="Probes">Probes of people in it.</param>
/// <param name="Rank1">The share of them whose own identity comes first.</param>
/// <param name="Rank5">The share of them whose own identity is among the first five.</param>
/// <param name="OpenSet">The search with people who are not in the gallery.</param>
/// <param name="MissingImages">How many images of the user's gallery list the set lacks.</param>
public sealed record IdentificationJson(
    string Name,
    int GalleryImages,
    int GalleryIdentities,
    int Probes,
    double Rank1,
    double Rank5,
    OpenSetJson OpenSet,
    int MissingImages)
{
    /// <summary>The document of a result.</summary>
    public static IdentificationJson Of(IdentificationResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return new IdentificationJson(
            result.Name, result.GalleryImages, result.GalleryIdentities, result.Probes, result.Rank1, result.Rank5,
            OpenSetJson.Of(result.OpenSet), result.MissingImages.Count);
    }
}

/// <summary>An open-set search, as JSON; by false alarm rate ("1e-2"), null where too few unknown probes permit no false alarm.</summary>
/// <param name="GalleryImages">Images in the gallery.</param>
/// <param name="GalleryIdentities">People in the gallery.</param>
/// <param name="KnownProbes">Probes of people in the gallery.</param>
/// <param name="UnknownProbes">Probes of other people.</param>
/// <param name="UnknownIdentities">How many these people are.</param>
/// <param name="DirAtFar">Detection and identification rate at rank 1.</param>
/// <param name="ThresholdAtFar">Cosine threshold.</param>
/// <param name="FalseAlarmsAtFar">Unknown probes at or above the threshold.</param>
public sealed record OpenSetJson(
    int GalleryImages,
    int GalleryIdentities,
    int KnownProbes,
    int UnknownProbes,
    int UnknownIdentities,
    IReadOnlyDictionary<string, double?> DirAtFar,
    IReadOnlyDictionary<string, float?> ThresholdAtFar,
    IReadOnlyDictionary<string, long?> FalseAlarmsAtFar)
{
    /// <summary>The document of a result.</summary>
    public static OpenSetJson Of(OpenSetResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return new OpenSetJson(
            result.GalleryImages, result.GalleryIdentities, result.KnownProbes, result.UnknownProbes, result.UnknownIdentities,
            ByFar(result, point => point?.Dir), ByFar(result, point => point?.Threshold), ByFar(result, point => point?.FalseAlarms));
    }

    private static Dictionary<string, T?> ByFar<T>(OpenSetResult result, Func<DirPoint?, T?> value)
        where T : struct =>
        result.Fars.Select((far, i) => (Key: FarTargets.Label(far), Value: value(result.Points[i])))
            .DistinctBy(entry => entry.Key).ToDictionary(entry => entry.Key, entry => entry.Value);
}
