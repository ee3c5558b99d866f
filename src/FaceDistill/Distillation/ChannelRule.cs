namespace FaceDistill.Distillation;

/// <summary>Which channels of a wider start a narrower student keeps.</summary>
public enum ChannelRule
{
    /// <summary>Those whose filters have the largest L1 norm (Li et al., "Pruning filters for efficient ConvNets", 2017).</summary>
    L1,

    /// <summary>
    /// Those whose batch norms have the largest weight (Liu et al., "Learning efficient convolutional networks through network slimming", 2017).
    /// </summary>
    BatchNorm,

    /// <summary>
    /// Those from which, on training faces, most of the next pointwise layer's output can be computed: chosen one after the other, each with
    /// what the ones before it leave unexplained (in the manner of Luo et al., "ThiNet", 2017).
    /// </summary>
    Reconstruction,
}
