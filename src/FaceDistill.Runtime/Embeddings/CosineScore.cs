using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FaceDistill.Embeddings;

/// <summary>The cosine of two embeddings as a score: the exact one, rounded to 24 binary digits, or to 2^-32 where it is below 2^-8.</summary>
/// <remarks>
/// That is a function of the mathematical cosine alone, and it never falls where the cosine rises. So pairs whose cosines are equal have the same score, to
/// the bit, however long the vectors are and whatever order anything is added in; that is what guarantees that ties are ties. The product is taken in double
/// precision, whose error is known (<see cref="Uncertainty"/>); where the two ends of that error round differently, whole numbers of any length decide.
/// The bounds of rounding stand a hair (2^-12 of a step) below the middle of two scores, where no quotient of small numbers lies, so that is rare.
/// </remarks>
internal static class CosineScore
{
    /// <summary>A rounded number is the whole part of this and its steps.</summary>
    public const double Shift = 0.5 + (1.0 / (1 << 12)) + (0xB5D / (double)(1 << 28));

    private const long Exponent = 0x7FFL << 52, Digits = 23L << 52, LeastStep = (1023L - 32) << 52, Inverse = 2046L << 52;

    /// <summary>By how much a cosine is off at most: of rows scaled to unit length in double precision, or by the product of their inverse lengths.</summary>
    /// <param name="dimension">D: each length and the product are sums of D terms with D roundings of 2^-53; and there are few others.</param>
    public static double Uncertainty(int dimension) => ((2.0 * dimension) + 20) / (1L << 53);

    /// <summary>The score of two embeddings, float32 [D] each; NaN where one of them has no direction.</summary>
    /// <exception cref="ArgumentException">They are of different lengths, or empty.</exception>
    public static float Of(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => a.Length == b.Length && a.Length > 0
        ? Of(a, InverseLength(a), b, InverseLength(b)) : throw new ArgumentException($"embeddings of {a.Length} and {b.Length} values have no cosine");

    /// <summary>The score of two embeddings whose inverse lengths are known.</summary>
    public static float Of(ReadOnlySpan<float> a, double inverseA, ReadOnlySpan<float> b, double inverseB)
    {
        double cosine = Dot(a, b) * inverseA * inverseB, uncertainty = Uncertainty(a.Length);
        float low = Round(cosine - uncertainty), high = Round(cosine + uncertainty);
        return low == high ? low : double.IsFinite(cosine) ? Settle(a, b, low, high) : float.NaN;
    }

    /// <summary>A cosine's score.</summary>
    public static float Round(double cosine)
    {
        double step = Step(cosine);
        return MathF.CopySign((float)(Math.Floor((Math.Abs(cosine) / step) + Shift) * step), (float)cosine) + 0; // no minus 0
    }

    /// <summary>The scores of cosines.</summary>
    public static Vector512<double> Round(Vector512<double> cosines)
    {
        var steps = Vector512.Max((cosines.AsInt64() & Vector512.Create(Exponent)) - Vector512.Create(Digits), Vector512.Create(LeastStep));
        var inverse = (Vector512.Create(Inverse) - steps).AsDouble(); // of a power of two
        var rounded = Vector512.Floor(Vector512.FusedMultiplyAdd(Vector512.Abs(cosines), inverse, Vector512.Create(Shift))) * steps.AsDouble();
        return Vector512.ConditionalSelect(Vector512.Create(-0.0), cosines, rounded) + Vector512<double>.Zero;
    }

    /// <summary>The score where it is one of two neighbours.</summary>
    public static float Settle(ReadOnlySpan<float> a, ReadOnlySpan<float> b, float low, float high)
    {
        float near = low >= 0 ? low : -high;                  // the one of smaller size,
        double bound = near + ((1 - Shift) * Step(near));     // and where it ends: 52 digits, none below 2^-61
        bool beyond = Reaches(a, b, low >= 0, bound) ?? ReachesExactly(a, b, low >= 0, bound);
        return beyond == low >= 0 ? high : low;
    }

    /// <summary>Whether the cosine, or minus it, reaches a bound, by sums of two doubles each (Ogita, Rump, Oishi 2005, algorithm 4.4: their error is D^2
    /// 2^-106 of the lengths' product); null where that leaves it open.</summary>
    internal static bool? Reaches(ReadOnlySpan<float> a, ReadOnlySpan<float> b, bool positive, double bound)
    {
        var (dot, x, y) = (Sum(a, b), Sum(a, a), Sum(b, b));
        double square = x.High * y.High, rest = Math.FusedMultiplyAdd(x.High, y.High, -square) + (x.High * y.Low) + (x.Low * y.High);
        double length = Math.Sqrt(square), lengthRest = (Math.FusedMultiplyAdd(-length, length, square) + rest) / (2 * length);
        double wanted = bound * length, wantedRest = Math.FusedMultiplyAdd(bound, length, -wanted) + (bound * lengthRest);
        double sign = positive ? 1 : -1, over = (sign * dot.High) - wanted + ((sign * dot.Low) - wantedRest);
        double off = (a.Length + 8.0) * (a.Length + 8.0) * Math.ScaleB(length, -104);
        return over > off ? true : over < -off ? false : null;
    }

    /// <summary>The same in whole numbers.</summary>
    internal static bool ReachesExactly(ReadOnlySpan<float> a, ReadOnlySpan<float> b, bool positive, double bound)
    {
        var whole = (BigInteger)(bound * Math.Pow(2, 62));
        var (x, y) = (new WholeRow(a), new WholeRow(b));
        var dot = x.Dot(y) << 62;
        return (positive ? dot : -dot) is { Sign: > 0 } size && size * size >= whole * whole * x.Dot(x) * y.Dot(y);
    }

    // The products are exact; what each sum loses is summed beside it.
    private static (double High, double Low) Sum(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double high = 0, low = 0;
        for (int i = 0; i < a.Length; i++)
        {
            double product = (double)a[i] * b[i], sum = high + product, part = sum - high;
            low += high - (sum - part) + (product - part);
            high = sum;
        }

        return (high, low);
    }

    private static double Step(double value) =>
        BitConverter.Int64BitsToDouble(Math.Max((BitConverter.DoubleToInt64Bits(value) & Exponent) - Digits, LeastStep));

    /// <summary>1 / |row|; infinite for a row of zeros.</summary>
    public static double InverseLength(ReadOnlySpan<float> row) => 1 / Math.Sqrt(Dot(row, row));

    /// <summary>The inner product: products of floats are exact in double precision, the sum is rounded.</summary>
    public static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        ref float x = ref MemoryMarshal.GetReference(a), y = ref MemoryMarshal.GetReference(b);
        var (first, second) = (Vector512<double>.Zero, Vector512<double>.Zero);
        int i = 0;
        for (; i <= a.Length - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            var (xLow, xHigh) = Vector512.Widen(Vector512.LoadUnsafe(ref x, (nuint)i));
            var (yLow, yHigh) = Vector512.Widen(Vector512.LoadUnsafe(ref y, (nuint)i));
            first = Vector512.FusedMultiplyAdd(xLow, yLow, first);
            second = Vector512.FusedMultiplyAdd(xHigh, yHigh, second);
        }

        double sum = Vector512.Sum(first + second);
        for (; i < a.Length; i++)
        {
            sum += (double)a[i] * b[i];
        }

        return sum;
    }
}

