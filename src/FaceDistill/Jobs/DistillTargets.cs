using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Files;
using FaceDistill.Stores;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Options;
using FaceDistill.Views;

namespace FaceDistill.Jobs;

/// <summary>What a run's faces are trained towards: the teacher's embeddings of each view, through a projector where the student's are shorter, or nothing but
/// identities.</summary>
/// <param name="teacher">The teacher.</param>
/// <param name="faces">The aligned faces.</param>
/// <param name="options">The run's options.</param>
/// <param name="output">The run folder, where the projector is kept.</param>
/// <param name="resumes">Whether the run goes on, with the projector that it began with.</param>
internal sealed class DistillTargets(IEmbedder teacher, AlignedFaces faces, DistillOptions options, string output, bool resumes)
{
    /// <summary>Embeds what is not embedded yet.</summary>
    /// <param name="job">Told of every batch.</param>
    /// <returns>Faces with targets.</returns>
    /// <exception cref="FaceDistillException">A face or the teacher is not right, or the student's embedding is to be longer than the teacher's.</exception>
    public TrainingFaces Prepare(JobContext job)
    {
        if (!options.Loss.IsDistilled)
        {
            int dimension = options.Student.Dimension ?? teacher.Dimension;
            job.Say?.Invoke($"training without a teacher: identities alone decide, and only people can be held out ({teacher.Name} gives the alignment only)");
            var none = TrainingFaces.NoEmbeddings(faces, dimension);
            var mirroredNone = options.Targets.Mirror ? none : null;
            return new TrainingFaces(faces, none, mirroredNone, 0, options.Run.Seed, options.HeldOut.People ?? 0) { Augmented = Views(null, _ => none) };
        }

        FaceView[] views = options.Targets.Mirror ? [FaceView.Original, FaceView.Mirrored] : [FaceView.Original];
        var embedded = new FaceEmbeddings(teacher, faces);
        var sets = embedded.Of([.. views.Select(EmbeddedView.Of)], job);
        Say("", embedded, job);
        var original = sets[0];
        var projector = ProjectorOf(original, job);
        EmbeddingSet Projected(EmbeddingSet set) => projector?.Apply(set) ?? set;
        var mirrored = options.Targets.Mirror ? Projected(sets[1]) : null;
        return new TrainingFaces(faces, Projected(original), mirrored, options.HeldOut.Part, options.Run.Seed, People)
        {
            Augmented = Augmented(projector, Projected, job),
        };
    }

    private static void Say(string views, FaceEmbeddings embedded, JobContext job) =>
        job.Say?.Invoke($"the teacher's embeddings{views} {(embedded.Computed == 0 ? "were in the cache" : "are in the cache now")}");

    private int? People => options.HeldOut.People ?? (HeldOutMeasure.IsUsual(faces.Dataset.Images) ? null : 0);

    private Projector? ProjectorOf(EmbeddingSet original, JobContext job)
    {
        if (options.Student.Dimension is not { } dimension || dimension == teacher.Dimension)
        {
            return null;
        }

        if (resumes)
        {
            return Projector.Read(output, teacher.Dimension, dimension);
        }

        // By the faces that train alone, as everything that is measured for the student.
        int[] training = new TrainingFaces(faces, original, null, options.HeldOut.Part, options.Run.Seed, People).Training;
        var projector = Projector.Fit(original.Of(training), dimension);
        projector.Write(output, teacher.Name, teacher.Hash);
        job.Say?.Invoke(InvariantText.Of(
            $"projector {teacher.Dimension} to {dimension}: keeps {projector.Kept:0.00%} of the teacher's embeddings "
                + $"({Path.Combine(output, Projector.FileName)})"));
        return projector;
    }

    private AugmentedTargets? Augmented(
        Projector? projector, Func<EmbeddingSet, EmbeddingSet> projected, JobContext job)
    {
        if (!options.Targets.IsAugmented || options.Targets.Mode == TargetMode.Live)
        {
            return Views(projector is null ? teacher : new ProjectedTeacher(teacher, projector),
                _ => throw new InvalidOperationException("live targets are not cached"));
        }

        var targets = new AugmentedTargets(options.Targets.Augment, options.Targets.Mirror, options.Run.Seed);
        var embedded = new FaceEmbeddings(teacher, faces);
        var sets = embedded.Of([.. Enumerable.Range(0, options.Targets.Views).Select(targets.Embedded)], job);
        Say($" of {options.Targets.Views} augmented views", embedded, job);
        return Views(null, view => projected(sets[view]));
    }

    private AugmentedTargets? Views(IEmbedder? live, Func<int, EmbeddingSet> cached)
    {
        var targets = new AugmentedTargets(options.Targets.Augment, options.Targets.Mirror, options.Run.Seed) { MixUp = options.Targets.MixUp };
        return !options.Targets.IsAugmented ? null
            : options.Targets.Mode == TargetMode.Live ? targets with { Teacher = live }
            : targets with { Cached = [.. Enumerable.Range(0, options.Targets.Views).Select(cached)] };
    }
}
