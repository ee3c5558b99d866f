using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Files;
using MathNet.Numerics.Statistics;

namespace FaceDistill.Evaluation.Metrics;

/// <summary>Looks at all scores again, once the genuine ones are known: for the metrics, for the identities of the tail, and for deep ranks.</summary>
/// <remarks>The metrics need every score exactly, so each from a product in double precision. The rest needs the scores above a limit, and is content with one
/// in float32.</remarks>
internal sealed class MetricsPass
{
    private const int RocPointsPerDecade = 24;
    private const int MostGenuine = 1 << 27; // each takes about 30 bytes, and 12 more for every worker

    private readonly ThresholdPass _first;
    private readonly ScoredVectors _vectors;
    private readonly TailPairs? _tail;
    private readonly WorstPairs? _worst;
    private readonly float[]? _genuine; // ascending
    private readonly RocCounter? _ladder;
    private readonly ScoreMoments? _moments;
    private readonly NearestImpostors? _nearest;

    private DeepRanks? Deep => _first.Deep is { Done: false } deep ? deep : null;

    /// <param name="vectors">As for the first look.</param>
    /// <param name="first">The first look.</param>
    /// <param name="metrics">Whether to count for the metrics.</param>
    /// <param name="tail">Takes impostor scores with their identities; null for none.</param>
    /// <param name="name">The model's name, for messages.</param>
    /// <param name="worst">Takes the highest impostor scores with their faces; null for none.</param>
    /// <exception cref="FaceDistillException">There are too many genuine pairs for the metrics.</exception>
    public MetricsPass(ScoredVectors vectors, ThresholdPass first, bool metrics, TailPairs? tail, string name, WorstPairs? worst = null)
    {
        (_vectors, _first, _tail, _worst) = (vectors, first, tail, worst);
        if (!metrics)
        {
            return;
        }

        Check(first.Genuine.Length, name);
        _genuine = [.. first.Genuine];
        Array.Sort(_genuine);
        _ladder = new RocCounter(_genuine, Range(), TileRows.Workers);
        _moments = new ScoreMoments(_genuine[0], TileRows.Workers);
        _nearest = new NearestImpostors(first.Groups.Order.Length, TileRows.Workers);
    }

    /// <summary>Refuses more genuine pairs than the metrics have memory for.</summary>
    /// <exception cref="FaceDistillException">There are.</exception>
    public static void Check(long genuine, string name)
    {
        if (genuine > MostGenuine)
        {
            throw new FaceDistillException(InvariantText.Of(
                $"{name}: the metrics of {genuine:N0} genuine pairs need too much memory, {MostGenuine:N0} are the most; evaluate fewer images an identity, or "
                    + $"leave the metrics out"));
        }
    }

    /// <summary>Looks.</summary>
    public void Run(JobContext job)
    {
        using var tiles = new PairTiles(_vectors);
        float limit = MathF.Min(_tail?.Bound ?? float.PositiveInfinity, _worst is null ? float.PositiveInfinity : WorstBound());
        bool exact = _ladder is not null || !_vectors.Cosine || limit == float.NegativeInfinity;
        limit -= _vectors.Allowance;
        long done = 0;
        foreach (var tile in tiles.All())
        {
            job.Cancel.ThrowIfCancellationRequested();
            if (exact)
            {
                tiles.Multiply(tile);
            }
            else
            {
                tiles.MultiplyFast(tile);
            }

            long asked = 0;
            TileRows.ForEach(tile.Rows, (worker, i) =>
            {
                int row = tile.Row + i, column = TileRows.Impostors(tile, row, _first.Groups);
                var scores = tiles.Scores.AsSpan((i * tile.Columns) + column - tile.Column, tile.Column + tile.Columns - column);
                Interlocked.Add(ref asked, scores.IsEmpty ? 0 : exact ? Take(worker, row, column, scores) : Ask(worker, row, column, scores, limit));
            });
            exact |= asked * TileSelection.ManyInverse > (long)tile.Rows * tile.Columns;
            done += TileRows.Pairs(tile);
            job.Progress?.Report(new WorkProgress("measuring", done, _first.Genuine.Length + _first.Groups.ImpostorPairs, "pairs"));
        }

        _first.Deep?.Finish();
    }

    /// <summary>The metrics, after <see cref="Run"/>; null where they were not asked for.</summary>
    public ScoreMetrics? Metrics()
    {
        if (_ladder is null)
        {
            return null;
        }

        var roc = new ExactRoc(_ladder.Genuine, _ladder.Places());
        var curves = new ScoreCurves(roc.Sample(RocPointsPerDecade), _ladder.Histogram());
        return new ScoreMetrics(
            roc.Eer(), roc.Auc(), DPrime(), roc.MinDcf(), _nearest!.Rank1(_first.Groups, _first.Genuine), curves);
    }

    /// <summary>From the lowest to the highest of the genuine scores and those of the first tile.</summary>
    private (float Low, float High) Range()
    {
        using var tiles = new PairTiles(_vectors);
        var tile = tiles.All().First();
        tiles.Multiply(tile);
        var some = tiles.Scores.AsSpan(0, tile.Rows * tile.Columns);
        return (MathF.Min(_genuine![0], TensorPrimitives.Min(some)), MathF.Max(_genuine[^1], TensorPrimitives.Max(some)));
    }

