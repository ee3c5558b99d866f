using FaceDistill.Kernels;
using FaceDistill.Students;
using static TorchSharp.torch;

namespace FaceDistill.Training.Losses;

/// <summary>
/// The mean over faces of 1 - cos(s, t) = 1 - s.t / (|s| |t|): it looks at directions only, as a comparison by cosine does. Both are centred
/// (<see cref="TargetScaling"/>), so it is 1 by chance and 0 for the teacher's direction; an uncentred cosine would hardly vary where
/// embeddings share a large mean. It leaves the embeddings' lengths free. Used as a distillation loss by, for example, Duong et al., "ShrinkTeaNet" (2019), as
/// an angular loss.
/// </summary>
internal static class CosineDistance
{
    /// <summary>The loss.</summary>
    /// <param name="student">float32 [N, D].</param>
    /// <param name="target">float32 [N, D].</param>
    /// <returns>float32 scalar, 0 to 2.</returns>
    public static Tensor Loss(Tensor student, Tensor target)
    {
        ArgumentNullException.ThrowIfNull(student);
        using var scope = NewDisposeScope();
        return nn.functional.cosine_similarity(student, target, dim: 1).mean().neg().Plus(1).MoveToOuterDisposeScope();
    }
}
