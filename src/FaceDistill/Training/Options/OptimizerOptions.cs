using System.Text.Json.Serialization;
using FaceDistill.Files;
using FaceDistill.Training.Optimizers;

namespace FaceDistill.Training.Options;

/// <summary>How gradients become steps.</summary>
public sealed record OptimizerOptions
{
    /// <summary>adamw, muon or sgd (Nesterov's momentum 0.9). Default muon: it needs less than half of AdamW's epochs (eval/README.md).</summary>
    [JsonPropertyName("optimizer")]
    public OptimizerKind Kind { get; init; } = OptimizerKind.Muon;

    /// <summary>The highest learning rate, above 0 and at most 1. Default <see cref="UsualLearningRate"/> of Muon without a start.</summary>
    public double LearningRate { get; init; } = UsualLearningRate(OptimizerKind.Muon);

    /// <summary>How the learning rate falls: cosine, linear or wsd (stable, then linear over the last third). Default linear: at few epochs it learned more
    /// than cosine (eval/README.md).</summary>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Linear;

    /// <summary>Epochs over which the learning rate rises linearly from 0: 0 to 100, not necessarily whole. Default 0.3.</summary>
    public double WarmupEpochs { get; init; } = 0.3;

    /// <summary>
    /// The weight decay, 0 to 1: decoupled with AdamW and Muon, added to the gradient with SGD; not applied to batch norms and biases. Default
    /// <see cref="UsualWeightDecay"/> of Muon.
    /// </summary>
    public double WeightDecay { get; init; } = UsualWeightDecay(OptimizerKind.Muon);

    /// <summary>The decay of the weights' moving average, which is what is measured and exported: 0 (none) or up to 0.99999. Default 0: beside a learning rate
    /// that falls to 0 it was worth nothing (eval/README.md).</summary>
    public double Ema { get; init; }

    /// <summary>The largest norm of a step's gradients, 0 (no limit) to 1000. Default 1.</summary>
    public double Clip { get; init; } = 1;

    /// <summary>
    /// A learning rate to begin with: for Muon 1.6e-2, or 8e-3 where the student starts from another one or a backbone; 4e-3 for AdamW (both in
    /// eval/README.md); 0.1 for
    /// SGD, the usual rate with momentum 0.9.
    /// </summary>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="starts">Whether the student starts from other weights than random ones.</param>
    public static double UsualLearningRate(OptimizerKind optimizer, bool starts = false) => optimizer switch
    {
        OptimizerKind.AdamW => 4e-3,
        OptimizerKind.Muon => starts ? 8e-3 : 1.6e-2,
        OptimizerKind.Sgd => 0.1,
        _ => throw new ArgumentOutOfRangeException(nameof(optimizer), optimizer, "no such optimizer"),
    };

    /// <summary>
    /// A weight decay to begin with: 0.1 for Muon (Liu et al., 2025, and eval/README.md) and 0.02 for AdamW, which multiply it by the learning rate only; 1e-4
    /// for SGD.
    /// </summary>
    /// <param name="optimizer">The optimizer.</param>
    public static double UsualWeightDecay(OptimizerKind optimizer) => optimizer switch
    {
        OptimizerKind.AdamW => 0.02,
        OptimizerKind.Muon => 0.1,
        OptimizerKind.Sgd => 1e-4,
        _ => throw new ArgumentOutOfRangeException(nameof(optimizer), optimizer, "no such optimizer"),
    };

    /// <summary>Checks every range.</summary>
    /// <returns>The options themselves.</returns>
    /// <exception cref="FaceDistillException">A value is out of its range; the message names it.</exception>
    public OptimizerOptions Validated()
    {
        string? wrong = !(LearningRate is > 0 and <= 1) ? InvariantText.Of($"the learning rate is above 0 and at most 1, not {LearningRate}")
            : !(WarmupEpochs is >= 0 and <= 100) ? InvariantText.Of($"warm-up epochs are 0 to 100, not {WarmupEpochs}")
            : !(WeightDecay is >= 0 and <= 1) ? InvariantText.Of($"the weight decay is 0 to 1, not {WeightDecay}")
            : !(Ema is >= 0 and <= 0.99999) ? InvariantText.Of($"the decay of the moving average is 0 to 0.99999, not {Ema}")
            : !(Clip is >= 0 and <= 1000) ? InvariantText.Of($"the clipping norm is 0 to 1000, not {Clip}")
            : null;
        return wrong is null ? this : throw new FaceDistillException(wrong);
    }
}
