using FaceDistill.Embeddings;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Agreement;
using FaceDistill.Evaluation.Results;
using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Stores;

namespace FaceDistill.Jobs;

/// <summary>Tells how a student agrees with its teacher: image by image, and as probes in the teacher's gallery.</summary>
public static class AgreementJob
{
    /// <summary>Compares each model with the teacher, on the images that a protocol scores all with all.</summary>
    /// <param name="protocol">One of <see cref="Evaluator.Protocols"/>.</param>
    /// <param name="sets">The models' embeddings.</param>
    /// <param name="teacher">Which of them is the teacher.</param>
    /// <param name="protocolFolder">Where the protocol's files lie.</param>
    /// <param name="fars">The false accept rates of the search; null for the defaults.</param>
    /// <param name="job">Told how many pairs are scored.</param>
    /// <returns>One document for each model of the teacher's dimension; none where the protocol does not score all pairs.</returns>
    /// <exception cref="FaceDistillException">As for one model.</exception>
    public static IReadOnlyList<AgreementJson> RunAll(
        string protocol, IReadOnlyList<EmbeddingSet> sets, int teacher, string? protocolFolder, IReadOnlyList<double>? fars,
        JobContext job)
    {
        ArgumentNullException.ThrowIfNull(sets);
        var results = new List<AgreementJson>();
        if (Evaluator.AllPairsOf(protocol, sets[teacher], protocolFolder) is not { } reference)
        {
            return results;
        }

        foreach (var set in sets.Where((_, i) => i != teacher))
        {
            if (set.Dimension != reference.Dimension)
            {
                job.Say?.Invoke($"{set.Name} gives {set.Dimension} values and {reference.Name} {reference.Dimension}: two spaces, so their agreement is not "
                    + $"measured");
                continue;
            }

            results.Add(Run(reference, Evaluator.AllPairsOf(protocol, set, protocolFolder)!, fars, job));
        }

        return results;
    }

    /// <summary>Runs both measurements.</summary>
    /// <param name="teacher">The teacher's embeddings.</param>
    /// <param name="student">The student's, of the same images.</param>
    /// <param name="fars">The false accept rates of the search; null for <see cref="FarTargets.Default"/>.</param>
    /// <param name="job">Told how many pairs are scored.</param>
    /// <returns>The document; without a search where an image has no identity.</returns>
    /// <exception cref="FaceDistillException">Other images, another dimension, an unusable embedding, or no genuine or no
    /// impostor pair among images with identities.</exception>
    public static AgreementJson Run(
        EmbeddingSet teacher,
        EmbeddingSet student,
        IReadOnlyList<double>? fars = null,
        JobContext? job = null)
    {
        job ??= JobContext.None;
        ArgumentNullException.ThrowIfNull(teacher);
        var agreement = AgreementMeasure.Run(teacher, student);
        bool labelled = !Array.Exists(teacher.Identities, string.IsNullOrWhiteSpace);
        return AgreementJson.Of(agreement, labelled ? CrossModelSearch.Run(teacher, student, fars, job) : null);
    }
}
