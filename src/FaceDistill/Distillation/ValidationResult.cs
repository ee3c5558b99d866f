namespace FaceDistill.Distillation;

/// <summary>How near a student is to its teacher on the held-out faces; no labels are needed.</summary>
/// <param name="Loss">The part of the teacher's variance that is not explained.</param>
/// <param name="Cosine">Mean cosine of the embeddings as they are. High by chance where embeddings share a large mean (0.88 between strangers for dlib-resnet).</param>
/// <param name="CentredCosine">Mean cosine of the embeddings less the training faces' mean: 0 by chance. The best epoch is chosen by it where no people are
/// measured (<see cref="PeopleTar"/>).</param>
public sealed record ValidationResult(double Loss, double Cosine, double CentredCosine)
{
    /// <summary>Whether the student's embeddings are numbers.</summary>
    public bool IsFinite => double.IsFinite(Loss + Cosine + CentredCosine);
}
