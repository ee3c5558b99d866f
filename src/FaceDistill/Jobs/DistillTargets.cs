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
internal sealed class DistillTargets(IEmbedder teacher, AlignedFaces faces, DistillOptions options, string output)
{
    /// <summary>Embeds what is not embedded yet.</summary>
    /// <param name="job">Told of every batch.</param>
    /// <returns>Faces with targets, and the hash of the faces (<see cref="ImageListHash"/>).</returns>
    /// <exception cref="FaceDistillException">A face or the teacher is not right, or the student's embedding is to be longer than the teacher's.</exception>
    public (TrainingFaces Faces, string Hash) Prepare(JobContext job)
    {
        if (!options.Loss.IsDistilled)
        {
            int dimension = options.Student.Dimension ?? teacher.Dimension;
            job.Say?.Invoke($"training without a teacher: identities alone decide, and only people can be held out ({teacher.Name} gives the alignment only)");
            string hash = ImageListHash.Compute(faces.Dataset.Root, [.. faces.Dataset.Images.Select(i => i.Path)], job);
            var none = TrainingFaces.NoEmbeddings(faces, dimension);
            var mirroredNone = options.Targets.Mirror ? none : null;
            return (new TrainingFaces(faces, none, mirroredNone, 0, options.Run.Seed, options.HeldOut.People ?? 0) { Augmented = Views(null, _ => none) },
                hash);
        }

        FaceView[] views = options.Targets.Mirror ? [FaceView.Original, FaceView.Mirrored] : [FaceView.Original];
        var embedded = new FolderEmbeddings(teacher, faces);
        embedded.Embed([.. views.Select(EmbeddedView.Of)], job);
        job.Say?.Invoke($"teacher embeddings {(embedded.Computed > 0 ? "" : "found ")}in {string.Join(", ", embedded.Folders)}");
        EmbeddingSet Read(FaceView view) => embedded.Read(EmbeddedView.NameOf(view), job.Cancel);
        var original = Read(FaceView.Original);
        var projector = ProjectorOf(original, job);
        EmbeddingSet Projected(EmbeddingSet set) => projector?.Apply(set) ?? set;
        var mirrored = options.Targets.Mirror ? Projected(Read(FaceView.Mirrored)) : null;
        var training = new TrainingFaces(faces, Projected(original), mirrored, options.HeldOut.Part, options.Run.Seed, People)
        {
            Augmented = Augmented(projector, Projected, job),
        };
        return (training, embedded.ImagesHash);
    }

    private int? People => options.HeldOut.People ?? (HeldOutMeasure.IsUsual(faces.Dataset.Images) ? null : 0);

    private Projector? ProjectorOf(EmbeddingSet original, JobContext job)
    {
        if (options.Student.Dimension is not { } dimension || dimension == teacher.Dimension)
        {
            return null;
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
        var embedded = new FolderEmbeddings(teacher, faces);
        embedded.Embed([.. Enumerable.Range(0, options.Targets.Views).Select(targets.Embedded)], job);
        string found = embedded.Computed > 0 ? "" : "found ";
        job.Say?.Invoke($"the teacher's embeddings of {options.Targets.Views} augmented views {found}in {string.Join(", ", embedded.Folders)}");
        return Views(null, view => projected(embedded.Read(targets.Name(view), job.Cancel)));
    }

    private AugmentedTargets? Views(IEmbedder? live, Func<int, EmbeddingSet> cached)
    {
        var targets = new AugmentedTargets(options.Targets.Augment, options.Targets.Mirror, options.Run.Seed) { MixUp = options.Targets.MixUp };
        return !options.Targets.IsAugmented ? null
            : options.Targets.Mode == TargetMode.Live ? targets with { Teacher = live }
            : targets with { Cached = [.. Enumerable.Range(0, options.Targets.Views).Select(cached)] };
    }
}
