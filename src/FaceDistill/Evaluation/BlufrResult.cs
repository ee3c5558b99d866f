using MathNet.Numerics.Statistics;

namespace FaceDistill.Evaluation;

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
/// <param name="Trials">Where the trials are from: the lists' folder, or <see cref="BlufrTrials.OwnLabel"/>.</param>
/// <param name="Results">One for each trial.</param>
/// <param name="MissingImages">Listed images that the set lacks, each once.</param>
public sealed record BlufrResult(string Name, string Trials, IReadOnlyList<BlufrTrialResult> Results, IReadOnlyList<string> MissingImages)
{
    /// <summary>The result as that of a model under a protocol; the pairs are those of all trials together.</summary>
    public ModelEvaluation ToModel() => new(
        Name, Results.Max(trial => trial.Images), Results.Sum(trial => trial.GenuinePairs), Results.Sum(trial => trial.ImpostorPairs), null, null, MissingImages)
    {
        Blufr = this,
    };

    /// <summary>Verification rate at FAR 0.1% over the trials.</summary>
    public TrialRate VerificationRate => TrialRate.Of([.. Results.Select(trial => trial.VerificationRate)]);

    /// <summary>Open-set detection and identification rate at rank 1 and a false alarm rate of 1% over the trials.</summary>
    public TrialRate IdentificationRate => TrialRate.Of([.. Results.Select(trial => trial.IdentificationRate)]);
}
