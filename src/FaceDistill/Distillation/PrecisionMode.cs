namespace FaceDistill.Distillation;

/// <summary>What the convolutions of a training step compute in; weights and optimizer are float32 always.</summary>
public enum PrecisionMode
{
    /// <summary>float32.</summary>
    Fp32,

    /// <summary>bfloat16, with float32 sums.</summary>
    Bf16,

    /// <summary>The faster of the two here, found by a short measurement when the run starts; the checkpoint keeps the choice.</summary>
    Auto,
}
