using FaceDistill.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Training.Losses;

/// <summary>
/// Distance-wise relational distillation, equations 4 to 6 of Park et al., "Relational Knowledge Distillation" (2019): the mean over ordered
/// pairs i, j (i not j) of huber(d_s(i, j), d_t(i, j)), where d(i, j) = |x_i - x_j| divided by the batch's mean of it, and huber(a, b) is
/// (a - b)^2 / 2 up to a difference of 1, |a - b| - 1/2 beyond. It asks for the distances between faces, not for their places: 0 also where
/// the student's space is the teacher's rotated, shifted or enlarged.
/// </summary>
internal static class RelationalDistance
{
    /// <summary>The loss.</summary>
    /// <param name="student">float32 [N, D]; D need not be the teacher's.</param>
    /// <param name="target">float32 [N, E].</param>
    /// <returns>float32 scalar; N is at least 2.</returns>
    public static Tensor Loss(Tensor student, Tensor target)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(target);
        using var scope = NewDisposeScope();
        double pairs = student.shape[0] * (student.shape[0] - 1.0);
        return nn.functional.huber_loss(Relative(student, pairs), Relative(target, pairs), reduction: nn.Reduction.Sum).Over(pairs).MoveToOuterDisposeScope();
    }

    // Not by inner products, which lose small distances; the gradient of a distance of 0 is 0. A face's distance to itself is 0 in both and adds nothing.
    private static Tensor Relative(Tensor embeddings, double pairs)
    {
        var distances = cdist(embeddings, embeddings, 2.0, compute_mode.donot_use_mm_for_euclid_dist);
        return distances / distances.sum().Over(pairs);
    }
}
