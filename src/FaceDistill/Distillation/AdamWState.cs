using FaceDistill.Students;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Distillation;

/// <summary>
/// AdamW (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019; betas 0.9 and 0.999, epsilon 1e-8) over a student's
/// weights, without decay on batch norms and biases, and with its inner state open to the checkpoint.
/// </summary>
/// <remarks>
/// TorchSharp's own optimizers make a native scalar for each number of each call and keep nothing alive while the call runs, so that a
/// garbage collection at that moment frees a number in use ("Unknown scalar type", or a wrong value). Here every scalar outlives its calls.
/// </remarks>
public sealed class AdamWState : IStudentOptimizer
{
    private const double Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8;
    private readonly List<Slot> _slots;
    private readonly double _weightDecay;

    /// <summary>Makes the optimizer of a network that already lies on its device.</summary>
    public AdamWState(MobileNetV1 model, double weightDecay)
    {
        ArgumentNullException.ThrowIfNull(model);
        _weightDecay = weightDecay;
        _slots = [.. model.named_parameters().Select(p => new Slot(
            p.name, p.parameter, zeros_like(p.parameter).DetachFromDisposeScope(), zeros_like(p.parameter).DetachFromDisposeScope()))];
    }

    /// <summary>Steps made.</summary>
    public long Steps { get; set; }

    /// <summary>The first and second moments, by parameter; the optimizer's own tensors.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> Tensors() => _slots.SelectMany(s => new[]
    {
        (s.Name + ".exp_avg", s.Mean),
        (s.Name + ".exp_avg_sq", s.Square),
    });

    /// <summary>Forgets the gradients.</summary>
    public void ZeroGradients()
    {
        foreach (var slot in _slots)
        {
            slot.Weight.grad = null;
        }
    }

    /// <summary>Makes one step.</summary>
    public void Step(double learningRate)
    {
        Steps++;
        double correction1 = 1 - Math.Pow(Beta1, Steps), correction2 = 1 - Math.Pow(Beta2, Steps);
        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        using var decay = (1 - (learningRate * _weightDecay)).ToScalar();
        using var keep1 = Beta1.ToScalar();
        using var take1 = (1 - Beta1).ToScalar();
        using var keep2 = Beta2.ToScalar();
        using var take2 = (1 - Beta2).ToScalar();
        using var root2 = (1 / Math.Sqrt(correction2)).ToScalar();
        using var epsilon = Epsilon.ToScalar();
        using var rate = (-learningRate / correction1).ToScalar();
        foreach (var (_, weight, mean, square) in _slots)
        {
            if (weight.grad is not { } gradient)
            {
                continue;
            }

            if (weight.dim() > 1)
            {
                weight.mul_(decay);
            }

            mean.mul_(keep1).add_(gradient, take1);
            square.mul_(keep2).addcmul_(gradient, gradient, take2);
            using var denominator = square.sqrt();
            denominator.mul_(root2).add_(epsilon);
            weight.addcdiv_(mean, denominator, rate);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var slot in _slots)
        {
            slot.Mean.Dispose();
            slot.Square.Dispose();
        }
    }

    private sealed record Slot(string Name, Tensor Weight, Tensor Mean, Tensor Square);
}
