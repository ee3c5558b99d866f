using System.Numerics.Tensors;
using FaceDistill.Evaluation.Scoring;

namespace FaceDistill.Evaluation.Metrics;

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
