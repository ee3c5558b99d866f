using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Students;
using static TorchSharp.torch;

namespace FaceDistill.Training.Optimizers;

/// <summary>
/// AdamW (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019; betas 0.9 and 0.999, epsilon 1e-8) over a student's
/// weights, without decay on batch norms and biases, and with its inner state open to the checkpoint.
/// </summary>
/// <remarks>TorchSharp's own optimizers make numbers that a garbage collection may free while they are in use (<see cref="TensorMath"/>).</remarks>
internal sealed class AdamWState : IStudentOptimizer
{
    private const double Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8;

    // Values of one round of calls: what they read and write stays in a core's second-level cache.
    private const long Round = 1 << 17;

    private readonly FlatWeights _weights;
    private readonly Tensor _mean;
    private readonly Tensor _square;
    private readonly double _weightDecay;
    private readonly long _first;

    /// <summary>Makes the optimizer of a network that already lies on its device, and takes its weights into one memory block.</summary>
    /// <param name="model">The network.</param>
    /// <param name="weightDecay">The decay, 0 to 1.</param>
    /// <param name="alsoTrained">What is trained beside it; null for nothing.</param>
    public AdamWState(MobileNetV1 model, double weightDecay, nn.Module? alsoTrained = null)
        : this(new FlatWeights(model, alsoTrained), weightDecay, 0)
    {
    }

    /// <summary>Takes over the end of a block of weights, which another optimizer has the beginning of.</summary>
    /// <param name="weights">The weights; disposed with this.</param>
    /// <param name="weightDecay">The decay, 0 to 1.</param>
    /// <param name="first">The first value that this optimizer changes; a parameter begins there.</param>
    internal AdamWState(FlatWeights weights, double weightDecay, long first)
    {
        (_weights, _weightDecay, _first) = (weights, weightDecay, first);
        _mean = zeros(new[] { weights.Count - first }, ScalarType.Float32, weights.Values.device).DetachFromDisposeScope();
        _square = zeros_like(_mean).DetachFromDisposeScope();
    }

    /// <summary>Steps made.</summary>
    public long Steps { get; set; }

    /// <summary>All weights and all gradients, each in one block.</summary>
    public FlatWeights Weights => _weights;

    /// <summary>The first and second moments, by parameter; views of the optimizer's own memory.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> Tensors() =>
        _weights.Views(_mean, _first).Select(v => (v.Name + ".exp_avg", v.View))
            .Concat(_weights.Views(_square, _first).Select(v => (v.Name + ".exp_avg_sq", v.View)));

    /// <summary>Forgets the gradients.</summary>
    public void ZeroGradients() => _weights.ZeroGradients();

    /// <summary>Makes one step.</summary>
    public void Step(double learningRate)
    {
        Steps++;
        using var frozen = no_grad();
        double decay = 1 - (learningRate * _weightDecay);
        double root2 = 1 / Math.Sqrt(1 - Math.Pow(Beta2, Steps)), rate = -learningRate / (1 - Math.Pow(Beta1, Steps));
        for (long at = _first; at < _weights.Count; at += Round)
        {
            using var scope = NewDisposeScope();
            long length = Math.Min(Round, _weights.Count - at);
            var (weight, gradient) = (_weights.Values.narrow(0, at, length), _weights.Gradients.narrow(0, at, length));
            var (mean, square) = (_mean.narrow(0, at - _first, length), _square.narrow(0, at - _first, length));
            if (at < _weights.Decayed)
            {
                weight.narrow(0, 0, Math.Min(length, _weights.Decayed - at)).Multiply(decay);
            }

            mean.Multiply(Beta1).Add(gradient, 1 - Beta1);
            square.Multiply(Beta2).AddProduct(gradient, gradient, 1 - Beta2);
            weight.AddQuotient(mean, square.sqrt().Multiply(root2).Add(Epsilon), rate);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _mean.Dispose();
        _square.Dispose();
        _weights.Dispose();
    }
}
