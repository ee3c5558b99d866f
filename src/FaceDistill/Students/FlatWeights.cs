using static TorchSharp.torch;

namespace FaceDistill.Students;

/// <summary>
/// A weight that mixes channels, as a matrix [Rows, Columns] within <see cref="FlatWeights.Values"/>, row-major; a filter's columns are in an order of their
/// own.
/// </summary>
/// <param name="Name">The parameter's name.</param>
/// <param name="Rows">Outputs.</param>
/// <param name="Columns">Inputs, times the kernel's places.</param>
/// <param name="Offset">The first value's place in the block.</param>
internal sealed record MatrixPlace(string Name, long Rows, long Columns, long Offset);

/// <summary>
/// A network's trained values in one memory block and their gradients in another, so that an optimizer, a clipping norm or a moving
/// average takes a few calls instead of several for each of 80 parameters. The network's parameters become views of the block.
/// </summary>
internal sealed class FlatWeights : IDisposable
{
    private readonly List<(string Name, Tensor Parameter, long Offset)> _places = [];
    private readonly List<MatrixPlace> _matrices = [];
    private readonly List<Tensor> _gradients = [];

    /// <summary>Takes over the parameters of a network that already lies on its device; values and layouts stay as they are.</summary>
    /// <param name="model">The network, its parameters float32.</param>
    /// <param name="alsoTrained">What is trained beside it, on the same device; null for nothing.</param>
    public FlatWeights(nn.Module model, nn.Module? alsoTrained = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        // The network's matrices first, then the other parameters with decay, so that each kind is one range.
        var kinds = model.named_parameters().Select(p => (p.name, p.parameter, Kind: KindOf(p.parameter)))
            .Concat(alsoTrained?.named_parameters().Select(p => (p.name, p.parameter, Kind: Math.Max(1, KindOf(p.parameter)))) ?? []);
        foreach (var (name, parameter, kind) in kinds.OrderBy(p => p.Kind))
        {
            if (kind == 0)
            {
                _matrices.Add(new MatrixPlace(name, parameter.shape[0], parameter.numel() / parameter.shape[0], Count));
            }

            _places.Add((name, parameter, Count));
            Count += parameter.numel();
            (MatrixCount, Decayed) = (kind == 0 ? Count : MatrixCount, kind <= 1 ? Count : Decayed);
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

    // The same values under another network's parameters, with gradients of their own.
    private FlatWeights(FlatWeights of, nn.Module copy)
    {
        using var frozen = no_grad();
        (Count, MatrixCount, Decayed, Values, _matrices) = (of.Count, of.MatrixCount, of.Decayed, of.Values.alias().DetachFromDisposeScope(), of._matrices);
        Gradients = zeros_like(Values).DetachFromDisposeScope();
        var places = of._places.ToDictionary(p => p.Name);
        foreach (var (name, parameter) in copy.named_parameters())
        {
            using var place = View(Values, places[name].Parameter, places[name].Offset);
            parameter.set_(place);
            _places.Add((name, parameter, places[name].Offset));
            _gradients.Add(View(Gradients, parameter, places[name].Offset).DetachFromDisposeScope());
        }
    }

    /// <summary>Trained values.</summary>
    public long Count { get; }

    /// <summary>
    /// The network's matrices, in the order in which they fill the block's beginning: the linear layer, and convolutions that mix channels, as
    /// [out, in k k]. Depthwise filters are none, nor is what is trained beside the network.
    /// </summary>
    public IReadOnlyList<MatrixPlace> Matrices => _matrices;

    /// <summary>The first so many values are those of <see cref="Matrices"/>.</summary>
    public long MatrixCount { get; }

    /// <summary>The first so many are those of matrices and filters, which weight decay is for; batch norms and biases follow.</summary>
    public long Decayed { get; }

    /// <summary>float32 [Count]: what the parameters are views of.</summary>
    public Tensor Values { get; }

    /// <summary>float32 [Count]: what the parameters' gradients are views of, once <see cref="ZeroGradients"/> was called.</summary>
    public Tensor Gradients { get; }

    /// <summary>The parts of a block beside <see cref="Values"/> that belong to each parameter, in its shape; the caller disposes them.</summary>
    /// <param name="block">float32, as long as the block from <paramref name="first"/> on, or from there to the end of a parameter.</param>
    /// <param name="first">The place of the block's first value, where a parameter begins.</param>
    public IEnumerable<(string Name, Tensor View)> Views(Tensor block, long first = 0)
    {
        ArgumentNullException.ThrowIfNull(block);
        long end = first + block.numel();
        return _places.Where(p => p.Offset >= first && p.Offset < end).Select(p => (p.Name, View(block, p.Parameter, p.Offset - first)));
    }

    /// <summary>Makes a copy of the network use the same values, so that whoever changes them changes both; its gradients are its own.</summary>
    /// <param name="copy">A network of the same layers, on the same device.</param>
    /// <returns>The copy's weights: the same <see cref="Values"/>, other <see cref="Gradients"/>, in the same places.</returns>
    internal FlatWeights SharedWith(nn.Module copy) => new(this, copy);

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

    // 0 for a matrix, 1 for other filters, 2 for what has no decay.
    private static int KindOf(Tensor parameter) => parameter.dim() < 2 ? 2 : parameter.shape[1] > 1 ? 0 : 1;

    // With the parameter's own strides: filters lie with their channels innermost.
    private static Tensor View(Tensor block, Tensor parameter, long offset) => block.as_strided(parameter.shape, parameter.stride(), offset);
}
