using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Results;
using FaceDistill.Stores;

namespace FaceDistill.Evaluation.Scoring;

/// <summary>Vectors, and the score of two of them: see <see cref="CosineScore"/> for cosines and <see cref="DistanceScore"/> for distances.</summary>
/// <remarks>
/// A score is a function of the exact cosine or distance of the vectors as they were given, so equal pairs have equal scores. <see cref="UnitRow"/> serves a
/// product in float32 that is off by <see cref="Allowance"/> at most: it tells which pairs need not be looked at, and never what a score is.
/// </remarks>
internal sealed class ScoredVectors
{
    private readonly float[] _values;
    private readonly int[]? _order;
    private readonly double[] _factors; // of cosines the inverse lengths; of distances the squared lengths of the vectors less the mean
    private readonly double[]? _mean;   // of distances

    /// <summary>Vectors scored by cosine.</summary>
    /// <param name="values">float32 [N, D], row-major, finite, no row of zeros; not copied.</param>
    /// <param name="dimension">D.</param>
    /// <param name="order">Which row goes where, and which are left out; null for all as they are.</param>
    public ScoredVectors(float[] values, int dimension, int[]? order = null)
        : this(values, dimension, order, null)
    {
    }

    private ScoredVectors(float[] values, int dimension, int[]? order, double[]? mean)
    {
        (_values, Dimension, _order, _mean) = (values, dimension, order, mean);
        Count = order?.Length ?? values.Length / dimension;
        _factors = new double[Count];
        Parallel.For(0, Count, row => _factors[row] = mean is null ? CosineScore.InverseLength(Row(row)) : DistanceScore.Squared(Row(row), mean));
    }

    /// <summary>N.</summary>
    public int Count { get; }

    /// <summary>D.</summary>
    public int Dimension { get; }

    /// <summary>By how much a score may differ from the float32 product of unit vectors, in whatever order that adds: rounding to unit length and to
    /// a score is some 4 times 2^-24, the sum D times.</summary>
    public float Allowance => (Dimension + 8) / (float)(1 << 24);

    /// <summary>Whether the scores are cosines.</summary>
    public bool Cosine => _mean is null;

    /// <summary>All at unit length, in a new array: float32 [N, D], row-major, each row of length 1 within float rounding; of cosines only.</summary>
    public float[] Unit()
    {
        float[] unit = new float[(long)Count * Dimension];
        Parallel.For(0, Count, row => UnitRow(row, unit.AsSpan(row * Dimension, Dimension)));
        return unit;
    }

    /// <summary>A vector at unit length, within float rounding; of cosines only.</summary>
    /// <param name="row">Which.</param>
    /// <param name="target">float32 [D].</param>
    public void UnitRow(int row, Span<float> target)
    {
        var values = Row(row);
        ref float first = ref MemoryMarshal.GetReference(values), place = ref MemoryMarshal.GetReference(target);
        var factor = Vector512.Create(_factors[row]);
        int d = 0;
        for (; d <= values.Length - Vector512<float>.Count; d += Vector512<float>.Count)
        {
            var (low, high) = Vector512.Widen(Vector512.LoadUnsafe(ref first, (nuint)d));
            Vector512.Narrow(low * factor, high * factor).StoreUnsafe(ref place, (nuint)d);
        }

        for (; d < target.Length; d++)
        {
            target[d] = (float)(values[d] * _factors[row]);
        }
    }

    /// <summary>The embeddings of a set.</summary>
    /// <param name="set">The embeddings.</param>
    /// <param name="order">Which row goes where; null keeps the order.</param>
    /// <param name="kind">How two embeddings make a score.</param>
    /// <exception cref="FaceDistillException">An embedding is unusable, see <see cref="UnitEmbeddings.Check"/>; or too long or too short for distances in
    /// float32.</exception>
    public static ScoredVectors Of(EmbeddingSet set, IReadOnlyList<int>? order = null, ScoreKind kind = ScoreKind.Cosine)
    {
        UnitEmbeddings.Check(set, order);
        int[]? rows = order is null ? null : order as int[] ?? [.. order];
        if (kind == ScoreKind.Cosine)
        {
            return new ScoredVectors(set.Values, set.Dimension, rows);
        }

        var vectors = new ScoredVectors(set.Values, set.Dimension, rows, Mean(set));
        vectors.CheckDistances(set);
        return vectors;
    }

