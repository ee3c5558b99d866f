using FaceDistill.Teachers;

namespace FaceDistill.Evaluation;

/// <summary>
/// BLUFR (Liao, Lei, Yi, Li, "A benchmark study of large-scale unconstrained face recognition", IJCB 2014): in each trial, all
/// pairs of the test set are verified, and its probes searched in its gallery; told are the verification rate at FAR 0.1% and
/// the detection and identification rate at rank 1 and FAR 1%, as mean minus standard deviation over the trials.
/// </summary>
/// <remarks>
/// The toolkit rounds the number of permitted false accepts to the nearest and takes the last of them as threshold; here the
/// number is rounded down and scores that tie are rejected together, as everywhere in FaceDistill. A probe that ties with
/// another person counts as a miss; the toolkit leaves it to the sort.
/// </remarks>
public static class Blufr
{
    /// <summary>The false accept rate of verification.</summary>
    public const double VerificationFar = 1e-3;

    /// <summary>The false alarm rate of open-set identification.</summary>
    public const double IdentificationFar = 1e-2;

    /// <summary>Runs all trials.</summary>
    /// <param name="set">The embeddings, each with its identity.</param>
    /// <param name="trials">Their test images.</param>
    /// <param name="progress">Told how many trials are done.</param>
    /// <param name="cancel">Stops between tiles.</param>
    /// <exception cref="FaceDistillException">An embedding is unusable, or a trial is too small for the rates.</exception>
    public static BlufrResult Run(EmbeddingSet set, BlufrTrials trials, IProgress<WorkProgress>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(trials);
        var results = new List<BlufrTrialResult>();
        foreach (var (gallery, probes) in trials.Trials)
        {
            results.Add(RunTrial($"{set.Name}, trial {results.Count + 1} of {trials.Label}", set, gallery, probes, cancel));
            progress?.Report(new WorkProgress("BLUFR", results.Count, trials.Trials.Count, "trials"));
        }

        return new BlufrResult(set.Name, trials.Label, results, trials.MissingImages);
    }

    private static BlufrTrialResult RunTrial(string name, EmbeddingSet set, int[] gallery, int[] probes, CancellationToken cancel)
    {
        var part = EmbeddingRows.Take(set, [.. gallery, .. probes], row => set.Identities[row]);
        part = new EmbeddingSet(name, part.Dimension, part.Values, part.Paths, part.Identities); // errors name the trial
        var verification = PairScorer.Score(part, [VerificationFar], null, cancel);
        int[] rows = [.. Enumerable.Range(0, part.Count)];
        var openSet = Identification.OpenSet(
            part, UnitEmbeddings.From(part), rows[..gallery.Length], rows[gallery.Length..], [IdentificationFar], null, cancel);
        return verification.Points[0] is { } point && openSet.Points[0] is not null
            ? new BlufrTrialResult(part.Count, verification.Identities, verification.GenuinePairs, verification.ImpostorPairs, point, openSet)
            : throw new FaceDistillException($"{name}: {verification.ImpostorPairs} impostor pairs and {openSet.UnknownProbes} probes of others "
                + "are too few; FAR 0.1% needs 1000 and FAR 1% needs 100");
    }
}
