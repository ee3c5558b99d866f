using System.Numerics.Tensors;

namespace FaceDistill.Distillation;

/// <summary>
/// Chooses channels one after the other: always the one that explains most of what the chosen ones leave unexplained of some outputs, in the least squares
/// (forward selection; a column's share is taken out of all others as in Gram and Schmidt's orthogonalisation).
/// </summary>
internal static class GreedyChannels
{
    // A channel whose variance is so small a part of the largest holds nothing but rounding.
    private const double Nothing = 1e-9;

    /// <summary>Chooses.</summary>
    /// <param name="covariance">float64 [count, count], that of the channels; it is changed.</param>
    /// <param name="cross">float64 [count, q], channels with outputs; it is changed.</param>
    /// <param name="count">The channels.</param>
    /// <param name="keep">How many are chosen.</param>
    /// <returns>Their places, ascending.</returns>
    public static int[] Choose(double[] covariance, double[] cross, int count, int keep)
    {
        int outputs = cross.Length / count;
        var left = Enumerable.Range(0, count).ToList();
        double floor = Enumerable.Range(0, count).Max(i => covariance[(i * count) + i]) * Nothing;
        var chosen = new List<int>(keep);
        double[] column = new double[count], shares = new double[outputs];
        while (chosen.Count < keep)
        {
            double Gain(int i)
            {
                double own = covariance[(i * count) + i];
                return own > floor ? TensorPrimitives.SumOfSquares<double>(cross.AsSpan(i * outputs, outputs)) / own : 0;
            }

            int best = left.MaxBy(Gain);
            left.Remove(best);
            chosen.Add(best);
            double variance = covariance[(best * count) + best];
            if (variance <= floor)
            {
                continue; // nothing is left to explain: the rest is taken in order
            }

            covariance.AsSpan(best * count, count).CopyTo(column);
            cross.AsSpan(best * outputs, outputs).CopyTo(shares);
            foreach (int i in left)
            {
                double part = -column[i] / variance;
                Span<double> own = covariance.AsSpan(i * count, count), with = cross.AsSpan(i * outputs, outputs);
                TensorPrimitives.MultiplyAdd(column, part, own, own);
                TensorPrimitives.MultiplyAdd(shares, part, with, with);
            }
        }

        return [.. chosen.Order()];
    }
}
