using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FaceDistill.Evaluation.Scoring;

/// <summary>Turns inner products into minus the Euclidean distance: |a - b|^2 = |a|^2 + |b|^2 - 2ab.</summary>
/// <remarks>
/// That formula loses digits where the distance is small beside the lengths. So where it gives less than a sixteenth of
/// |a|^2 + |b|^2, the distance is taken from the differences of the two vectors instead. A squared distance is then off by at
/// most some sixteen roundings of the product: a relative error of the distance of the order of 1e-6.
/// </remarks>
/// <param name="vectors">The vectors, with their squared lengths.</param>
internal sealed class EuclideanScores(ScoredVectors vectors)
{
    private const float Near = 1f / 16;
    private readonly float[] _squares = vectors.Squares ?? throw new ArgumentException("no squared lengths", nameof(vectors));

    /// <summary>Turns products of one row with consecutive rows into scores, in place.</summary>
    /// <param name="row">The row.</param>
    /// <param name="column">The first of the other rows.</param>
    /// <param name="products">float32 [other rows].</param>
    public void Apply(int row, int column, Span<float> products)
    {
        ref float first = ref MemoryMarshal.GetReference(products);
        ref float squares = ref _squares[column];
        float own = _squares[row];
        var owns = Vector512.Create(own);
        int i = 0;
        for (; i <= products.Length - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            var sum = owns + Vector512.LoadUnsafe(ref squares, (nuint)i);
            var product = Vector512.LoadUnsafe(ref first, (nuint)i);
            var squared = sum - (product + product);
            Vector512.StoreUnsafe(-Vector512.Sqrt(squared), ref first, (nuint)i); // the near ones, maybe NaN, are replaced
            ulong near = Vector512.LessThan(squared, sum * Near).ExtractMostSignificantBits();
            for (; near != 0; near &= near - 1)
            {
                int at = i + BitOperations.TrailingZeroCount(near);
                products[at] = Direct(row, column + at);
            }
        }

        for (; i < products.Length; i++)
        {
            float sum = own + _squares[column + i];
            float squared = sum - (products[i] + products[i]);
            products[i] = squared < sum * Near ? Direct(row, column + i) : -MathF.Sqrt(squared);
        }
    }

    private float Direct(int a, int b) => -TensorPrimitives.Distance(Row(a), Row(b));

    private ReadOnlySpan<float> Row(int row) => vectors.Values.AsSpan(row * vectors.Dimension, vectors.Dimension);
}
