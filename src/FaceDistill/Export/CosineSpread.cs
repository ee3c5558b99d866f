namespace FaceDistill.Export;

/// <summary>How the cosines between two models' embeddings of the same faces are spread.</summary>
/// <param name="Mean">Their mean.</param>
/// <param name="Percentile5">The 5th percentile (nearest rank): one face in twenty is at or below it.</param>
/// <param name="Min">The smallest.</param>
public sealed record CosineSpread(double Mean, double Percentile5, double Min)
{
    /// <summary>The spread of some cosines, at least one; rounding above 1 counts as 1.</summary>
    public static CosineSpread Of(IEnumerable<double> cosines)
    {
        double[] sorted = [.. cosines.Select(c => Math.Min(1, c)).Order()];
        return new CosineSpread(sorted.Average(), sorted[(int)Math.Ceiling(0.05 * sorted.Length) - 1], sorted[0]);
    }
}