    /// <summary>Some of the vectors scored by cosine; not copied.</summary>
    public ScoredVectors Of(int[] rows) => new(_values, Dimension, _order is null ? rows : [.. rows.Select(row => _order[row])]);

    /// <summary>A vector as it was given: float32 [D].</summary>
    public ReadOnlySpan<float> Row(int row) => _values.AsSpan((_order?[row] ?? row) * Dimension, Dimension);

    /// <summary>The score of two vectors of one set.</summary>
    public float Score(int row, int column) => Score(row, this, column);

    /// <summary>The score of a vector with one of others.</summary>
    public float Score(int row, ScoredVectors others, int column) => _mean is null
        ? CosineScore.Of(Row(row), _factors[row], others.Row(column), others._factors[column]) : DistanceScore.Of(Row(row), others.Row(column));

    /// <summary>What is multiplied: vectors at unit length, or less the mean, in double precision.</summary>
    /// <param name="first">The first of them.</param>
    /// <param name="target">float64 [rows, D].</param>
    public void Widen(int first, Span<double> target)
    {
        for (int at = 0; at < target.Length; at += Dimension)
        {
            var row = Row(first + (at / Dimension));
            var wide = target.Slice(at, Dimension);
            TensorPrimitives.ConvertTruncating(row, wide);
            if (_mean is null)
            {
                TensorPrimitives.Multiply(wide, _factors[first + (at / Dimension)], wide);
            }
            else
            {
                TensorPrimitives.Subtract(wide, _mean, wide);
            }
        }
    }

    /// <summary>Turns products of one vector with consecutive others, as widened, into scores.</summary>
    /// <param name="row">The vector.</param>
    /// <param name="others">Where the others are.</param>
    /// <param name="column">The first of them.</param>
    /// <param name="products">float64 [others].</param>
    /// <param name="scores">float32 [others].</param>
    public void Round(int row, ScoredVectors others, int column, ReadOnlySpan<double> products, Span<float> scores)
    {
        int i = 0;
        if (_mean is not null)
        {
            for (; i < scores.Length; i++)
            {
                scores[i] = DistanceScore.Of(_factors[row], others._factors[column + i], products[i], Dimension) ?? Score(row, others, column + i);
            }

            return;
        }

        ref double first = ref MemoryMarshal.GetReference(products);
        ref float target = ref MemoryMarshal.GetReference(scores);
        var off = Vector512.Create(CosineScore.Uncertainty(Dimension));
        for (; i <= scores.Length - Vector512<double>.Count; i += Vector512<double>.Count)
        {
            var cosines = Vector512.LoadUnsafe(ref first, (nuint)i);
            var (low, high) = (CosineScore.Round(cosines - off), CosineScore.Round(cosines + off));
            Vector256.Narrow(low.GetLower(), low.GetUpper()).StoreUnsafe(ref target, (nuint)i); // exact: scores are floats
            ulong settled = Vector512.Equals(low, high).ExtractMostSignificantBits();
            for (ulong open = ~settled & 0xFF; open != 0; open &= open - 1)
            {
                int at = i + BitOperations.TrailingZeroCount(open);
                scores[at] = Score(row, others, column + at);
            }
        }

        for (; i < scores.Length; i++)
        {
            scores[i] = Score(row, others, column + i);
        }
    }

    /// <summary>
    /// A distance does not change when all vectors are moved by the same: from the mean, which takes away what |a|^2 + |b|^2 - 2ab would otherwise lose to
    /// cancellation when the embeddings share a large offset.
    /// </summary>
    private static double[] Mean(EmbeddingSet set)
    {
        double[] mean = new double[set.Dimension];
        for (int row = 0; row < set.Count; row++)
        {
            var values = set.Row(row);
            for (int d = 0; d < mean.Length; d++)
            {
                mean[d] += values[d] / (double)set.Count;
            }
        }

        return mean;
    }

