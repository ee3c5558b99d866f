using System.Text.Json.Serialization;
using FaceDistill.Files;

namespace FaceDistill.Training.Options;

/// <summary>What is held out of the training to measure by, and what the measurements decide.</summary>
public sealed record HeldOutOptions
{
    /// <summary>The part of the faces held out to measure agreement with the teacher, 0 to 0.5. Default 0.02.</summary>
    [JsonPropertyName("validation")]
    public double Part { get; init; } = 0.02;

    /// <summary>
    /// How many people with two pictures or more are held out with all their pictures, to choose the best epoch by their true accept rate, 0 (none) to 100,000;
    /// see people held out for who they are. Default null: a tenth of those who could be, at most 300, where there are 100 or more and their pairs
    /// permit a measurement; without a teacher none.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    [JsonPropertyName("validationPeople")]
    public int? People { get; init; }

    /// <summary>Which student is exported and evaluated: best (by the held-out people's true accept rate, else by the centred cosine on the held-out faces) or
    /// last. Default best.</summary>
    public KeepKind Keep { get; init; }

    /// <summary>Epochs without a better one after which the training ends, 0 (never) to 10,000. Default 0.</summary>
    public int Patience { get; init; }

    /// <summary>Checks every range.</summary>
    /// <returns>The options themselves.</returns>
    /// <exception cref="FaceDistillException">A value is out of its range; the message names it.</exception>
    public HeldOutOptions Validated()
    {
        string? wrong = Patience is < 0 or > 10_000 ? $"the patience is 0 to 10000 epochs, not {Patience}"
            : People is < 0 or > 100_000 ? $"the people held out are 0 to 100000, not {People}"
            : Patience > 0 && Part == 0 && People is not > 0 ? "patience needs held-out faces or people; give --validation or --validation-people above 0"
            : !(Part is >= 0 and <= 0.5) ? InvariantText.Of($"the validation part is 0 to 0.5, not {Part}")
            : null;
        return wrong is null ? this : throw new FaceDistillException(wrong);
    }
}

/// <summary>Which student of a run is exported and evaluated.</summary>
public enum KeepKind
{
    /// <summary>
    /// The one of the best epoch: by the held-out people's true accept rate, or by the centred cosine on held-out faces (best epoch).
    /// </summary>
    Best,

    /// <summary>The one at the end of the last epoch.</summary>
    Last,
}
