using System.Text.Json.Serialization;
using FaceDistill.Students;

namespace FaceDistill.Training.Options;

/// <summary>Which student is trained, and the weights that it starts with.</summary>
public sealed record StudentOptions
{
    /// <summary>The student, for example mobilenet-v1:0.5@96.</summary>
    [JsonPropertyName("student")]
    public required string Name { get; init; }

    /// <summary>The head: gap or gdc. Default gdc, the better one where it was measured (eval/README.md, "What each part is worth").</summary>
    public HeadKind Head { get; init; } = HeadKind.Gdc;

    /// <summary>The embedding's length, 1 to 4,096 and at most the teacher's; a shorter one is the teacher's through a projector. Default null: the
    /// teacher's.</summary>
    public int? Dimension { get; init; }

    /// <summary>
    /// The run folder, checkpoint or exported .onnx file (its card beside it) whose weights the student starts with, or the card of a published backbone (a
    /// name or a .json file), of the same or a greater width;
    /// see weight transfer. Default null: random weights.
    /// </summary>
    public string? Init { get; init; }

    /// <summary>Which channels of a wider start are kept. Default reconstruction.</summary>
    public ChannelRule InitChannels { get; init; } = ChannelRule.Reconstruction;

    /// <summary>Whether layers that lost inputs to a narrower student are fitted on training faces to what the wide ones compute. Default true.</summary>
    public bool InitRefit { get; init; } = true;

    /// <summary>Checks every range.</summary>
    /// <returns>The options themselves.</returns>
    /// <exception cref="FaceDistillException">A value is out of its range; the message names it.</exception>
    public StudentOptions Validated()
    {
        StudentSpec.Parse(Name);
        string? wrong = Dimension is < 1 or > 4096 ? $"the embedding's length is 1 to 4096, not {Dimension}" : null;
        return wrong is null ? this : throw new FaceDistillException(wrong);
    }
}

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
