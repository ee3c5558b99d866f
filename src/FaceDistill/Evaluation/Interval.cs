using MathNet.Numerics.Statistics;

namespace FaceDistill.Evaluation;

/// <summary>A 95% interval.</summary>
/// <param name="Low">Its lower end.</param>
/// <param name="High">Its upper end.</param>
public readonly record struct Interval(double Low, double High)
{
    /// <summary>
    /// The percentile interval of a bootstrap (Efron 1979): from the 2.5% to the 97.5% quantile of the resampled values,
    /// which MathNet interpolates (Hyndman and Fan's definition 8).
    /// </summary>
    /// <param name="resampled">The values, in any order; not changed.</param>
    public static Interval Percentile(IEnumerable<double> resampled)
    {
        double[] sorted = [.. resampled.Order()];
        return new Interval(SortedArrayStatistics.Quantile(sorted, 0.025), SortedArrayStatistics.Quantile(sorted, 0.975));
    }
}
