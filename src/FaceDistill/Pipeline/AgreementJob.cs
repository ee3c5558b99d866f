using FaceDistill.Evaluation;
using FaceDistill.Teachers;

namespace FaceDistill.Pipeline;

/// <summary>Tells how a student agrees with its teacher: image by image, and as probes in the teacher's gallery.</summary>
public static class AgreementJob
{
    /// <summary>Runs both measurements.</summary>
    /// <param name="teacher">The teacher's embeddings.</param>
    /// <param name="student">The student's, of the same images.</param>
    /// <param name="fars">The false accept rates of the search; null for <see cref="FarTargets.Default"/>.</param>
    /// <param name="progress">Told how many pairs are scored.</param>
    /// <param name="cancel">Stops the scoring.</param>
    /// <returns>The document; without a search where an image has no identity.</returns>
    /// <exception cref="FaceDistillException">Other images, another dimension, an unusable embedding, or no genuine or no
    /// impostor pair among images with identities.</exception>
    public static AgreementJson Run(
        EmbeddingSet teacher,
        EmbeddingSet student,
        IReadOnlyList<double>? fars = null,
        IProgress<WorkProgress>? progress = null,
        CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        var agreement = Agreement.Run(teacher, student);
        bool labelled = !Array.Exists(teacher.Identities, string.IsNullOrWhiteSpace);
        return AgreementJson.Of(agreement, labelled ? CrossModelSearch.Run(teacher, student, fars, progress, cancel) : null);
    }
}
