using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FaceDistill.Evaluation;

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
