using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Scoring;

namespace FaceDistill.Evaluation.Uncertainty;

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
