using System.Numerics.Tensors;

namespace FaceDistill.Evaluation.Scoring;

/// <summary>Impostor scores by their rank.</summary>
internal interface IRankedScores
{
    /// <summary>The score of a rank that was asked for: 1 is the highest.</summary>
    float ScoreAt(long rank);

    /// <summary>How many scores are greater than the score of such a rank.</summary>
    long CountAbove(float score);
}

/// <summary>
/// The impostor scores of ranks too deep for all scores up to them to be held: found exactly, by two looks at all scores, in memory that does not grow with
/// the ranks.
/// </summary>
/// <remarks>
/// The first look counts in cells what differs from each score by the vectors' allowance at most. That pins each rank to a cell, widened by the allowance on
/// both sides. The second counts the scores above that window, and those in it by their value, which are not many: scores are multiples of 2^-32 (distances
/// are floats), and a window is some 2^-13 wide. So no score that counts is rounded.
/// </remarks>
internal sealed class DeepRanks : IRankedScores
{
    /// <summary>The memory that a worker takes in the first look, and each rank in the second: bytes.</summary>
    public const int BytesOfWorker = Cells * sizeof(long), BytesOfRank = 8 << 20;

    private const int Cells = 1 << 17;

    private readonly ScoredPairs _pairs;
    private readonly TopImpostorScores _top;
    private readonly float _floor;
    private readonly int _cellBits;     // a cell is this power of two of steps wide
    private readonly long _allowance;   // in steps
    private readonly long[][] _cells;   // [worker][cell]
    private readonly Window[] _windows; // by rising rank, so by falling score

    /// <param name="pairs">The pairs.</param>
    /// <param name="ranks">The ranks, from 1, beyond those of <paramref name="top"/>.</param>
    /// <param name="top">The scores of all ranks before.</param>
    /// <param name="floor">What is not above it need not be counted; where that pins not every rank, all is done again with minus infinity.</param>
    /// <param name="workers">How many threads add.</param>
    public DeepRanks(ScoredPairs pairs, IEnumerable<long> ranks, TopImpostorScores top, float floor, int workers)
    {
        (_pairs, _top, _floor) = (pairs, top, floor);
        _cellBits = pairs.Rows.Cosine ? 17 : 15;
        _allowance = pairs.Rows.Cosine ? (long)Math.Ceiling(pairs.Rows.Allowance * Scale) + 1 : 0;
        _windows = [.. ranks.Distinct().Order().Select(rank => new Window(rank))];
        _cells = [.. Enumerable.Range(0, workers).Select(_ => new long[Cells])];
    }

    private const double Scale = 1L << 32;

    /// <summary>Whether the second look is over.</summary>
    public bool Done { get; private set; }

    /// <summary>Below this no product matters to the second look.</summary>
    public float Least { get; private set; }

    /// <summary>The first look: takes scores, or products that differ from them by the allowance; each worker from its own thread.</summary>
    public void Count(int worker, ReadOnlySpan<float> products)
    {
        long[] cells = _cells[worker];
        foreach (int i in new ScoresAbove(products, _floor))
        {
            cells[Step(products[i]) >> _cellBits]++;
        }
    }

    /// <summary>Ends the first look; false where the floor was too high for some rank.</summary>
    public bool Pin()
    {
        long above = 0;
        int cell = Cells;
        foreach (var window in _windows)
        {
            while (above < window.Rank)
            {
                if (--cell < 0)
                {
                    return false;
                }

                above += _cells.Sum(cells => cells[cell]);
            }

            window.From = Math.Max(0, ((long)cell << _cellBits) - _allowance);
            window.Counts = new long[((cell + 1L) << _cellBits) + _allowance - window.From];
        }

        Least = MathF.BitDecrement(Score(_windows[^1].From - _allowance - 1)); // a step and a float lower: whatever rounding does
        Array.Clear(_cells);
        return true;
    }

    /// <summary>The second look: takes scores, or products, of a row with consecutive columns; from any thread.</summary>
    /// <returns>How many scores it had to ask for.</returns>
    public long Take(int row, int column, ReadOnlySpan<float> products, bool exact)
    {
        Span<long> above = stackalloc long[_windows.Length];
        long asked = 0;
        foreach (int i in new ScoresAbove(products, Least))
        {
            long step = Step(products[i]), off = exact ? 0 : _allowance;
            for (int w = _windows.Length - 1; w >= 0; w--)
            {
                var window = _windows[w];
                if (off > 0 && step + off >= window.From && step - off < window.End)
                {
                    (step, off) = (Step(_pairs.Score(row, column + i)), 0);
                    asked++;
                }

                if (step < window.From)
                {
                    break; // below those of lower ranks, too
                }

                if (step >= window.End)
                {
                    above[w]++;
                }
                else
                {
                    Interlocked.Increment(ref window.Counts[step - window.From]);
                }
            }
        }

        for (int w = 0; w < above.Length; w++)
        {
            if (above[w] > 0)
            {
                Interlocked.Add(ref _windows[w].Above, above[w]);
            }
        }

        return asked;
    }

    /// <summary>Ends the second look.</summary>
    public void Finish() => Done = true;

    /// <inheritdoc/>
    public float ScoreAt(long rank)
    {
        if (rank <= _top.Ranks)
        {
            return _top.ScoreAt(rank);
        }

        var window = Array.Find(_windows, w => w.Rank == rank);
        return window is not null && Done ? Score(window.At()) : throw new InvalidOperationException($"rank {rank} was not asked for, or not looked for twice");
    }

    /// <inheritdoc/>
    public long CountAbove(float score)
    {
        long step = Step(score);
        return score >= _top.Bound ? _top.CountAbove(score)
            : Array.Find(_windows, w => step >= w.From && step < w.End) is { } window ? window.CountAbove(step)
            : throw new InvalidOperationException($"{score} is not the score of a rank that was asked for");
    }

    // Whole numbers in the order of the scores: multiples of 2^-32 from -2 on, or the keys of floats.
    private long Step(float score) => _pairs.Rows.Cosine ? (long)((score + 2.0) * Scale) : TopImpostorScores.ToKey(score);

    private float Score(long step) => _pairs.Rows.Cosine ? (float)((step / Scale) - 2) : TopImpostorScores.FromKey((uint)step);

    private sealed class Window(long rank)
    {
        public long Above; // scores from End on

        public long Rank => rank;

        public long From { get; set; }

        public long[] Counts { get; set; } = []; // of the scores by their steps from From on

        public long End => From + Counts.Length;

        public long At()
        {
            long left = rank - Above;
            for (int i = Counts.Length - 1; left > 0 && i >= 0; i--)
            {
                left -= Counts[i];
                if (left <= 0)
                {
                    return From + i;
                }
            }

            throw new InvalidOperationException($"rank {rank} is not where the first look saw it");
        }

        public long CountAbove(long step) => Above + TensorPrimitives.Sum<long>(Counts.AsSpan((int)(step - From + 1)));
    }
}
