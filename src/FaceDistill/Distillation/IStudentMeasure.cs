using FaceDistill.Teachers;

namespace FaceDistill.Distillation;

/// <summary>How well embeddings tell held-out people apart.</summary>
/// <param name="Tar">The part of the pairs of one person that is accepted, 0 to 1; not a number where an embedding is none.</param>
/// <param name="Far">The part of the pairs of two people that may be accepted.</param>
public sealed record PeopleTar(double Tar, double Far);

/// <summary>Measures a student's embeddings of the held-out people, by which the best epoch is chosen. The rooms after this one know how.</summary>
public interface IStudentMeasure
{
    /// <summary>Measures.</summary>
    /// <param name="set">Embeddings in the teacher's space, finite, each with its person's name. The faces are the same in each call.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    PeopleTar Measure(EmbeddingSet set, CancellationToken cancel);
}
