using System.Numerics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Formats;
using FaceDistill.Kernels;

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
    private const int FewestCells = 1 << 12, MostCells = 1 << 20;
    private const int ManyRungs = 16; // in one cell: from there on halving is faster than walking

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
        (Scores, Genuine, Range) = (scores, counts, range);
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

    /// <summary>Bins for plots.</summary>
    public const int HistogramBins = 256;

    /// <summary>The distinct genuine scores, ascending: K of them.</summary>
    public float[] Scores { get; }

    /// <summary>How often each of <see cref="Scores"/> comes.</summary>
    public int[] Genuine { get; }

    /// <summary>Where the grid begins and ends.</summary>
    public (float Low, float High) Range { get; }

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
                rung = Halve(score, rung, start[cell + 1]);
            }

            while (rungs[rung].Score < score)
            {
                rung++; // ends at the latest with the first rung of a higher cell
            }

            ref var found = ref rungs[rung];
            if (found.Score == score)
            {
                found.Upon++;
            }
            else
            {
                found.Below++;
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
        for (int k = 0; k < Scores.Length; k++)
        {
            genuine[Cell(Scores[k], cells) / (cells / HistogramBins)] += Genuine[k];
        }

        return new ScoreHistogram(Range.Low, Range.High, genuine, [.. _impostorBins]);
    }

    private int Halve(float score, int first, int end)
    {
        int found = Scores.AsSpan(first, end - first).BinarySearch(score);
        return first + (found < 0 ? ~found : found);
    }

    /// <summary>Rounding keeps the order, so this grows with the score.</summary>
    private int Cell(float score, int cells) => (int)Math.Clamp((score - Range.Low) * _scale, 0, cells - 1);

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
