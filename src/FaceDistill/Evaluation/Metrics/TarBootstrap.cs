using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FaceDistill.Embeddings;
using MathNet.Numerics.Random;

namespace FaceDistill.Evaluation.Metrics;

/// <summary>
/// The true accept rates at given false accept rates on resamples of the identities, each with its own exact threshold.
/// </summary>
/// <remarks>
/// An identity drawn m times is m people who look alike: its genuine pairs count m times, pairs of two identities m_i m_j
/// times. Pairs between two copies of one identity are neither genuine nor impostor and are left out: no such pair of
/// different people was ever measured.
/// </remarks>
internal sealed class TarBootstrap
{
    private readonly int[] _tailFirst;
    private readonly int[] _tailSecond;
    private readonly float[] _tailScores;    // falling
    private readonly int[] _genuineIdentity; // by falling score
    private readonly float[] _genuineFallen; // minus the genuine scores, so rising
    private readonly long[] _genuinePairs;   // by identity
    private readonly int[] _sizes;           // images by identity

    /// <param name="look">All genuine scores.</param>
    /// <param name="tail">The highest impostor scores, by falling score.</param>
    /// <param name="number">The number in the resamples of each of the groups' identities.</param>
    public TarBootstrap(ThresholdPass look, TailPair[] tail, int[] number)
    {
        _tailScores = Array.ConvertAll(tail, pair => pair.Score);
        _tailFirst = Array.ConvertAll(tail, pair => number[pair.First]);
        _tailSecond = Array.ConvertAll(tail, pair => number[pair.Second]);
        _genuineFallen = Array.ConvertAll(look.Genuine, score => -score);
        _genuineIdentity = new int[look.Genuine.Length];
        _genuinePairs = new long[number.Length];
        _sizes = new int[number.Length];
        var groups = look.Groups;
        for (int row = 0, at = 0; row < groups.Group.Length; row++)
        {
            int identity = number[groups.Group[row]];
            int partners = groups.End[row] - row - 1;
            _genuineIdentity.AsSpan(at, partners).Fill(identity);
            at += partners;
            _genuinePairs[identity] += partners;
            _sizes[identity]++;
        }

        Array.Sort(_genuineFallen, _genuineIdentity);
    }

    /// <summary>The rates.</summary>
    /// <param name="fars">The false accept rates.</param>
    /// <param name="resamples">The resamples.</param>
    /// <param name="cancel">Stops between batches.</param>
    /// <returns>[fars][resamples]; null for a rate whose threshold lies below the tail in some resample.</returns>
    public double[]?[] Run(IReadOnlyList<double> fars, IdentityResamples resamples, CancellationToken cancel)
    {
        double[][] tars = [.. fars.Select(_ => new double[resamples.Count])];
        bool[] shortOf = new bool[fars.Count];
        Parallel.For(0, resamples.Batches, new ParallelOptions { CancellationToken = cancel }, batch =>
        {
            int[] times = resamples.Draw(batch);
            var (impostors, genuine) = Totals(times);
            long[] most = [.. impostors.Select((pairs, lane) =>
                lane < resamples.InBatch(batch) ? fars.Max(far => FarTargets.Permitted(far, pairs)) : -1)];
            var tail = new WeightedPairCounts(_tailFirst, _tailSecond, times, most);
            var own = new WeightedPairCounts(_genuineIdentity, null, times, null);
            for (int lane = 0; lane < resamples.InBatch(batch); lane++)
            {
                for (int f = 0; f < fars.Count; f++)
                {
                    // The first score that is one false accept too many is rejected, and with it all that tie with it.
                    int rejected = tail.FirstBeyond(FarTargets.Permitted(fars[f], impostors[lane]), lane);
                    if (rejected < 0)
                    {
                        shortOf[f] = true;
                        continue;
                    }

                    tars[f][(batch * IdentityResamples.Lanes) + lane] = (double)own.Before(Above(_tailScores[rejected]), lane) / genuine[lane];
                }
            }
        });
        return [.. tars.Select((tar, f) => shortOf[f] ? null : tar)];
    }

