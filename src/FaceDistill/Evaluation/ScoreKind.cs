namespace FaceDistill.Evaluation;

/// <summary>How two embeddings make a score; higher is more alike.</summary>
public enum ScoreKind
{
    /// <summary>The cosine of the angle between the embeddings; their lengths do not count.</summary>
    Cosine,

    /// <summary>
    /// Minus the Euclidean distance of the embeddings as the model gave them, not scaled to unit length; 0 for equal ones.
    /// (On embeddings of unit length it ranks pairs as the cosine does.)
    /// </summary>
    Euclidean,
}
