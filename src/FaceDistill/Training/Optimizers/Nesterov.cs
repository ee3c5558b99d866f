using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Students;
using static TorchSharp.torch;

namespace FaceDistill.Training.Optimizers;

/// <summary>
/// Stochastic gradient descent with Nesterov's momentum 0.9 (Sutskever et al., "On the importance of initialization and momentum in deep
/// learning", 2013, in the form that uses the gradient at the present weights) and weight decay added to the gradient, without decay on
/// batch norms and biases: g += decay w; v = 0.9 v + g; w -= rate (g + 0.9 v).
/// </summary>
internal sealed class NesterovState : IStudentOptimizer
{
    private const double Momentum = 0.9;
    private readonly Tensor _velocity;
    private readonly double _weightDecay;

    /// <summary>Makes the optimizer of a network that already lies on its device, and takes its weights into one memory block.</summary>
    /// <param name="model">The network; a student, or several modules under one.</param>
    /// <param name="weightDecay">The decay, 0 to 1.</param>
    /// <param name="alsoTrained">What is trained beside it; null for nothing.</param>
    public NesterovState(nn.Module model, double weightDecay, nn.Module? alsoTrained = null)
    {
        _weightDecay = weightDecay;
        Weights = new FlatWeights(model, alsoTrained);
        _velocity = zeros_like(Weights.Values).DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public long Steps { get; set; }

    /// <inheritdoc/>
    public FlatWeights Weights { get; }

    /// <inheritdoc/>
    public IEnumerable<(string Name, Tensor Tensor)> Tensors() => Weights.Views(_velocity).Select(v => (v.Name + ".velocity", v.View));

    /// <inheritdoc/>
    public void ZeroGradients() => Weights.ZeroGradients();

    /// <inheritdoc/>
    public void Step(double learningRate)
    {
        Steps++;
        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        if (Weights.Decayed > 0)
        {
            Weights.Gradients.narrow(0, 0, Weights.Decayed).Add(Weights.Values.narrow(0, 0, Weights.Decayed), _weightDecay);
        }

        _velocity.Multiply(Momentum).Add(Weights.Gradients);
        Weights.Values.Add(Weights.Gradients, -learningRate).Add(_velocity, -learningRate * Momentum);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _velocity.Dispose();
        Weights.Dispose();
    }
}
