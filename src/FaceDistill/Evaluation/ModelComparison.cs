namespace FaceDistill.Evaluation;

/// <summary>Two models of the same faces compared at one false accept rate, by a paired bootstrap over identities.</summary>
/// <param name="A">The first model's name.</param>
/// <param name="B">The second model's name.</param>
/// <param name="Far">The false accept rate.</param>
/// <param name="Difference">True accept rate of A less that of B, as measured.</param>
/// <param name="Interval95">The 95% interval of the difference.</param>
/// <param name="PValue">Two-sided, for a true difference of 0; never below 2 / (resamples + 1).</param>
public sealed record ModelComparison(string A, string B, double Far, double Difference, Interval Interval95, double PValue)
{
    /// <summary>Compares two models; null where one of them has no resampled rates, or they were not resampled alike.</summary>
    public static ModelComparison? Of(ModelEvaluation a, ModelEvaluation b, double far)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return a.Uncertainty is { } own && b.Uncertainty is { } other && own.Differences(other, far) is { } differences
            && a.AllPairs?.At(far) is { } first && b.AllPairs?.At(far) is { } second
            ? new ModelComparison(a.Name, b.Name, far, first.Tar - second.Tar, Interval.Percentile(differences), TwoSided(differences))
            : null;
    }

    /// <summary>
    /// Twice the smaller share of resamples on either side of 0, those at 0 on both sides; one is added to each count and to
    /// the resamples, so that it is never 0 (Davison and Hinkley 1997, section 4.2).
    /// </summary>
    internal static double TwoSided(IReadOnlyCollection<double> differences)
    {
        int fewer = Math.Min(differences.Count(d => d <= 0), differences.Count(d => d >= 0));
        return Math.Min(1, 2.0 * (fewer + 1) / (differences.Count + 1));
    }
}
