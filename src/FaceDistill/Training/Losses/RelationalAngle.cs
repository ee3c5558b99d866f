using FaceDistill.Kernels;
using static TorchSharp.torch;

namespace FaceDistill.Training.Losses;

/// <summary>
/// Angle-wise relational distillation, equations 7 to 9 of Park et al., "Relational Knowledge Distillation" (2019): the mean over ordered triples
/// of different faces i, j, k of huber(a_s(i, j, k), a_t(i, j, k)), where a(i, j, k) is the cosine of the angle at j between i and k,
/// and huber is that of <see cref="RelationalDistance"/>. Time and memory grow as N^2 D + N^3.
/// </summary>
internal static class RelationalAngle
{
    /// <summary>The largest batch, so that N^3 values stay at 64 MB.</summary>
    public const int MaxBatch = 256;

    /// <summary>The smallest batch: one triple.</summary>
    public const int MinBatch = 3;

    /// <summary>The loss.</summary>
    /// <param name="student">float32 [N, D]; D need not be the teacher's.</param>
    /// <param name="target">float32 [N, E].</param>
    /// <returns>float32 scalar; N is at least <see cref="MinBatch"/>.</returns>
    public static Tensor Loss(Tensor student, Tensor target)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(target);
        using var scope = NewDisposeScope();
        double n = student.shape[0];
        double triples = n * (n - 1) * (n - 2);
        var (s, t) = (Cosines(student), Cosines(target));
        // A triple with i = j or j = k has the angle's cosine 0 in both; one with i = k has 1 in both: neither adds to the sum.
        return nn.functional.huber_loss(s, t, reduction: nn.Reduction.Sum).Over(triples).MoveToOuterDisposeScope();
    }

    // [N, N, N]: at vertex j, the cosine between the directions to i and to k. A face's direction to itself stays the zero vector.
    private static Tensor Cosines(Tensor embeddings)
    {
        var directions = nn.functional.normalize(embeddings.unsqueeze(0) - embeddings.unsqueeze(1), p: 2, dim: 2);
        return directions.matmul(directions.transpose(1, 2));
    }
}