    private double? DPrime()
    {
        var genuine = _genuine!.MeanVariance(); // of one score the variance is NaN
        var impostor = _moments!.Of(_first.Groups.ImpostorPairs);
        double variance = ((_genuine!.Length > 1 ? genuine.Variance : 0) + impostor.Variance) / 2;
        return variance > 0 ? (genuine.Mean - impostor.Mean) / Math.Sqrt(variance) : null;
    }

    // What the worst exceed, with all their ties.
    private float WorstBound() => Math.Min(_worst!.Most, _first.Groups.ImpostorPairs) is var rank && rank <= _first.Tail.Ranks
        ? MathF.BitDecrement(_first.Tail.ScoreAt(rank)) : float.NegativeInfinity;

    private long Take(int worker, int row, int column, ReadOnlySpan<float> impostors)
    {
        Deep?.Take(row, column, impostors, exact: true);
        _tail?.Add(worker, row, column, impostors);
        _worst?.AddImpostors(worker, row, column, impostors);
        _ladder?.Add(worker, impostors);
        _moments?.Add(worker, impostors);
        _nearest?.Add(worker, row, column, impostors);
        return 0;
    }

    private long Ask(int worker, int row, int column, ReadOnlySpan<float> products, float limit)
    {
        long asked = Deep?.Take(row, column, products, exact: false) ?? 0;
        Span<float> score = stackalloc float[1];
        foreach (int i in new ScoresAbove(products, limit))
        {
            score[0] = _vectors.Score(row, column + i);
            _tail?.Add(worker, row, column + i, score);
            _worst?.AddImpostors(worker, row, column + i, score);
            asked++;
        }

        return asked;
    }
}

/// <summary>Mean and variance of very many scores, in double precision; several threads add.</summary>
/// <param name="pivot">A number near the mean: sums are taken of the differences from it, which keeps their digits.</param>
/// <param name="workers">How many threads add.</param>
internal sealed class ScoreMoments(double pivot, int workers)
{
    private const int Stride = 8; // doubles in a cache line, so that workers do not share one
    private readonly double[] _sums = new double[workers * Stride]; // per worker: sum and sum of squares of the differences

    /// <summary>Adds scores.</summary>
    public void Add(int worker, ReadOnlySpan<float> scores)
    {
        ref float first = ref MemoryMarshal.GetReference(scores);
        var pivots = Vector512.Create(pivot);
        var (sum, squares) = (Vector512<double>.Zero, Vector512<double>.Zero);
        int i = 0;
        for (; i <= scores.Length - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            var (lower, upper) = Vector512.Widen(Vector512.LoadUnsafe(ref first, (nuint)i));
            (lower, upper) = (lower - pivots, upper - pivots);
            sum += lower + upper;
            squares += (lower * lower) + (upper * upper);
        }

        double total = Vector512.Sum(sum);
        double totalSquares = Vector512.Sum(squares);
        for (; i < scores.Length; i++)
        {
            double difference = scores[i] - pivot;
            total += difference;
            totalSquares += difference * difference;
        }

        _sums[worker * Stride] += total;
        _sums[(worker * Stride) + 1] += totalSquares;
    }

    /// <summary>Mean and sample variance (by n - 1; 0 for a single score).</summary>
    /// <param name="count">How many scores were added.</param>
    public (double Mean, double Variance) Of(long count)
    {
        double sum = 0, squares = 0;
        for (int i = 0; i < _sums.Length; i += Stride)
        {
            sum += _sums[i];
            squares += _sums[i + 1];
        }

        return (pivot + (sum / count), count < 2 ? 0 : Math.Max(0, squares - (sum * sum / count)) / (count - 1));
    }
}

/// <summary>For each face the score of the nearest face of somebody else; then how often the nearest face is the same person.</summary>
internal sealed class NearestImpostors
{
    private readonly float[][] _best; // [worker][row]

    /// <param name="rows">N.</param>
    /// <param name="workers">How many threads add.</param>
    public NearestImpostors(int rows, int workers)
    {
        _best = [.. Enumerable.Range(0, workers).Select(_ => new float[rows])];
        Array.ForEach(_best, best => Array.Fill(best, float.NegativeInfinity));
    }

    /// <summary>Adds impostor scores of a row with consecutive rows; each counts for both faces.</summary>
    public void Add(int worker, int row, int column, ReadOnlySpan<float> scores)
    {
        float[] best = _best[worker];
        best[row] = MathF.Max(best[row], TensorPrimitives.Max(scores));
        var others = best.AsSpan(column, scores.Length);
        TensorPrimitives.Max(scores, others, others);
    }

    /// <summary>
    /// The share of the faces of people with two faces or more whose nearest other face is of the same person; where an
    /// impostor is as near, it counts as the nearest.
    /// </summary>
    /// <param name="groups">Who is who.</param>
    /// <param name="genuine">All genuine scores, as <see cref="ThresholdPass.Genuine"/>.</param>
    public double Rank1(IdentityGroups groups, float[] genuine)
    {
        float[] own = new float[groups.End.Length];
        Array.Fill(own, float.NegativeInfinity);
        int at = 0;
        for (int row = 0; row < own.Length; row++)
        {
            for (int other = row + 1; other < groups.End[row]; other++, at++)
            {
                own[row] = MathF.Max(own[row], genuine[at]);
                own[other] = MathF.Max(own[other], genuine[at]);
            }
        }

        int asked = 0, right = 0;
        for (int row = 0; row < own.Length; row++)
        {
            if (groups.Sizes[groups.Group[row]] > 1)
            {
                asked++;
                right += own[row] > _best.Max(best => best[row]) ? 1 : 0;
            }
        }

        return (double)right / asked;
    }
}
