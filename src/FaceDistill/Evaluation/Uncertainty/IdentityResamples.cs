using MathNet.Numerics.Random;

namespace FaceDistill.Evaluation.Uncertainty;

/// <summary>
/// Bootstrap resamples of identities: as many as there are, drawn with replacement, so that each comes some number of times.
/// The draws depend on the seed and on the number of identities alone: models of the same people are resampled alike.
/// </summary>
/// <remarks>
/// A draw that leaves no genuine pair, or one identity alone and so no impostor pair, is drawn again: no rate is defined on it.
/// </remarks>
internal sealed class IdentityResamples
{
    /// <summary>Resamples that are worked on together, one in each lane of a vector.</summary>
    public const int Lanes = 16;

    private readonly int _seed;
    private readonly bool[] _genuine;

    /// <param name="seed">The seed.</param>
    /// <param name="count">How many resamples.</param>
    /// <param name="genuine">For each identity, in an order that all models share, whether it has genuine pairs; at least one must.</param>
    public IdentityResamples(int seed, int count, bool[] genuine)
    {
        if (genuine.Length < 2 || !Array.Exists(genuine, has => has))
        {
            throw new ArgumentException("no genuine or no impostor pair", nameof(genuine));
        }

        (_seed, Count, _genuine) = (seed, count, genuine);
    }

    /// <summary>How many resamples there are.</summary>
    public int Count { get; }

    /// <summary>How many batches of <see cref="Lanes"/> they make; the last may be part empty.</summary>
    public int Batches => (Count + Lanes - 1) / Lanes;

    /// <summary>How many resamples a batch has.</summary>
    public int InBatch(int batch) => Math.Min(Lanes, Count - (batch * Lanes));

    /// <summary>How often each identity comes in the resamples of a batch: int32 [identities, Lanes], row-major; unused lanes
    /// are 0.</summary>
    public int[] Draw(int batch)
    {
        int[] times = new int[_genuine.Length * Lanes];
        for (int lane = 0; lane < InBatch(batch); lane++)
        {
            long resample = ((long)batch * Lanes) + lane;
            var random = new Xoshiro256StarStar(SeedOf(resample), threadSafe: false);
            while (!TryDraw(random, times, lane))
            {
            }
        }

        return times;
    }

    private bool TryDraw(Xoshiro256StarStar random, int[] times, int lane)
    {
        for (int i = 0; i < _genuine.Length; i++)
        {
            times[(i * Lanes) + lane] = 0;
        }

        bool anyGenuine = false, anyImpostor = false;
        int first = -1;
        for (int i = 0; i < _genuine.Length; i++)
        {
            int drawn = random.Next(_genuine.Length);
            times[(drawn * Lanes) + lane]++;
            anyGenuine |= _genuine[drawn];
            first = first < 0 ? drawn : first;
            anyImpostor |= drawn != first;
        }

        return anyGenuine && anyImpostor;
    }

    /// <summary>A seed for each resample; the generator spreads it over its state (SplitMix64), so neighbours are unlike.</summary>
    private int SeedOf(long resample) => unchecked((_seed * 1_000_003) + (int)resample);
}
