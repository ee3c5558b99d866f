using FaceDistill.Evaluation.Scoring;

namespace FaceDistill.Tests.Evaluation;

/// <summary>Scores of two rows as their definitions read; exact on <see cref="Sets.Exact"/>.</summary>
internal static class Naive
{
    public static Func<int, int, float> Score(ScoredVectors vectors) => (a, b) =>
    {
        float dot = 0, squares = 0;
        for (int d = 0; d < vectors.Dimension; d++)
        {
            float x = vectors.Values[(a * vectors.Dimension) + d];
            float y = vectors.Values[(b * vectors.Dimension) + d];
            dot += x * y;
            squares += (x - y) * (x - y);
        }

        return vectors.Squares is null ? dot : -MathF.Sqrt(squares);
    };

    public static float[] Squares(float[] vectors, int dimension) => [.. vectors.Chunk(dimension).Select(row => row.Sum(value => value * value))];
}
