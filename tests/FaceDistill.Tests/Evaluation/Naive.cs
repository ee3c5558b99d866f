namespace FaceDistill.Tests.Evaluation;

/// <summary>Scores as their definitions read, in double precision of exact products: so of <see cref="Sets.Exact"/>, equal where they are equal.</summary>
internal static class Naive
{
    public static float Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double ab = 0, aa = 0, bb = 0;
        for (int d = 0; d < a.Length; d++)
        {
            (ab, aa, bb) = (ab + ((double)a[d] * b[d]), aa + ((double)a[d] * a[d]), bb + ((double)b[d] * b[d]));
        }

        return Math.Sign(ab) * Rounded(Math.Abs(ab) / Math.Sqrt(aa * bb), 1.0 / (1L << 32));
    }

    public static float Distance(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double squares = 0;
        for (int d = 0; d < a.Length; d++)
        {
            squares += ((double)a[d] - b[d]) * ((double)a[d] - b[d]);
        }

        return -Rounded(Math.Sqrt(squares), 1e-30) + 0;
    }

    /// <summary>To 24 digits, or to a step; upwards from a hair below the middle.</summary>
    public static float Rounded(double size, double least)
    {
        double step = Math.Max(least, Math.ScaleB(1, Math.ILogB(Math.Max(size, least)) - 23));
        return (float)(Math.Floor((size / step) + 0.5 + (1.0 / (1 << 12))) * step);
    }

    public static Func<int, int, float> Score(float[] values, int dimension, bool distances) => (a, b) =>
    {
        var (x, y) = (values.AsMemory(a * dimension, dimension), values.AsMemory(b * dimension, dimension));
        return distances ? Distance(x.Span, y.Span) : Cosine(x.Span, y.Span);
    };
}
