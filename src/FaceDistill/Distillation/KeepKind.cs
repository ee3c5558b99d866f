namespace FaceDistill.Distillation;

/// <summary>Which student of a run is exported and evaluated.</summary>
public enum KeepKind
{
    /// <summary>
    /// The one of the best epoch: by the held-out people's true accept rate, or by the centred cosine on held-out faces (<see cref="BestEpoch"/>).
    /// </summary>
    Best,

    /// <summary>The one at the end of the last epoch.</summary>
    Last,
}
