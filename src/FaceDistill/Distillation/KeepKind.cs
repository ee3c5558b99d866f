namespace FaceDistill.Distillation;

/// <summary>Which student of a run is exported and evaluated.</summary>
public enum KeepKind
{
    /// <summary>The one with the highest centred cosine to the teacher on the held-out faces.</summary>
    Best,

    /// <summary>The one at the end of the last epoch.</summary>
    Last,
}