/// <summary>A row of floats as whole numbers, exactly: each times 2^<see cref="Scale"/>.</summary>
internal readonly struct WholeRow
{
    private readonly BigInteger[] _values;

    /// <param name="row">Finite floats.</param>
    /// <param name="least">The least scale.</param>
    public WholeRow(ReadOnlySpan<float> row, int least = 0)
    {
        Scale = least;
        foreach (float value in row)
        {
            Scale = Math.Max(Scale, Split(value).Scale);
        }

        _values = new BigInteger[row.Length];
        for (int i = 0; i < row.Length; i++)
        {
            var (mantissa, scale) = Split(row[i]);
            _values[i] = (BigInteger)mantissa << (Scale - scale);
        }
    }

    /// <summary>The power of two.</summary>
    public int Scale { get; }

    /// <summary>The exact inner product of the whole numbers.</summary>
    public BigInteger Dot(WholeRow other)
    {
        var sum = BigInteger.Zero;
        for (int i = 0; i < _values.Length; i++)
        {
            sum += _values[i] * other._values[i];
        }

        return sum;
    }

    /// <summary>The exact squared distance of the whole numbers of two rows of one scale.</summary>
    public BigInteger SquaredDistance(WholeRow other)
    {
        var sum = BigInteger.Zero;
        for (int i = 0; i < _values.Length; i++)
        {
            sum += BigInteger.Pow(_values[i] - other._values[i], 2);
        }

        return sum;
    }

    /// <summary>A float as mantissa / 2^scale.</summary>
    private static (int Mantissa, int Scale) Split(float value)
    {
        int bits = BitConverter.SingleToInt32Bits(value), exponent = (bits >> 23) & 0xFF, mantissa = bits & 0x7FFFFF;
        mantissa = exponent == 0 ? mantissa : mantissa | 0x800000;
        return mantissa == 0 ? (0, 0) : (bits < 0 ? -mantissa : mantissa, 150 - Math.Max(exponent, 1));
    }
}
