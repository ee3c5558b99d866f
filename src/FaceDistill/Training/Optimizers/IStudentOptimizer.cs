using System.Text.Json.Serialization;
using FaceDistill.Kernels;
using FaceDistill.Students;
using static TorchSharp.torch;

namespace FaceDistill.Training.Optimizers;

/// <summary>An optimizer over one network's weights, with its inner state open to the checkpoint.</summary>
internal interface IStudentOptimizer : IDisposable
{
    /// <summary>Steps made.</summary>
    long Steps { get; set; }

    /// <summary>All weights and all gradients, each in one block.</summary>
    FlatWeights Weights { get; }

    /// <summary>The state between two steps, float32, named by parameter; views of the optimizer's own memory.</summary>
    IEnumerable<(string Name, Tensor Tensor)> Tensors();

    /// <summary>Forgets the gradients.</summary>
    void ZeroGradients();

    /// <summary>Makes one step.</summary>
    /// <param name="learningRate">The step's rate.</param>
    void Step(double learningRate);
}

/// <summary>What turns gradients into steps.</summary>
public enum OptimizerKind
{
    /// <summary>AdamW, see <see cref="AdamWState"/>.</summary>
    [JsonStringEnumMemberName("adamw")]
    AdamW,

    /// <summary>Muon for matrices and AdamW for the rest, see <see cref="MuonState"/>.</summary>
    Muon,

    /// <summary>Stochastic gradient descent with Nesterov's momentum, see <see cref="NesterovState"/>.</summary>
    Sgd,
}

/// <summary>
/// Scales all gradients of a step by one factor so that their common Euclidean norm is at most a limit (Pascanu et al., "On the difficulty
/// of training recurrent neural networks", 2013).
/// </summary>
internal static class GradientClip
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
