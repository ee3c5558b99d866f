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
    private readonly int[]? _sizes;          // images by identity; null where the pairs are those of a list

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

    /// <summary>Pairs of a list: a pair of two identities counts as often as both are drawn together, m_i m_j times, whatever pairs the list leaves out.
    /// </summary>
    /// <param name="genuine">Genuine scores with their identity.</param>
    /// <param name="impostors">All impostor scores, by falling score, with their two identities.</param>
    public TarBootstrap((float[] Scores, int[] Identities) genuine, (float[] Scores, int[] First, int[] Second) impostors)
    {
        (_tailScores, _tailFirst, _tailSecond) = impostors;
        (_genuineFallen, _genuineIdentity, _genuinePairs) = (Array.ConvertAll(genuine.Scores, score => -score), [.. genuine.Identities], []);
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
            var own = new WeightedPairCounts(_genuineIdentity, null, times, null);
            var all = _sizes is null ? new WeightedPairCounts(_tailFirst, _tailSecond, times, null) : null;
            var (impostors, genuine) = _sizes is null ? (all!.Total, own.Total) : Totals(times, _sizes);
            long[] most = [.. impostors.Select((pairs, lane) =>
                lane < resamples.InBatch(batch) ? fars.Max(far => FarTargets.Permitted(far, pairs)) : -1)];
            var tail = all ?? new WeightedPairCounts(_tailFirst, _tailSecond, times, most);
            for (int lane = 0; lane < resamples.InBatch(batch); lane++)
            {
                for (int f = 0; f < fars.Count; f++)
                {
                    if (_sizes is null && genuine[lane] == 0)
                    {
                        shortOf[f] = true; // a list need not have a pair of every person
                        continue;
                    }

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

    /// <summary>The false accept rates of given thresholds.</summary>
    /// <param name="thresholds">The thresholds.</param>
    /// <param name="bound">What the tail's scores exceed: below it not all are known.</param>
    /// <param name="resamples">The resamples.</param>
    /// <param name="cancel">Stops between batches.</param>
    /// <returns>[thresholds][resamples]; null for a threshold that the tail does not reach.</returns>
    public double[]?[] FalseAcceptRates(IReadOnlyList<float> thresholds, float bound, IdentityResamples resamples, CancellationToken cancel)
    {
        double[]?[] rates = [.. thresholds.Select(threshold => threshold > bound ? new double[resamples.Count] : null)];
        int[] accepted = [.. thresholds.Select((threshold, t) => rates[t] is null ? 0 : Accepted(threshold))];
        int most = accepted.DefaultIfEmpty().Max();
        int[] first = _tailFirst[..most], second = _tailSecond[..most];
        Parallel.For(0, most == 0 ? 0 : resamples.Batches, new ParallelOptions { CancellationToken = cancel }, batch =>
        {
            int[] times = resamples.Draw(batch);
            var tail = new WeightedPairCounts(first, second, times, null);
            long[] impostors = Totals(times, _sizes!).Impostors;
            for (int lane = 0; lane < resamples.InBatch(batch); lane++)
            {
                for (int t = 0; t < rates.Length; t++)
                {
                    if (rates[t] is { } rate)
                    {
                        rate[(batch * IdentityResamples.Lanes) + lane] = (double)tail.Before(accepted[t], lane) / impostors[lane];
                    }
                }
            }
        });
        return rates;
    }

    /// <summary>How many of the tail's scores reach a threshold.</summary>
    private int Accepted(float threshold)
    {
        int low = 0, high = _tailScores.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            (low, high) = _tailScores[middle] >= threshold ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    /// <summary>The weighted numbers of impostor and genuine pairs, by lane.</summary>
    private (long[] Impostors, long[] Genuine) Totals(int[] times, int[] sizes)
    {
        const int lanes = IdentityResamples.Lanes;
        long[] images = new long[lanes], squares = new long[lanes], genuine = new long[lanes];
        for (int i = 0; i < sizes.Length; i++)
        {
            for (int lane = 0; lane < lanes; lane++)
            {
                int m = times[(i * lanes) + lane];
                long own = (long)m * sizes[i];
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
