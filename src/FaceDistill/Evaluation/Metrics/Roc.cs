using System.Numerics;
using FaceDistill.Evaluation.Results;

namespace FaceDistill.Evaluation.Metrics;

/// <summary>
/// Counts how many impostor scores fall below, between and upon the genuine scores, exactly: all that the ROC curve needs
/// to know of them. Beside it counts them in bins, for plots.
/// </summary>
/// <remarks>
/// A fine grid finds the place: the cell of a score grows with the score, so the genuine scores of lower cells are lower and
/// those of higher cells are higher, and only those in its own cell are compared with it.
/// </remarks>
internal sealed class RocCounter
{
    private const int HistogramBins = 256, FewestCells = 1 << 12, MostCells = 1 << 20;
    private const int ManyRungs = 16; // in one cell: from there on halving is faster than walking

    private readonly float[] _scores;      // the distinct genuine ones, ascending: K of them
    private readonly (float Low, float High) _range;
    private readonly float _scale;         // cells per unit of score
    private readonly int[] _start;         // [cells + 1]: how many distinct genuine scores lie in lower cells
    private readonly Rung[][] _rungs;      // [worker][K + 1]; the last is above all scores
    private readonly uint[][] _bins;       // [worker][HistogramBins]
    private readonly long[] _since;        // [worker]: scores counted since the counters were emptied
    private readonly long[] _places;       // [2K + 1], what has been emptied from the rungs
    private readonly long[] _impostorBins;

    private struct Rung
    {
        public float Score;
        public uint Below; // impostors between the rung before and this one
        public uint Upon;  // impostors equal to it
    }

    /// <param name="sorted">All genuine scores, ascending; at least one.</param>
    /// <param name="range">Where the grid begins and ends; scores beyond count in its outermost cells.</param>
    /// <param name="workers">How many threads add.</param>
    public RocCounter(ReadOnlySpan<float> sorted, (float Low, float High) range, int workers)
    {
        var (scores, counts) = Distinct(sorted);
        (_scores, Genuine, _range) = (scores, counts, range);
        int cells = (int)Math.Clamp(BitOperations.RoundUpToPowerOf2(4u * (uint)scores.Length), FewestCells, MostCells);
        _scale = range.High > range.Low ? cells / (range.High - range.Low) : 0;
        _start = new int[cells + 1];
        foreach (float score in scores)
        {
            _start[Cell(score, cells) + 1]++;
        }

        for (int cell = 0; cell < cells; cell++)
        {
            _start[cell + 1] += _start[cell];
        }

        _rungs = [.. Enumerable.Range(0, workers).Select(_ => (Rung[])[.. scores.Append(float.PositiveInfinity).Select(score => new Rung { Score = score })])];
        _bins = [.. Enumerable.Range(0, workers).Select(_ => new uint[HistogramBins])];
        _since = new long[workers];
        _places = new long[(2 * scores.Length) + 1];
        _impostorBins = new long[HistogramBins];
    }

    /// <summary>How often each of the K distinct genuine scores comes, by rising score.</summary>
    public int[] Genuine { get; }

    /// <summary>Counts impostor scores; each worker from its own thread.</summary>
    public void Add(int worker, ReadOnlySpan<float> impostors)
    {
        if ((_since[worker] += impostors.Length) > uint.MaxValue)
        {
            Empty(worker);
            _since[worker] = impostors.Length;
        }

        var rungs = _rungs[worker];
        uint[] bins = _bins[worker];
        int[] start = _start;
        int cells = start.Length - 1;
        int perBin = BitOperations.Log2((uint)cells / HistogramBins);
        foreach (float score in impostors)
        {
            int cell = Cell(score, cells);
            bins[cell >> perBin]++;
            int rung = start[cell];
            if (start[cell + 1] - rung > ManyRungs)
            {
                int found = _scores.AsSpan(rung, start[cell + 1] - rung).BinarySearch(score);
                rung += found < 0 ? ~found : found;
            }

            while (rungs[rung].Score < score)
            {
                rung++; // ends at the latest with the first rung of a higher cell
            }

            ref var place = ref rungs[rung];
            if (place.Score == score)
            {
                place.Upon++;
            }
            else
            {
                place.Below++;
            }
        }
    }

