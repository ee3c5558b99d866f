namespace FaceDistill.Evaluation;

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
