using FaceDistill.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Distillation;

/// <summary>
/// Scales all gradients of a step by one factor so that their common Euclidean norm is at most a limit (Pascanu et al., "On the difficulty
/// of training recurrent neural networks", 2013).
/// </summary>
public static class GradientClip
{
    /// <summary>Clips in place.</summary>
    /// <param name="gradients">float32 [n], all gradients.</param>
    /// <param name="limit">The largest norm; 0 for none.</param>
    /// <returns>The norm before clipping; not finite where a gradient is not.</returns>
    public static double Apply(Tensor gradients, double limit)
    {
        ArgumentNullException.ThrowIfNull(gradients);
        using var frozen = no_grad();
        using var squares = gradients.dot(gradients);
        double norm = Math.Sqrt(squares.item<float>());
        if (limit > 0 && norm > limit && double.IsFinite(norm))
        {
            gradients.Multiply(limit / norm);
        }

        return norm;
    }
}