    /// <summary>Impostors by place, long [2K + 1]: 2k counts those between genuine score k - 1 and k, 2k + 1 those equal to k.</summary>
    public long[] Places()
    {
        EmptyAll();
        return [.. _places];
    }

    /// <summary>Impostors and genuine pairs in equal bins of the grid, for plots; the outermost bins also hold what lies beyond.</summary>
    public ScoreHistogram Histogram()
    {
        EmptyAll();
        long[] genuine = new long[HistogramBins];
        int cells = _start.Length - 1;
        for (int k = 0; k < _scores.Length; k++)
        {
            genuine[Cell(_scores[k], cells) / (cells / HistogramBins)] += Genuine[k];
        }

        return new ScoreHistogram(_range.Low, _range.High, genuine, [.. _impostorBins]);
    }

    /// <summary>Rounding keeps the order, so this grows with the score.</summary>
    private int Cell(float score, int cells) => (int)Math.Clamp((score - _range.Low) * _scale, 0, cells - 1);

    private void EmptyAll()
    {
        for (int worker = 0; worker < _since.Length; worker++)
        {
            Empty(worker);
            _since[worker] = 0;
        }
    }

    /// <summary>Moves a worker's counts to the sums: 32 bits stay in the cache better, and would overflow some day.</summary>
    private void Empty(int worker)
    {
        lock (_places)
        {
            var rungs = _rungs[worker];
            for (int k = 0; k < rungs.Length; k++)
            {
                _places[2 * k] += rungs[k].Below;
                if (rungs[k].Upon > 0)
                {
                    _places[(2 * k) + 1] += rungs[k].Upon;
                }

                (rungs[k].Below, rungs[k].Upon) = (0, 0);
            }

            for (int bin = 0; bin < HistogramBins; bin++)
            {
                _impostorBins[bin] += _bins[worker][bin];
                _bins[worker][bin] = 0;
            }
        }
    }

    private static (float[] Scores, int[] Counts) Distinct(ReadOnlySpan<float> sorted)
    {
        var scores = new List<float>(sorted.Length);
        var counts = new List<int>(sorted.Length);
        foreach (float score in sorted)
        {
            if (scores.Count == 0 || scores[^1] != score)
            {
                scores.Add(score);
                counts.Add(0);
            }

            counts[^1]++;
        }

        return ([.. scores], [.. counts]);
    }
}

/// <summary>
/// The ROC curve through every threshold: its corners are the counts of false and true accepts, joined by straight lines.
/// </summary>
/// <remarks>
/// Between two genuine scores the true accepts stay and the false ones grow; upon a genuine score both grow, and a straight
/// line joins the two ends, as is usual for ties (the area is then the Mann-Whitney statistic with ties counted half).
/// </remarks>
internal sealed class ExactRoc
{
    // NIST 2016 Speaker Recognition Evaluation Plan, section 3: C_miss = C_fa = 1, and P_target = 0.01 for the first of its two points.
    private const double TargetPrior = 0.01, MissCost = 1, FalseAcceptCost = 1;
    private readonly long _genuine;
    private readonly long _impostors;
    private readonly long[] _places;
    private readonly int[] _counts;

    /// <param name="counts">How often each of K distinct genuine scores comes, by rising score.</param>
    /// <param name="places">Impostors, as <see cref="RocCounter.Places"/>.</param>
    public ExactRoc(int[] counts, long[] places)
    {
        (_counts, _places) = (counts, places);
        _genuine = counts.Sum(count => (long)count);
        _impostors = places.Sum();
    }

