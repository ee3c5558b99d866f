using System.Text.Json.Serialization;
using FaceDistill.Embeddings;

namespace FaceDistill.Evaluation.Results;

/// <summary>How a student agrees with its teacher, as JSON. Rates are fractions, not percent.</summary>
/// <param name="Teacher">The teacher's name.</param>
/// <param name="Student">The student's name.</param>
/// <param name="Images">How many images.</param>
/// <param name="Cosine">Cosine between both embeddings of an image.</param>
/// <param name="Histogram">Bins of 0.02, from the first that holds an image to the last.</param>
/// <param name="Worst">The 20 images that agree least; the worst first.</param>
public sealed record AgreementJson(
    string Teacher,
    string Student,
    int Images,
    CosineJson Cosine,
    IReadOnlyList<AgreementBin> Histogram,
    IReadOnlyList<ImageAgreement> Worst)
{
    /// <summary>Teacher-teacher, student-student and teacher-student, in this order; left out where the images have no identity.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<CrossSearchJson>? Search { get; init; }

    /// <summary>The document of both results.</summary>
    /// <param name="agreement">Image by image.</param>
    /// <param name="search">Search across the models; null where there is none.</param>
    public static AgreementJson Of(AgreementResult agreement, CrossModelResult? search)
    {
        ArgumentNullException.ThrowIfNull(agreement);
        return new AgreementJson(
            agreement.Teacher, agreement.Student, agreement.Images,
            new CosineJson(agreement.Mean, agreement.Median, agreement.Percentile5, agreement.Minimum,
                double.IsNaN(agreement.OtherImages) ? null : agreement.OtherImages),
            [.. agreement.Histogram.SkipWhile(bin => bin.Count == 0).Reverse().SkipWhile(bin => bin.Count == 0).Reverse()], agreement.Worst)
        {
            Search = search is null ? null :
            [
                CrossSearchJson.Of(search.Teacher, search.Teacher, search.TeacherTeacher),
                CrossSearchJson.Of(search.Student, search.Student, search.StudentStudent),
                CrossSearchJson.Of(search.Teacher, search.Student, search.TeacherStudent),
            ],
        };
    }
}

/// <summary>The distribution of the agreement of <see cref="AgreementJson"/>.</summary>
/// <param name="Mean">Mean.</param>
/// <param name="Median">Median.</param>
/// <param name="Percentile5">5th percentile.</param>
/// <param name="Minimum">Minimum.</param>
/// <param name="OtherImages">Mean between embeddings of different images: agreement by chance; null with one image.</param>
public sealed record CosineJson(double Mean, double Median, double Percentile5, double Minimum, double? OtherImages);

/// <summary>Accuracy where one model embeds the gallery and another the probes, as JSON.</summary>
/// <param name="Gallery">The model of the one image of each pair.</param>
/// <param name="Probe">The model of the other.</param>
/// <param name="GenuinePairs">Pairs of one person; ordered pairs where the models differ.</param>
/// <param name="ImpostorPairs">Pairs of two people, likewise.</param>
/// <param name="TarAtFar">True accept rate by false accept rate ("1e-4"); null where too few impostor pairs permit none.</param>
/// <param name="ThresholdAtFar">Cosine threshold by false accept rate.</param>
public sealed record CrossSearchJson(
    string Gallery,
    string Probe,
    long GenuinePairs,
    long ImpostorPairs,
    IReadOnlyDictionary<string, double?> TarAtFar,
    IReadOnlyDictionary<string, float?> ThresholdAtFar)
{
    /// <summary>The document of a result.</summary>
    public static CrossSearchJson Of(string gallery, string probe, AllPairsResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return new CrossSearchJson(
            gallery, probe, result.GenuinePairs, result.ImpostorPairs,
            ByFar(result, point => point?.Tar), ByFar(result, point => point?.Threshold));
    }

    private static Dictionary<string, T?> ByFar<T>(AllPairsResult result, Func<FarPoint?, T?> value)
        where T : struct =>
        result.Fars.Select((far, i) => (Key: FarTargets.Label(far), Value: value(result.Points[i])))
            .DistinctBy(entry => entry.Key).ToDictionary(entry => entry.Key, entry => entry.Value);
}

/// <summary>BLUFR's figures for a model, as JSON. Rates are fractions, not percent.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Trials">Where the trials are from; own random ones are called "BLUFR-style, own random trials".</param>
/// <param name="VerificationRate">TAR at FAR 0.1% over the trials.</param>
/// <param name="IdentificationRate">Open-set detection and identification rate at rank 1 and FAR 1% over the trials.</param>
/// <param name="MissingImages">How many images of the lists the set lacks.</param>
/// <param name="PerTrial">Each trial.</param>
public sealed record BlufrJson(
    string Name,
    string Trials,
    TrialRateJson VerificationRate,
    TrialRateJson IdentificationRate,
    int MissingImages,
    IReadOnlyList<BlufrTrialJson> PerTrial)
{
    /// <summary>The document of a result.</summary>
    public static BlufrJson Of(BlufrResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return new BlufrJson(
            result.Name, result.Trials, TrialRateJson.Of(result.VerificationRate), TrialRateJson.Of(result.IdentificationRate),
            result.MissingImages.Count, [.. result.Results.Select(BlufrTrialJson.Of)]);
    }
}

/// <summary>A rate over trials, as JSON.</summary>
/// <param name="Mean">Their mean.</param>
/// <param name="StandardDeviation">Their sample standard deviation.</param>
/// <param name="MeanMinusDeviation">The figure that BLUFR ranks by.</param>
public sealed record TrialRateJson(double Mean, double StandardDeviation, double MeanMinusDeviation)
{
    /// <summary>The document of a rate.</summary>
    public static TrialRateJson Of(TrialRate rate) => new(rate.Mean, rate.StandardDeviation, rate.MeanMinusDeviation);
}

/// <summary>A trial of <see cref="BlufrJson"/>.</summary>
/// <param name="Images">Images of the test set.</param>
/// <param name="Identities">People in it.</param>
/// <param name="GenuinePairs">Pairs of one person.</param>
/// <param name="ImpostorPairs">Pairs of two people.</param>
/// <param name="Gallery">Images in the gallery.</param>
/// <param name="GenuineProbes">Probes of people in the gallery.</param>
/// <param name="ImpostorProbes">Probes of others.</param>
/// <param name="VerificationRate">TAR at FAR 0.1%.</param>
/// <param name="VerificationThreshold">Its cosine threshold.</param>
/// <param name="IdentificationRate">Detection and identification rate at rank 1 and FAR 1%.</param>
/// <param name="IdentificationThreshold">Its cosine threshold.</param>
public sealed record BlufrTrialJson(
    int Images,
    int Identities,
    long GenuinePairs,
    long ImpostorPairs,
    int Gallery,
    int GenuineProbes,
    int ImpostorProbes,
    double VerificationRate,
    float VerificationThreshold,
    double IdentificationRate,
    float IdentificationThreshold)
{
    /// <summary>The document of a trial.</summary>
    public static BlufrTrialJson Of(BlufrTrialResult trial)
    {
        ArgumentNullException.ThrowIfNull(trial);
        return new BlufrTrialJson(
            trial.Images, trial.Identities, trial.GenuinePairs, trial.ImpostorPairs,
            trial.OpenSet.GalleryImages, trial.OpenSet.KnownProbes, trial.OpenSet.UnknownProbes,
            trial.VerificationRate, trial.Verification.Threshold, trial.IdentificationRate, trial.OpenSet.Points[0]!.Threshold);
    }
}

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
