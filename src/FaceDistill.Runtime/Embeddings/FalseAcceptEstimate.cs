using FaceDistill.Files;

namespace FaceDistill.Embeddings;

/// <summary>How many pairs of two people are at least as alike as a given similarity: the false accept rate at which a pair of it would just be
/// accepted.</summary>
/// <param name="Rate">The rate, above 0 and below 1, between the two that were measured; null beyond the measured ones.</param>
/// <param name="AtLeast">The measured rate of the next threshold at or above the similarity; 0 beyond the last.</param>
/// <param name="AtMost">The measured rate of the next threshold at or below it; 1 below the first.</param>
/// <param name="ImpostorPairs">On how many pairs of two people it was measured.</param>
/// <param name="Protocol">By which protocol.</param>
public sealed record FalseAcceptEstimate(double? Rate, double AtLeast, double AtMost, long ImpostorPairs, string Protocol)
{
    /// <summary>The 95% interval of the rate, [low, high], by resampling the people who were measured; null where it is not known.</summary>
    public IReadOnlyList<double>? Interval95 { get; init; }

    /// <summary>The rate in short, for example "6.2e-5", "at most 2e-6" or "at least 5e-1".</summary>
    public override string ToString() => Rate is { } rate ? FarTargets.Rounded(rate)
        : AtLeast == 0 ? "at most " + FarTargets.Rounded(AtMost) : "at least " + FarTargets.Rounded(AtLeast);
}

/// <summary>The false accept rate as a curve over the similarity, from measured thresholds.</summary>
/// <remarks>
/// The points are the thresholds of a file, each with the rate that it holds exactly; between two neighbours the rate's logarithm is taken as linear in the
/// similarity, for the scores of impostors fall off about exponentially in their tail (NIST's reports draw FAR on a logarithmic axis over the threshold for
/// that
/// reason). So the curve never rises, and it agrees with what was measured at every point. Nothing is extrapolated: beyond the outermost points a bound is told
/// instead of a rate. A point counts where at least <see cref="FarTargets.LeastAccepted"/> impostor pairs were accepted.
/// </remarks>
internal static class FalseAcceptCurve
{
    /// <summary>The rate at a similarity.</summary>
    /// <param name="thresholds">Measured ones, in any order.</param>
    /// <param name="similarity">A cosine.</param>
    /// <returns>Null where no threshold was measured on enough pairs.</returns>
    public static FalseAcceptEstimate? At(IReadOnlyList<StudentThreshold> thresholds, float similarity)
    {
        ArgumentNullException.ThrowIfNull(thresholds);
        if (float.IsNaN(similarity))
        {
            throw new ArgumentOutOfRangeException(nameof(similarity), "the similarity is no number: an embedding is zero");
        }

        // Of thresholds that tie, the one of the smallest rate says most; one that is higher than another but of no smaller rate says nothing.
        var points = new List<StudentThreshold>();
        foreach (var point in thresholds.Where(t => FarTargets.Permitted(t.Far, t.ImpostorPairs) >= FarTargets.LeastAccepted)
            .OrderByDescending(t => t.Far).ThenBy(t => t.Threshold))
        {
            while (points.Count > 0 && points[^1].Threshold >= point.Threshold)
            {
                points.RemoveAt(points.Count - 1);
            }

            points.Add(point);
        }

        if (points.Count == 0)
        {
            return null;
        }

        int above = points.FindIndex(p => p.Threshold >= similarity);
        var (low, high) = (above < 0 ? points[^1] : above > 0 ? points[above - 1] : null, above < 0 ? null : points[above]);
        var known = (high ?? low)!;
        var exact = high is not null && high.Threshold == similarity ? high : null;
        double part = low is null || high is null ? 0 : ((double)similarity - low.Threshold) / ((double)high.Threshold - low.Threshold);
        return new FalseAcceptEstimate(
            exact?.Far ?? (low is null || high is null ? null : Between(low.Far, high.Far, part)), exact?.Far ?? high?.Far ?? 0, exact?.Far ?? low?.Far ?? 1,
            known.ImpostorPairs, known.Protocol)
        {
            Interval95 = exact is not null ? exact.FarInterval95
                : low?.FarInterval95 is [var a, var b] && high?.FarInterval95 is [var c, var d] ? [Between(a, c, part), Between(b, d, part)] : null,
        };
    }

    // Linear in the logarithm; 0 where one of them is.
    private static double Between(double from, double to, double part) => from <= 0 || to <= 0
        ? 0
        : Math.Exp(((1 - part) * Math.Log(from)) + (part * Math.Log(to)));
}
