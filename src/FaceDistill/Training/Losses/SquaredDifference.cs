using FaceDistill.Kernels;
using FaceDistill.Students;
using static TorchSharp.torch;

namespace FaceDistill.Training.Losses;

/// <summary>
/// The squared difference of embeddings, mean over faces and dimensions: sum((s - t)^2) / (N D). Section 4.7 of Howard et al.,
/// "MobileNets" (2017). On centred and scaled targets (<see cref="TargetScaling"/>) it is the part of the teacher's variance
/// that the student does not explain: 1 for a student that always answers the mean.
/// </summary>
internal static class SquaredDifference
{
    /// <summary>The loss.</summary>
    /// <param name="student">float32 [N, D].</param>
    /// <param name="target">float32 [N, D].</param>
    /// <returns>float32 scalar.</returns>
    public static Tensor Loss(Tensor student, Tensor target)
    {
        ArgumentNullException.ThrowIfNull(student);
        using var difference = student - target;
        using var squared = difference.Squared();
        return squared.mean();
    }
}
