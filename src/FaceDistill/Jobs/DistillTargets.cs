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
    : IDisposable
{
    private readonly OpenParts _files = new();

    /// <summary>Embeds what is not embedded yet.</summary>
    /// <param name="job">Told of every batch.</param>
    /// <returns>Faces with targets, which are read from the cache as they are wanted, until this is disposed.</returns>
    /// <exception cref="FaceDistillException">A face or the teacher is not right, or the student's embedding is to be longer than the teacher's.</exception>
    public TrainingFaces Prepare(JobContext job)
    {
        if (!options.Loss.IsDistilled)
        {
            var none = new NoEmbeddings(faces.Dataset.Images.Count, options.Student.Dimension ?? teacher.Dimension);
            job.Say?.Invoke($"training without a teacher: identities alone decide, and only people can be held out ({teacher.Name} gives the alignment only)");
            var mirroredNone = options.Targets.Mirror ? none : null;
            return new TrainingFaces(faces, none, mirroredNone, 0, options.Run.Seed, options.HeldOut.People ?? 0) { Augmented = Views(null, _ => none) };
        }

        bool mirror = options.Targets is { Mirror: true, IsAugmented: false }; // views are mirrored or not themselves
        FaceView[] views = mirror ? [FaceView.Original, FaceView.Mirrored] : [FaceView.Original];
        var embedded = new FaceEmbeddings(teacher, faces);
        var kept = embedded.Kept([.. views.Select(EmbeddedView.Of)], _files, job);
        Say("", embedded, job);
        var projector = ProjectorOf(kept[0], job);
        IEmbeddingRows Projected(IEmbeddingRows rows) => projector is null ? rows : new ProjectedRows(rows, projector);
        return new TrainingFaces(faces, Projected(kept[0]), mirror ? Projected(kept[1]) : null, options.HeldPart, options.Run.Seed, People)
        {
            Projector = projector,
            Augmented = Augmented(projector, Projected, job),
        };
    }

    /// <summary>Ends the reading of targets.</summary>
    public void Dispose() => _files.Dispose();

    private static void Say(string views, FaceEmbeddings embedded, JobContext job) =>
        job.Say?.Invoke($"the teacher's embeddings{views} {(embedded.Computed == 0 ? "were in the cache" : "are in the cache now")}");

    private int? People => options.HeldOut.People ?? (HeldOutMeasure.IsUsual(faces.Dataset.Images) ? null : 0);

    private Projector? ProjectorOf(IEmbeddingRows original, JobContext job)
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
        int[] training = new TrainingFaces(faces, original, null, options.HeldPart, options.Run.Seed, People).Training;
        var projector = Projector.Fit(original, training, dimension);
        projector.Write(output, teacher.Name, teacher.Hash);
        job.Say?.Invoke(InvariantText.Of(
            $"projector {teacher.Dimension} to {dimension}: keeps {projector.Kept:0.00%} of the teacher's embeddings "
                + $"({Path.Combine(output, Projector.FileName)})"));
        return projector;
    }

    private AugmentedTargets? Augmented(
        Projector? projector, Func<IEmbeddingRows, IEmbeddingRows> projected, JobContext job)
    {
        if (!options.Targets.IsAugmented || options.Targets.Mode == TargetMode.Live)
        {
            return Views(projector is null ? teacher : new ProjectedTeacher(teacher, projector),
                _ => throw new InvalidOperationException("live targets are not cached"));
        }

        var targets = new AugmentedTargets(options.Targets.Augment, options.Targets.Mirror, options.Run.Seed);
        var embedded = new FaceEmbeddings(teacher, faces);
        var kept = embedded.Kept([.. Enumerable.Range(0, options.Targets.Views).Select(targets.Embedded)], _files, job);
        Say($" of {options.Targets.Views} augmented views", embedded, job);
        return Views(null, view => projected(kept[view]));
    }

    private AugmentedTargets? Views(IEmbedder? live, Func<int, IEmbeddingRows> cached)
    {
        var targets = new AugmentedTargets(options.Targets.Augment, options.Targets.Mirror, options.Run.Seed) { MixUp = options.Targets.MixUp };
        return !options.Targets.IsAugmented ? null
            : options.Targets.Mode == TargetMode.Live ? targets with { Teacher = live }
            : targets with { Cached = [.. Enumerable.Range(0, options.Targets.Views).Select(cached)] };
    }
}