    /// <summary>
    /// The area under the curve: the share of all (genuine, impostor) couples of scores in which the genuine one is higher, ties
    /// counted half. Counted in whole numbers, divided once.
    /// </summary>
    public double Auc()
    {
        Int128 halves = 0;
        long above = 0; // genuine scores above the place
        for (int k = _counts.Length - 1; k >= 0; k--)
        {
            halves += (Int128)2 * above * _places[(2 * k) + 2];
            halves += (Int128)_places[(2 * k) + 1] * ((2 * above) + _counts[k]);
            above += _counts[k];
        }

        halves += (Int128)2 * above * _places[0];
        return (double)halves / ((double)_genuine * _impostors * 2);
    }

    /// <summary>The equal error rate: where the curve crosses false accept rate = false reject rate.</summary>
    public double Eer()
    {
        double far = 0, gap = -1; // gap: false accept rate less false reject rate, from -1 to 1 along the curve
        foreach (var (falseAccepts, trueAccepts) in Corners())
        {
            double nextFar = (double)falseAccepts / _impostors;
            double next = nextFar - (1 - ((double)trueAccepts / _genuine));
            if (next >= 0)
            {
                return far + ((nextFar - far) * (-gap / (next - gap)));
            }

            (far, gap) = (nextFar, next);
        }

        throw new InvalidOperationException("the curve does not end at 1");
    }

    /// <summary>
    /// The least detection cost over all thresholds, P_target C_miss P_miss + (1 - P_target) C_fa P_fa, divided by that of
    /// the better of accepting and rejecting everybody: 0 is perfect, 1 is useless.
    /// </summary>
    public double MinDcf()
    {
        double Cost(long falseAccepts, long trueAccepts) =>
            (TargetPrior * MissCost * (1 - ((double)trueAccepts / _genuine))) + ((1 - TargetPrior) * FalseAcceptCost * falseAccepts / _impostors);
        double useless = Math.Min(TargetPrior * MissCost, (1 - TargetPrior) * FalseAcceptCost);
        return Math.Min(useless, Corners().Min(corner => Cost(corner.FalseAccepts, corner.TrueAccepts))) / useless;
    }

    /// <summary>Points of the curve at rates spaced evenly in logarithm from one impostor pair to all of them.</summary>
    /// <param name="perDecade">Points for each factor of ten.</param>
    /// <returns>By rising false accept rate; the true accept rate is what the smallest threshold that holds the rate reaches.</returns>
    public RocPoint[] Sample(int perDecade)
    {
        int points = Math.Max(2, (int)Math.Ceiling(Math.Log10(_impostors) * perDecade) + 1);
        long[] permitted = [.. Enumerable.Range(0, points)
            .Select(i => (long)Math.Floor(Math.Pow(_impostors, (double)i / (points - 1)))).Append(_impostors).Distinct()];
        var result = new RocPoint[permitted.Length];
        int at = 0;
        long reached = 0;
        foreach (var (falseAccepts, trueAccepts) in Corners().Append((long.MaxValue, _genuine)))
        {
            for (; at < permitted.Length && permitted[at] < falseAccepts; at++)
            {
                result[at] = new RocPoint((double)permitted[at] / _impostors, (double)reached / _genuine);
            }

            reached = trueAccepts;
        }

        return result;
    }

    /// <summary>The corners after (0, 0), by falling threshold.</summary>
    private IEnumerable<(long FalseAccepts, long TrueAccepts)> Corners()
    {
        long falseAccepts = 0, trueAccepts = 0;
        for (int k = _counts.Length - 1; k >= 0; k--)
        {
            yield return (falseAccepts += _places[(2 * k) + 2], trueAccepts);
            falseAccepts += _places[(2 * k) + 1];
            yield return (falseAccepts, trueAccepts += _counts[k]);
        }

        yield return (falseAccepts + _places[0], trueAccepts);
    }
}
