using System.Globalization;
using System.Text.Json.Serialization;
using FaceDistill.Files;
using MathNet.Numerics.Statistics;

namespace FaceDistill.Evaluation.Results;

/// <summary>The outcome of searching probes in a gallery. Rates are fractions, not percent.</summary>
public sealed record IdentificationResult
{
    /// <summary>The model's name.</summary>
    public required string Name { get; init; }

    /// <summary>Images in the closed set's gallery.</summary>
    public required int GalleryImages { get; init; }

    /// <summary>People in it.</summary>
    public required int GalleryIdentities { get; init; }

    /// <summary>Probes of people in it.</summary>
    public required int Probes { get; init; }

    /// <summary>The share of them whose own identity comes first; one that ties with another does not.</summary>
    public required double Rank1 { get; init; }

    /// <summary>The share of them whose own identity is among the first five.</summary>
    public required double Rank5 { get; init; }

    /// <summary>The share of them whose own identity is among the first ten; null where the protocol does not tell.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Rank10 { get; init; }

    /// <summary>The same search in the second of two galleries; null where there is one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public OpenSetResult? SecondGallery { get; init; }

    /// <summary>The search with people who are not in the gallery.</summary>
    public required OpenSetResult OpenSet { get; init; }

    /// <summary>How many images of the user's gallery list the set lacks.</summary>
    public required int MissingImages { get; init; }
}

/// <summary>
/// Open-set identification: probes of people in the gallery and of people who are not (Phillips, Grother, Micheals,
/// "Evaluation methods in face recognition", in Handbook of Face Recognition, 2005: the open-set watch list); by false alarm
/// rate ("1e-2"), null where too few unknown probes permit no false alarm.
/// </summary>
public sealed record OpenSetResult
{
    /// <summary>Images in the gallery.</summary>
    public required int GalleryImages { get; init; }

    /// <summary>People in the gallery.</summary>
    public required int GalleryIdentities { get; init; }

    /// <summary>Probes of people in the gallery.</summary>
    public required int KnownProbes { get; init; }

    /// <summary>Probes of other people.</summary>
    public required int UnknownProbes { get; init; }

    /// <summary>How many these people are.</summary>
    public required int UnknownIdentities { get; init; }

    /// <summary>Detection and identification rate at rank 1.</summary>
    public required IReadOnlyDictionary<string, double?> DirAtFar { get; init; }

    /// <summary>Cosine threshold.</summary>
    public required IReadOnlyDictionary<string, float?> ThresholdAtFar { get; init; }

    /// <summary>Unknown probes at or above the threshold.</summary>
    public required IReadOnlyDictionary<string, long?> FalseAlarmsAtFar { get; init; }

    /// <summary>One for each rate asked for, in their order; null where the unknown probes do not permit one false alarm. Empty where the document was
    /// read.</summary>
    [JsonIgnore]
    internal IReadOnlyList<DirPoint?> Points { get; init; } = [];
}

/// <summary>What a model reaches in open-set identification at one permitted false alarm rate.</summary>
/// <param name="Far">The permitted share of unknown probes that raise an alarm, above 0 and below 1.</param>
/// <param name="Threshold">The smallest float threshold whose measured false alarm rate is not above it; alarm when score >= threshold.</param>
/// <param name="FalseAlarms">Unknown probes whose best score in the gallery reaches the threshold.</param>
/// <param name="Identified">Known probes whose own identity is at rank 1 and reaches the threshold.</param>
/// <param name="Dir">Detection and identification rate: identified by known probes, 0..1.</param>
internal sealed record DirPoint(double Far, float Threshold, long FalseAlarms, int Identified, double Dir);

/// <summary>The templates of IJB-B or IJB-C, whose scores the figures are of.</summary>
/// <param name="Templates">Templates, each of one person.</param>
/// <param name="Media">Photos and videos in them, each counted in each template.</param>
/// <param name="DetectorScores">Whether each face counts by its detector score.</param>
public sealed record IjbResult(int Templates, int Media, bool DetectorScores)
{
    /// <summary>What the field's scripts print for these scores: the true accept rate at the point of the ROC curve whose false accept rate is nearest, above
    /// the wanted one or below; null in 1:N.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyDictionary<string, double?>? PeersTarAtFar { get; init; }