    private void CheckDistances(EmbeddingSet set)
    {
        const double most = 1e37, least = 1e-30; // a distance must neither overflow a float nor sink into the subnormal ones
        double largest = _factors.Max();
        if (largest > most)
        {
            int row = Array.IndexOf(_factors, largest);
            row = _order?[row] ?? row;
            throw new FaceDistillException($"{set.Name}: the embedding in {RowNames.Of(set, row)} is too long "
                + "for Euclidean distances in float32; scale the embeddings, or score by cosine");
        }

        if (largest is < least and not 0)
        {
            throw new FaceDistillException(
                $"{set.Name}: all embeddings lie too close together for Euclidean distances in float32; scale them, or score by cosine");
        }
    }
}

/// <summary>
/// Minus the Euclidean distance of two embeddings as a score: the exact one, rounded to 24 binary digits. As <see cref="CosineScore"/>, a function of the
/// mathematical distance alone that keeps its order.
/// </summary>
internal static class DistanceScore
{
    private const int Cut = 29; // a double's digits less a float's
    private const long Shift = (1L << 28) + (1L << 17) + 0x16BB; // the bounds stand a hair below the middle of two floats

    /// <summary>The score from a product, |a - b|^2 = |a|^2 + |b|^2 - 2ab; null where its rounding leaves it open.</summary>
    /// <param name="a">The squared length of the one vector, less the mean.</param>
    /// <param name="b">Of the other.</param>
    /// <param name="product">Their inner product.</param>
    /// <param name="dimension">D.</param>
    public static float? Of(double a, double b, double product, int dimension)
    {
        double squared = a + b - (2 * product), off = (a + b) * (((4.0 * dimension) + 32) / (1L << 53));
        return squared <= off ? null : Between(squared - off, squared + off);
    }

    /// <summary>The score of two vectors, from their differences.</summary>
    public static float Of(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double squared = 0;
        for (int i = 0; i < a.Length; i++)
        {
            double difference = (double)a[i] - b[i];
            squared += difference * difference;
        }

        double off = squared * ((a.Length + 8.0) / (1L << 53));
        return squared == 0 ? 0 : Between(squared - off, squared + off) ?? Settle(a, b, squared + off);
    }

    /// <summary>|row - mean|^2.</summary>
    public static double Squared(ReadOnlySpan<float> row, double[] mean)
    {
        double sum = 0;
        for (int i = 0; i < mean.Length; i++)
        {
            double difference = row[i] - mean[i];
            sum += difference * difference;
        }

        return sum;
    }

    private static float? Between(double low, double high) => Digits(low) is var digits && digits == Digits(high) ? -Value(digits) : null;

    private static float Settle(ReadOnlySpan<float> a, ReadOnlySpan<float> b, double high)
    {
        int scale = Math.Max(new WholeRow(a).Scale, new WholeRow(b).Scale);
        var squared = new WholeRow(a, scale).SquaredDistance(new WholeRow(b, scale));
        long digits = Digits(high);
        long bound = (digits << Cut) - Shift; // the least double that is rounded to these digits
        var (mantissa, exponent) = ((BigInteger)((bound & 0xFFFFFFFFFFFFF) | (1L << 52)), (int)(bound >> 52) - 1075);
        int common = Math.Max(scale, Math.Max(0, -exponent));
        return -Value(squared << (2 * (common - scale)) >= BigInteger.Pow(mantissa << (common + exponent), 2) ? digits : digits - 1);
    }

    private static long Digits(double squared) => (BitConverter.DoubleToInt64Bits(Math.Sqrt(squared)) + Shift) >> Cut;

    private static float Value(long digits) => (float)BitConverter.Int64BitsToDouble(digits << Cut);
}
