namespace FaceDistill.Students;

/// <summary>How the last feature map becomes one vector, before the linear layer that gives the embedding.</summary>
public enum HeadKind
{
    /// <summary>Global average pooling.</summary>
    Gap,

    /// <summary>
    /// A depthwise convolution as large as the feature map, with batch norm and no activation: every place of the face has its
    /// own weight (Chen et al., "MobileFaceNets", 2018).
    /// </summary>
    Gdc,
}