    /// <summary>A line for each model: what was compared, and what the field's scripts print instead.</summary>
    internal static IEnumerable<string> Words(IReadOnlyList<ModelResult> models) =>
        from model in models
        where model.Ijb is not null
        let ijb = model.Ijb!
        let how = InvariantText.Of($"{model.Name}: {model.Images} faces of {ijb.Media} media in {ijb.Templates} templates")
            + (ijb.DetectorScores ? ", weighted by detector score" : "")
        let second = model.Identification?.SecondGallery
        select how + (ijb.PeersTarAtFar is { } peers
            ? "; no intervals (the pair list names no subjects). The field's scripts take the point of the ROC whose FAR is nearest, above or below, and print "
                + string.Join(", ", peers.Select(p => InvariantText.Of($"{p.Value:0.00%} at {p.Key}")))
            : second is null ? ""
            : "; rank-1, 5 and 10 in both galleries at once; DIR (TPIR at FPIR) in the first, and in the second of " + InvariantText.Of(
                $"{second.GalleryIdentities} people, {second.KnownProbes} probes with a mate and {second.UnknownProbes} without: ")
                + string.Join(", ", second.DirAtFar.Select(d => InvariantText.Of($"{(d.Value is { } dir ? dir.ToString("0.00%", CultureInfo.InvariantCulture)
                    : "too few probes")} at {d.Key}")))
                + ". The field's scripts count every wrong entry above the threshold, not every probe, in both galleries at once");
}

/// <summary>The outcome of BLUFR (Liao, Lei, Yi, Li, IJCB 2014). Rates are fractions, not percent.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Trials">Where the trials are from: the lists' folder, or "BLUFR-style, own random trials".</param>
/// <param name="VerificationRate">TAR at FAR 0.1% over the trials.</param>
/// <param name="IdentificationRate">Open-set detection and identification rate at rank 1 and FAR 1% over the trials.</param>
/// <param name="MissingImages">How many images of the lists the set lacks, each counted once.</param>
/// <param name="PerTrial">Each trial.</param>
public sealed record BlufrResult(
    string Name, string Trials, TrialRate VerificationRate, TrialRate IdentificationRate, int MissingImages, IReadOnlyList<BlufrTrialResult> PerTrial);

/// <summary>A rate over trials.</summary>
/// <param name="Mean">Their mean, 0..1.</param>
/// <param name="StandardDeviation">Their sample standard deviation; 0 for one trial.</param>
/// <param name="MeanMinusDeviation">The figure that BLUFR ranks by.</param>
public sealed record TrialRate(double Mean, double StandardDeviation, double MeanMinusDeviation)
{
    /// <summary>Sums up trials, at least one.</summary>
    public static TrialRate Of(IReadOnlyList<double> rates)
    {
        ArgumentNullException.ThrowIfNull(rates);
        double mean = rates.Mean(), deviation = rates.Count > 1 ? rates.StandardDeviation() : 0;
        return new TrialRate(mean, deviation, mean - deviation);
    }
}

/// <summary>The outcome of one BLUFR trial.</summary>
public sealed record BlufrTrialResult
{
    /// <summary>Images of the test set: gallery and probes.</summary>
    public required int Images { get; init; }

    /// <summary>People in it.</summary>
    public required int Identities { get; init; }

    /// <summary>Pairs of one person in the test set.</summary>
    public required long GenuinePairs { get; init; }

    /// <summary>Pairs of two people in it.</summary>
    public required long ImpostorPairs { get; init; }

    /// <summary>Images in the gallery.</summary>
    public required int Gallery { get; init; }

    /// <summary>Probes of people in the gallery.</summary>
    public required int GenuineProbes { get; init; }

    /// <summary>Probes of others.</summary>
    public required int ImpostorProbes { get; init; }

    /// <summary>TAR of all pairs of the test set at FAR 0.1%.</summary>
    public required double VerificationRate { get; init; }

    /// <summary>Its cosine threshold.</summary>
    public required float VerificationThreshold { get; init; }

    /// <summary>Detection and identification rate of the probes in the gallery at rank 1 and a false alarm rate of 1%.</summary>
    public required double IdentificationRate { get; init; }

    /// <summary>Its cosine threshold.</summary>
    public required float IdentificationThreshold { get; init; }
}
