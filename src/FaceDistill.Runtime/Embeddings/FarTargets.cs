using System.Globalization;
using FaceDistill.Files;

namespace FaceDistill.Embeddings;

/// <summary>The false accept rates at which accuracy is told.</summary>
internal static class FarTargets
{
    /// <summary>1e-2, 1e-3, 1e-4, 1e-5 and 1e-6.</summary>
    public static IReadOnlyList<double> Default { get; } = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6];

    /// <summary>The rates that are told of a number of impostor pairs where none are asked for: 1e-1, those of <see cref="Default"/>, and 1e-7 where it
    /// accepts at least <see cref="LeastAccepted"/>.</summary>
    public static IReadOnlyList<double> Usual(long impostorPairs) =>
        Permitted(1e-7, impostorPairs) >= LeastAccepted ? [1e-1, .. Default, 1e-7] : [1e-1, .. Default];

    /// <summary>Fewer accepted impostor pairs make no point of a curve: of ten the count is off by a third by chance alone.</summary>
    public const int LeastAccepted = 10;

    /// <summary>
    /// The rates at which a file's curve of false accepts is kept: 5e-1, 2e-1, 1e-1, 5e-2, ... as far as at least <see cref="LeastAccepted"/> impostor pairs
    /// are accepted.
    /// </summary>
    public static IReadOnlyList<double> Curve(long impostorPairs) =>
    [
        .. from decade in Enumerable.Range(1, 12)
           from digit in (int[])[5, 2, 1]
           let far = InvariantNumber.Of(InvariantText.Of($"{digit}e-{decade}"))
           where Permitted(far, impostorPairs) >= LeastAccepted
           select far,
    ];

    /// <summary>A rate in two digits: 0.0000618 is "6.2e-5".</summary>
    public static string Rounded(double far) => far.ToString("0.#e-0", CultureInfo.InvariantCulture);

    /// <summary>A rate as it stands in tables and in JSON keys: 0.0001 is "1e-4".</summary>
    public static string Label(double far) => far.ToString("0.####e-0", CultureInfo.InvariantCulture);

    /// <summary>
    /// How many false accepts a rate permits: the whole part of rate x pairs, in decimal arithmetic, so that 1e-4 of
    /// 30,000 pairs is 3 and not 2.999.
    /// </summary>
    public static long Permitted(double far, long impostorPairs) => (long)decimal.Floor((decimal)far * impostorPairs);

    /// <summary>Why there is no rate: "too few pairs (7,716 of 10,000)"; a dash where the pairs would do.</summary>
    /// <param name="label">The false accept rate's label.</param>
    /// <param name="impostorPairs">How many pairs of two people there are.</param>
    public static string TooFew(string label, long impostorPairs) =>
        InvariantNumber.Of(label) is var far && Permitted(far, impostorPairs) >= 1 ? "-"
            : InvariantText.Of($"too few pairs ({impostorPairs:N0} of {Needed(far):N0})");

    /// <summary>How many people a rate needs: "10,000 pairs of two people: some 150 photos of different people".</summary>
    public static string Enough(double far)
    {
        double photos = (1 + Math.Sqrt(1 + (8 * (double)Needed(far)))) / 2; // of which each two make a pair
        return InvariantText.Of($"{Needed(far):N0} pairs of two people: some {10 * Math.Ceiling(photos / 10):N0} photos of different people");
    }

    // The least number of impostor pairs that permits one false accept.
    private static decimal Needed(double far) => decimal.Ceiling(1 / (decimal)far);

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
