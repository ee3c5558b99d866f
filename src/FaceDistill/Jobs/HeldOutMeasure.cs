using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Files;
using FaceDistill.Runs;
using FaceDistill.Stores;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Options;

namespace FaceDistill.Jobs;

/// <summary>
/// Measures held-out people as <see cref="ThresholdPass"/> does: all pairs, by cosine, with the exact threshold, at the smallest of the rates 1e-2, 1e-3, ...
/// that the impostor pairs permit.
/// </summary>
internal sealed class HeldOutMeasure : IStudentMeasure
{
    /// <summary>
    /// The fewest false accepts that make a rate steady enough to choose by, and the fewest genuine pairs: by the rule of 30 (Doddington et al., "The NIST
    /// speaker recognition evaluation", 2000) the true rate then lies within 30% of the measured one with 90% confidence.
    /// </summary>
    public const int FewestErrors = 30;

    private HeldOutMeasure(HeldOutInfo about) => About = about;

    /// <summary>Who is measured, and how.</summary>
    public HeldOutInfo About { get; }

    /// <summary>The measure of a run's held-out people; says in one line who they are and what the teacher reaches on them.</summary>
    /// <param name="faces">Faces and targets.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="job">Told who is held out, or that the cosine decides.</param>
    /// <returns>Null where nobody is held out, or their pairs are too few.</returns>
    /// <exception cref="FaceDistillException">Patience is asked for and nothing can be measured.</exception>
    public static HeldOutMeasure? Of(TrainingFaces faces, DistillOptions options, JobContext job)
    {
        var people = faces.HeldOut;
        string instead = faces.Validation.Length > 0 ? "the best epoch is chosen by the centred cosine on held-out faces"
            : "nothing chooses a best epoch, the last one is kept";
        if (people.Names.Length == 0)
        {
            return null;
        }

        var (genuine, impostors) = Pairs(people.Identities);
        if (FarOf(genuine, impostors) is not { } far)
        {
            string few = InvariantText.Of(
                $"the {people.Names.Length} people held out give {genuine:N0} genuine and {impostors:N0} impostor pairs, fewer than the {FewestErrors} and "
                    + $"{FewestErrors * 100L:N0} that a TAR at FAR 1e-2 needs: {instead}");
            if (options.HeldOut.Patience > 0 && faces.Validation.Length == 0)
            {
                throw new FaceDistillException($"{few}; raise --validation-people, or leave --patience out");
            }

            job.Say?.Invoke(few);
            return null;
        }

        double? teacher = options.Loss.IsDistilled ? Score(Teacher(faces), far, job.Cancel) : null;
        var about = new HeldOutInfo(people.Names.Length, people.Faces.Length, people.Measured.Length, genuine, impostors, far, teacher);
        string reaches = teacher is null ? "" : InvariantText.Of($"; the teacher reaches {100 * teacher:0.00}%");
        job.Say?.Invoke(InvariantText.Of(
            $"held out of the training: {about.People:N0} people with all their {about.Faces:N0} faces; their TAR at FAR {FarTargets.Label(far)} "
                + $"({genuine:N0} genuine and {impostors:N0} impostor pairs) chooses the best epoch{reaches}"));
        return new HeldOutMeasure(about);
    }

    /// <summary>Whether people are held out of these faces though nobody asked for it: where enough could be, and the tenth of them has pairs enough.</summary>
    /// <param name="images">The faces of all data folders.</param>
    public static bool IsUsual(IReadOnlyList<FaceImage> images)
    {
        var (genuine, impostors) = Pairs(HeldOutPeople.Usual(images).Identities);
        return FarOf(genuine, impostors) is not null;
    }

    /// <summary>The rate at which so many pairs are measured; null where they are too few for 1e-2.</summary>
    /// <param name="genuine">Pairs of one person.</param>
    /// <param name="impostors">Pairs of two people.</param>
    public static double? FarOf(long genuine, long impostors) => genuine < FewestErrors ? null
        : FarTargets.Default.Where(far => FarTargets.Permitted(far, impostors) >= FewestErrors).Select(far => (double?)far).LastOrDefault();

    /// <summary>The teacher's embeddings of the faces that are measured, each with its person's name.</summary>
    /// <param name="faces">Faces and targets.</param>
    public static EmbeddingSet Teacher(TrainingFaces faces)
    {
        var (people, images) = (faces.HeldOut, faces.Faces.Dataset.Images);
        return new EmbeddingSet(
            "teacher", faces.Dimension, faces.Embeddings(people.Measured), [.. people.Measured.Select(i => images[i].Path)], people.Identities);
    }

    /// <inheritdoc/>
    public PeopleTar Measure(EmbeddingSet set, CancellationToken cancel) => new(Score(set, About.Far, cancel), About.Far);

    private static (long Genuine, long Impostors) Pairs(string[] identities)
    {
        var groups = new IdentityGroups(identities);
        return (groups.GenuinePairs, groups.ImpostorPairs);
    }

    // An embedding of zeros has no direction and is accepted with nobody; a student that gives one is no candidate.
    private static double Score(EmbeddingSet set, double far, CancellationToken cancel) =>
        Enumerable.Range(0, set.Count).Any(i => !set.Row(i).ContainsAnyExcept(0f))
            ? 0
            : ThresholdPass.Score(set, [far], job: new JobContext(Cancel: cancel)).At(far)!.Tar;
}
