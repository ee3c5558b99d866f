using System.Text.Json.Serialization;
using FaceDistill.Files;

namespace FaceDistill.Training.Checkpoints;

/// <summary>
/// The epoch whose student is the best: by the held-out people's true accept rate where they are measured, ties and runs without people by the centred cosine.
/// </summary>
/// <param name="Epoch">From 1.</param>
/// <param name="CentredCosine">Its mean centred cosine on the held-out faces; null without any.</param>
public sealed record BestEpoch(int Epoch, double? CentredCosine)
{
    /// <summary>Its <see cref="EpochLog.PeopleTar"/>: what chose it, unless null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? PeopleTar { get; init; }

    /// <summary>The false accept rate of <see cref="PeopleTar"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? PeopleFar { get; init; }

    /// <summary>What chose it, and its value, for people to read.</summary>
    [JsonIgnore]
    public string ChosenBy => PeopleTar is null ? InvariantText.Of($"centred cosine {CentredCosine:0.0000} on held-out faces")
        : InvariantText.Of($"TAR {100 * PeopleTar:0.00}% at FAR {PeopleFar:0.####e-0} on held-out people");

    /// <summary>An epoch as a candidate; null where it measured neither people nor faces.</summary>
    /// <param name="log">The epoch.</param>
    internal static BestEpoch? Of(EpochLog log) => log.PeopleTar is null && log.CentredCosine is null ? null
        : new BestEpoch(log.Epoch, log.CentredCosine) { PeopleTar = log.PeopleTar, PeopleFar = log.PeopleFar };

    /// <summary>Whether it beats another one; of equals neither does, so that the earlier stays.</summary>
    /// <param name="other">The other one, of the same run; null for none.</param>
    internal bool Beats(BestEpoch? other) => other is null
        || (PeopleTar ?? 0, CentredCosine ?? 0).CompareTo((other.PeopleTar ?? 0, other.CentredCosine ?? 0)) > 0;
}