    /// <summary>The weighted numbers of impostor and genuine pairs, by lane.</summary>
    private (long[] Impostors, long[] Genuine) Totals(int[] times)
    {
        const int lanes = IdentityResamples.Lanes;
        long[] images = new long[lanes], squares = new long[lanes], genuine = new long[lanes];
        for (int i = 0; i < _sizes.Length; i++)
        {
            for (int lane = 0; lane < lanes; lane++)
            {
                int m = times[(i * lanes) + lane];
                long own = (long)m * _sizes[i];
                images[lane] += own;
                squares[lane] += own * own;
                genuine[lane] += m * _genuinePairs[i];
            }
        }

        return ([.. images.Zip(squares, (sum, square) => ((sum * sum) - square) / 2)], genuine);
    }

    /// <summary>How many genuine scores are greater than a score.</summary>
    private int Above(float score)
    {
        int low = 0, high = _genuineFallen.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            (low, high) = -_genuineFallen[middle] > score ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}

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

/// <summary>
/// Running sums of weights along a list of pairs by falling score, for the resamples of one batch at a time: a pair of identities
/// i and j weighs m_i m_j, a pair within identity i weighs m_i, m being how often an identity was drawn.
/// </summary>
/// <remarks>Sums are kept at the ends of blocks; inside a block they are added up when asked for.</remarks>
internal sealed class WeightedPairCounts
{
    private const int Lanes = IdentityResamples.Lanes;
    private const int Block = 1024; // 1024 m_i m_j stay below 2^31 up to m = 1448
    private readonly int[] _first;
    private readonly int[]? _second;
    private readonly int[] _times;
    private readonly List<long[]> _sums = [new long[Lanes]]; // at the start of each block, by lane

    /// <param name="first">The identity of each pair, or its first.</param>
    /// <param name="second">The other identity; null for pairs within one.</param>
    /// <param name="times">How often each identity comes: int32 [identities, Lanes].</param>
    /// <param name="enough">For each lane a sum beyond which nothing will be asked; null to add up all.</param>
    public WeightedPairCounts(int[] first, int[]? second, int[] times, long[]? enough)
    {
        (_first, _second, _times) = (first, second, times);
        for (int start = 0; start < first.Length; start += Block)
        {
            long[] sums = [.. _sums[^1]];
            AddBlock(start, Math.Min(first.Length, start + Block), sums);
            _sums.Add(sums);
            if (enough is not null && sums.Zip(enough, (sum, limit) => sum > limit).All(beyond => beyond))
            {
                break;
            }
        }
    }

    /// <summary>The sum of the pairs before a position.</summary>
    public long Before(int position, int lane)
    {
        int block = position / Block;
        long sum = _sums[block][lane];
        for (int i = block * Block; i < position; i++)
        {
            sum += Weight(i, lane);
        }

        return sum;
    }

    /// <summary>The position of the first pair with which the sum is greater than a limit; -1 where none is.</summary>
    public int FirstBeyond(long limit, int lane)
    {
        int block = _sums.FindIndex(sums => sums[lane] > limit) - 1;
        if (block < 0)
        {
            return -1;
        }

        long sum = _sums[block][lane];
        int position = block * Block;
        while ((sum += Weight(position, lane)) <= limit)
        {
            position++;
        }

        return position;
    }

    private long Weight(int pair, int lane)
    {
        long weight = _times[(_first[pair] * Lanes) + lane];
        return _second is null ? weight : weight * _times[(_second[pair] * Lanes) + lane];
    }

    private void AddBlock(int start, int end, long[] sums)
    {
        ref int times = ref MemoryMarshal.GetArrayDataReference(_times);
        var sum = Vector512<int>.Zero;
        int[]? second = _second;
        for (int i = start; i < end; i++)
        {
            sum += second is null ? Row(ref times, _first[i]) : Row(ref times, _first[i]) * Row(ref times, second[i]);
        }

        for (int lane = 0; lane < Lanes; lane++)
        {
            sums[lane] += sum[lane];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Row(ref int times, int identity) => Vector512.LoadUnsafe(ref times, (nuint)identity * Lanes);
}
