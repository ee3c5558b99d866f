using System.Globalization;
using FaceDistill.Evaluation;

namespace FaceDistill.Pipeline;

/// <summary>From which similarity on two faces count as one person, and how often two strangers reach it.</summary>
/// <param name="Least">The threshold.</param>
/// <param name="Far">The false accept rate measured at it; null where nothing was measured.</param>
/// <param name="ImpostorPairs">On how many pairs; 0 likewise.</param>
/// <param name="Tar">The part of the genuine pairs that reaches it; null likewise.</param>
internal sealed record AuditThreshold(float Least, double? Far, long ImpostorPairs, double? Tar)
{
    private const int MostTail = 1 << 20; // impostor scores kept to count those at a given threshold: 4 MB

    /// <summary>Measures on labelled faces, or counts there what a given threshold accepts.</summary>
    /// <exception cref="FaceDistillException">The faces have no names, or too few impostor pairs for the rate.</exception>
    public static AuditThreshold Of(AuditFaces labelled, AuditRequest request, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        if (request.Threshold is { } given && (labelled.People < 2 || labelled.People == labelled.Set.Count))
        {
            return new AuditThreshold((float)given, null, 0, null);
        }

        if (labelled.People == 0)
        {
            throw new FaceDistillException($"{labelled.Name} has faces without a person's name, so no threshold is measured on it; "
                + "name labelled faces with --calibration DIR|NAME|STORE, or give --threshold X");
        }

        var groups = IdentityGroups.Of(labelled.Set);
        var vectors = ScoredVectors.Of(labelled.Set, groups.Order, ScoreKind.Cosine);
        if (request.Threshold is { } threshold)
        {
            var look = FirstLook.At(vectors, groups, Math.Min(MostTail, groups.ImpostorPairs), progress, cancel);
            bool counted = look.Tail.Bound < (float)threshold; // every score from there on is held
            return !counted ? new AuditThreshold((float)threshold, null, 0, null) : new AuditThreshold(
                (float)threshold, (double)ExactThreshold.FalseAccepts((float)threshold, look.Tail) / groups.ImpostorPairs, groups.ImpostorPairs,
                look.Genuine.Count(score => score >= (float)threshold) / (double)look.Genuine.Length);
        }

        if (FarTargets.Permitted(request.Far, groups.ImpostorPairs) < 1)
        {
            string pairs = groups.ImpostorPairs.ToString("N0", CultureInfo.InvariantCulture);
            throw new FaceDistillException($"{labelled.Name} has {pairs} impostor pairs, too few for a threshold at FAR {FarTargets.Label(request.Far)}; "
                + "name more labelled faces with --calibration DIR|NAME|STORE, or give --threshold X");
        }

        var first = FirstLook.At(vectors, groups, FirstLook.Ranks([request.Far], groups.ImpostorPairs), progress, cancel);
        var point = first.Result([request.Far]).At(request.Far)!;
        return new AuditThreshold(point.Threshold, (double)point.FalseAccepts / groups.ImpostorPairs, groups.ImpostorPairs, point.Tar);
    }
}
