namespace FaceDistill.Students;

/// <summary>What a student costs. One multiply-accumulate is one mult-add; batch norms are folded at use and cost none.</summary>
/// <param name="MultAdds">Multiply-accumulates of one face, head and linear layer included.</param>
/// <param name="Parameters">Trained values: convolutions, batch norms (2 a channel), linear layer with bias.</param>
/// <param name="MultAddsBackbone">Multiply-accumulates without head and linear layer.</param>
/// <param name="ParametersBackbone">Trained values without head and linear layer.</param>
public sealed record StudentCost(long MultAdds, long Parameters, long MultAddsBackbone, long ParametersBackbone)
{
    /// <summary>Counts a student.</summary>
    public static StudentCost Of(MobileNetV1Architecture architecture)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        long linear = (long)architecture.Features * architecture.Dimension;
        long backboneMultAdds = architecture.Backbone.Sum(l => l.MultAdds);
        long backboneParameters = architecture.Backbone.Sum(Trained);
        return new StudentCost(
            architecture.Convolutions.Sum(l => l.MultAdds) + linear,
            architecture.Convolutions.Sum(Trained) + linear + architecture.Dimension,
            backboneMultAdds,
            backboneParameters);
    }

    private static long Trained(ConvLayer layer) => layer.Weights + (2L * layer.Out);
}
