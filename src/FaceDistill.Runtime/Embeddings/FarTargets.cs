using System.Globalization;

namespace FaceDistill.Embeddings;

/// <summary>The false accept rates at which accuracy is told.</summary>
internal static class FarTargets
{
    /// <summary>1e-2, 1e-3, 1e-4, 1e-5 and 1e-6.</summary>
    public static IReadOnlyList<double> Default { get; } = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6];

    /// <summary>
    /// The default rates for a number of impostor pairs: those of <see cref="Default"/>, and before them 1e-1 where there are at
    /// most 500 million. The exact threshold at 1e-1 needs a tenth of all impostor scores in memory, twice over: 400 MB at
    /// that number, 4 GB at 5 thousand million.
    /// </summary>
    public static IReadOnlyList<double> Affordable(long impostorPairs) => impostorPairs <= 500_000_000 ? [1e-1, .. Default] : Default;

    /// <summary>A rate as it stands in tables and in JSON keys: 0.0001 is "1e-4".</summary>
    public static string Label(double far) => far.ToString("0.####e-0", CultureInfo.InvariantCulture);

    /// <summary>
    /// How many false accepts a rate permits: the whole part of rate x pairs, in decimal arithmetic, so that 1e-4 of
    /// 30,000 pairs is 3 and not 2.999.
    /// </summary>
    public static long Permitted(double far, long impostorPairs) => (long)decimal.Floor((decimal)far * impostorPairs);

    /// <summary>Refuses rates that are not above 0 and below 1.</summary>
    /// <exception cref="FaceDistillException">One is not, or there is none.</exception>
    public static void Check(IReadOnlyList<double> fars)
    {
        ArgumentNullException.ThrowIfNull(fars);
        if (fars.Count == 0 || fars.Any(far => !(far >= 1e-12 && far < 1)))
        {
            throw new FaceDistillException($"false accept rates must be at least 1e-12 and below 1, not {string.Join(", ", fars.Select(Label))}");
        }
    }
}
