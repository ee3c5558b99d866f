namespace FaceDistill.Students;

/// <summary>What a student costs. One multiply-accumulate is one mult-add; batch norms are folded at use and cost none.</summary>
/// <param name="MultAdds">Multiply-accumulates of one face, head and linear layer included.</param>
/// <param name="Parameters">Trained values: convolutions, batch norms (2 a channel), linear layer with bias.</param>
/// <param name="MultAddsBackbone">Multiply-accumulates without head and linear layer.</param>
/// <param name="ParametersBackbone">Trained values without head and linear layer.</param>
public sealed record StudentCost(long MultAdds, long Parameters, long MultAddsBackbone, long ParametersBackbone)
{
    /// <summary>Counts a student.</summary>
    internal static StudentCost Of(MobileNetV1Architecture architecture)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        var layers = LayerCost.Of(architecture);
        var backbone = layers.Take(architecture.Backbone.Count).ToList();
        return new StudentCost(layers.Sum(l => l.MultAdds), layers.Sum(l => l.Parameters), backbone.Sum(l => l.MultAdds), backbone.Sum(l => l.Parameters));
    }
}

/// <summary>What one layer of a student costs, in the letters of the paper's section 3: D_K, M, N and D_F.</summary>
/// <param name="Name">The layer's name.</param>
/// <param name="Type">Its type.</param>
/// <param name="Kernel">D_K.</param>
/// <param name="In">Input channels, alpha M in equations 6 and 7.</param>
/// <param name="Out">Output channels, alpha N.</param>
/// <param name="OutSize">The output map's side, rho D_F.</param>
/// <param name="MultAdds">Multiply-accumulates of one face.</param>
/// <param name="Weights">Values of the filters or of the matrix.</param>
internal sealed record LayerCost(string Name, LayerType Type, int Kernel, int In, int Out, int OutSize, long MultAdds, long Weights)
{
    /// <summary>Trained values: the weights with the batch norm's two a channel, or the linear layer's bias.</summary>
    public long Parameters => Weights + (Type == LayerType.Linear ? Out : 2L * Out);

    /// <summary>The equation of the paper that counts it: 2 for a full convolution, 4 for a depthwise one, the second term of 5 for a pointwise one (with
    /// width and resolution, 6 and 7); null for the linear layer.</summary>
    public string? Equation => Type switch { LayerType.Full => "2", LayerType.Depthwise => "4", LayerType.Pointwise => "5, 2nd term", _ => null };

    /// <summary>For a block's pointwise layer what the block costs of a full convolution's mult-adds: 1/N + 1/D_K^2; null for other layers.</summary>
    public double? OfFull { get; private init; }

    /// <summary>The layers of a student, in order, the linear one last.</summary>
    public static IReadOnlyList<LayerCost> Of(MobileNetV1Architecture architecture)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        var layers = new List<LayerCost>();
        foreach (var layer in architecture.Convolutions)
        {
            var before = layers.LastOrDefault();
            layers.Add(new LayerCost(layer.Name, layer.Type, layer.Kernel, layer.In, layer.Out, layer.OutSize, layer.MultAdds, layer.Weights)
            {
                // Equation 5 by equation 2, both counted.
                OfFull = layer.Type == LayerType.Pointwise && before is { Type: LayerType.Depthwise }
                    ? (double)(before.MultAdds + layer.MultAdds) / (before.MultAdds * layer.Out)
                    : null,
            });
        }

        long linear = (long)architecture.Features * architecture.Dimension;
        layers.Add(new LayerCost("embedding", LayerType.Linear, 1, architecture.Features, architecture.Dimension, 1, linear, linear));
        return layers;
    }
}
