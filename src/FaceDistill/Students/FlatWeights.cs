using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Students;

/// <summary>
/// A network's trained values in one memory block and their gradients in another, so that an optimizer, a clipping norm or a moving
/// average takes a few calls instead of several for each of 80 parameters. The network's parameters become views of the block.
/// </summary>
public sealed class FlatWeights : IDisposable
{
    private readonly List<(string Name, Tensor Parameter, long Offset)> _places = [];
    private readonly List<Tensor> _gradients = [];

    /// <summary>Takes over the parameters of a network that already lies on its device; values and layouts stay as they are.</summary>
    /// <param name="model">The network, its parameters float32.</param>
    /// <param name="beside">What is trained beside it, on the same device; null for nothing.</param>
    public FlatWeights(nn.Module model, nn.Module? beside = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        // Those with decay first, so that decay is one call too.
        foreach (var (name, parameter) in model.named_parameters().Concat(beside?.named_parameters() ?? []).OrderByDescending(p => p.parameter.dim() > 1))
        {
            _places.Add((name, parameter, Count));
            Count += parameter.numel();
            Decayed = parameter.dim() > 1 ? Count : Decayed;
        }

        var device = _places[0].Parameter.device;
        Values = zeros(new[] { Count }, ScalarType.Float32, device).DetachFromDisposeScope();
        Gradients = zeros(new[] { Count }, ScalarType.Float32, device).DetachFromDisposeScope();
        foreach (var (parameter, offset) in _places.Select(p => (p.Parameter, p.Offset)))
        {
            var place = View(Values, parameter, offset);
            place.copy_(parameter);
            parameter.set_(place);
            _gradients.Add(View(Gradients, parameter, offset).DetachFromDisposeScope());
        }
    }

    /// <summary>Trained values.</summary>
    public long Count { get; }

    /// <summary>The first so many are those of matrices and filters, which weight decay is for; batch norms and biases follow.</summary>
    public long Decayed { get; }

    /// <summary>float32 [Count]: what the parameters are views of.</summary>
    public Tensor Values { get; }

    /// <summary>float32 [Count]: what the parameters' gradients are views of, once <see cref="ZeroGradients"/> was called.</summary>
    public Tensor Gradients { get; }

    /// <summary>The parts of a block of <see cref="Count"/> values that belong to each parameter, in its shape; the caller disposes them.</summary>
    /// <param name="block">float32 [Count].</param>
    public IEnumerable<(string Name, Tensor View)> Views(Tensor block) => _places.Select(p => (p.Name, View(block, p.Parameter, p.Offset)));

    /// <summary>Sets all gradients to 0; the next backward pass adds to them in place.</summary>
    public void ZeroGradients()
    {
        Gradients.zero_();
        for (int i = 0; i < _places.Count; i++)
        {
            _places[i].Parameter.grad = _gradients[i];
        }
    }

    /// <summary>Frees the gradients; the parameters keep their memory.</summary>
    public void Dispose()
    {
        foreach (var (_, parameter, _) in _places)
        {
            parameter.grad = null;
        }

        _gradients.ForEach(g => g.Dispose());
        Gradients.Dispose();
        Values.Dispose();
    }

    // With the parameter's own strides: filters lie with their channels innermost.
    private static Tensor View(Tensor block, Tensor parameter, long offset) => block.as_strided(parameter.shape, parameter.stride(), offset);
}
