using FaceDistill.Assets;
using FaceDistill.Cluster;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Export;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Kernels;
using FaceDistill.Reports;
using FaceDistill.Runs;
using FaceDistill.Stores;
using FaceDistill.Students;
using FaceDistill.Teachers;
using FaceDistill.Training;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Losses;
using FaceDistill.Training.Options;
using FaceDistill.Training.Starts;

namespace FaceDistill.Jobs;

/// <summary>What to distil.</summary>
/// <param name="Teacher">The teacher's card.</param>
/// <param name="Data">The training faces, one folder or several: raw photos or aligned faces; identities tell whom to hold out, and are trained on by ArcFace
/// only.</param>
/// <param name="Aligned">The template that the user says the pictures are aligned to; null to go by alignment.json.</param>
/// <param name="Options">The run's options.</param>
/// <param name="Output">The run folder.</param>
/// <param name="Resume">Whether to take up an interrupted run of the same options.</param>
public sealed record DistillRequest(string Teacher, IReadOnlyList<DataFolder> Data, string? Aligned, DistillOptions Options, string Output, bool Resume)
{
    /// <summary>The recipe that these come from; null without one.</summary>
    public Recipe? Recipe { get; init; }

    /// <summary>The training data as the user named it; null for the folders' paths.</summary>
    public IReadOnlyList<string>? DataNames { get; init; }

    /// <summary>The processes that train together (<see cref="Cluster.Ranks.Join"/>); null for this one alone.</summary>
    public Ranks? Ranks { get; init; }

    /// <summary>Where ONNX Runtime computes the teacher: cpu, cuda, directml, openvino, coreml, or auto, as in <see cref="FaceEmbedder.Load"/>.</summary>
    public string Provider { get; init; } = OnnxProviders.Auto;
}

/// <summary>From photos to an exported student: align, embed with the teacher, train, export, report.</summary>
public sealed class DistillJob(AssetFinder finder)
{
    /// <summary>The exported file's name in a run folder.</summary>
    public const string ExportName = "student.onnx";

    /// <summary>Aligned faces, the teacher's embeddings, the training, the export.</summary>
    internal const int Parts = 4;

    /// <summary>Runs it.</summary>
    /// <returns>What the run folder's report says.</returns>
    /// <exception cref="OperationCanceledException">Cancelled; the checkpoint holds everything done so far.</exception>
    /// <exception cref="FaceDistillException">Something given is not right, or the training failed; the message says what.</exception>
    /// <exception cref="ArgumentException">This is not the first of the request's ranks.</exception>
    public RunReportData Run(DistillRequest request, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Ranks is { IsFirst: false })
        {
            throw new ArgumentException($"rank {request.Ranks.Rank} follows the first one: {nameof(Follow)}", nameof(request));
        }

        RankedRun.ShareCores(request.Ranks);
        var faces = Trained(request, job);
        var export = new ExportRequest(request.Output, new OnnxFormat(), Path.Combine(request.Output, ExportName)) { Device = request.Options.Run.Device };
        new ExportJob(finder).WriteOnce(export, faces, job.Part(4, Parts));
        var report = RunReport.Write(request.Output);
        Resolved(request, report.Run.Options, report.TrainingSeconds / 60).Write(request.Output);
        request.Ranks?.Meet();
        return report;
    }

    /// <summary>
    /// What the other ranks do while the first one runs: they compute their parts of the batches, and write and tell nothing. Only the first one is
    /// cancelled: it keeps what was done, and when it ends the launcher ends the others.
    /// </summary>
    /// <param name="request">The first rank's request; its run folder is on a file system that all share.</param>
    /// <exception cref="FaceDistillException">As for <see cref="Run"/>; also where this machine finds other faces than the first one's.</exception>
    public void Follow(DistillRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var ranks = request.Ranks ?? throw new ArgumentException("no ranks are given", nameof(request));
        RankedRun.ShareCores(ranks);
        ranks.Meet(); // the first has aligned and embedded what the cache lacked, and begun the run folder
        if (!RunInfo.In(request.Output))
        {
            throw new FaceDistillException(
                $"{request.Output} is not the first rank's run folder, or not seen from here: all ranks have one, on a file system that they share");
        }

        Trained(request, new JobContext());
        ranks.Meet();
    }

    private AlignedFaces Trained(DistillRequest request, JobContext job)
    {
        bool first = request.Ranks?.IsFirst != false;
        var options = request.Options.Validated();
        if (request.Data.Select(d => d.Exclude).Distinct(StringComparer.Ordinal).Count() > 1)
        {
            throw new FaceDistillException("all training folders of a run have the same exclusion list, which names the folders: join the lists into one file");
        }

        string checkpointPath = Path.Combine(request.Output, StudentCheckpoint.FileName);
        if (File.Exists(checkpointPath) && !request.Resume && first)
        {
            throw new FaceDistillException($"{request.Output} holds a run already; continue it with --resume, or choose another --output");
        }

        TorchDevice.Resolve(options.Run.Device); // here and below: before hours of embedding
        options = new DistillStart(finder).Required(options, File.Exists(checkpointPath) ? request.Output : null);
        using var held = first ? FolderLock.Take(request.Output) : null;
        if (request.Ranks is not null)
        {
            RankedRun.Require(options.Run, request.Ranks, File.Exists(checkpointPath) ? StudentCheckpoint.Read(checkpointPath).Options.Run : null);
        }

        using var teacher = TeacherCard.Open(request.Teacher, finder, request.Provider, job.Say);
        var faces = new FaceSource(finder).Open(request.Data, teacher.Contract.Template, request.Aligned, job.Part(1, Parts));
        IdentityNotes.Tell(faces.Dataset.Images.Select(i => i.Identity), job);
        RequireFaces(faces, teacher, Decided(options, checkpointPath), File.Exists(checkpointPath));
        bool begins = first && (!RunInfo.In(request.Output) || !File.Exists(checkpointPath));
        string excluded = string.Concat(faces.Excluded.Order(StringComparer.Ordinal).Select(line => line + "\n"));
        BegunRun.RequireExcluded(request.Output, excluded, begins);
        var description = DescriptionOf(teacher, options);
        if (!begins)
        {
            BegunRun.Require(request.Output, faces, teacher, options);
            if (File.Exists(checkpointPath))
            {
                ResumeRules.Require(StudentCheckpoint.Read(checkpointPath), options, description, request.Output); // before anything is written
            }
        }

        using var targets = new DistillTargets(teacher, faces, Decided(options, checkpointPath), request.Output, !begins);
        bool alone = begins && request.Ranks is null; // what one rank measures by itself is not the time of all
        var training = targets.Prepare(job.Part(2, Parts, alone ? TrainingSeconds(options, teacher.Dimension, faces.Dataset.Images.Count, job) : null));
        var people = HeldOutMeasure.Of(training, options, job);
        if (begins)
        {
            BegunRun.WriteExcluded(request.Output, excluded);
            TrainedFaces.Write(request.Output, faces, DistillStart.ListOf(options.Student.Init), training.HeldOut.Faces);
            bool synthetic = faces.Manifest.IsDrawn;
            new RunInfo(options, description.Teacher, description.TeacherHash, DataName(request), faces.Dataset.Root, faces.Dataset.Images.Count, synthetic,
                RunEnvironment.Here(options.Run.Device, request.Ranks?.Count ?? 1), DateTime.UtcNow)
            {
                FacesId = faces.Id,
                TeacherId = BegunRun.TeacherId(teacher, options),
                TrainedOn = [.. request.Data.Select(d => d with { Exclude = null })], // the pictures themselves stand beside
                HeldOut = people?.About,
                Excluded = faces.Excluded.Count,
                ExclusionHash = request.Data[0].Exclude is { } list ? FileHash.Sha256(list) : null,
                StartHash = DistillStart.HashOf(options.Student.Init),
            }.Write(request.Output);
            Resolved(request, options, null).Write(request.Output);
        }

        if (first)
        {
            request.Ranks?.Meet();
        }

        Train(training, description, options, request, people, job.Part(3, Parts));
        return faces;
    }

    // While the teacher embeds: what the training after it is going to take. A short one is not worth the steps that tell.
    private static double? TrainingSeconds(DistillOptions options, int dimension, int faces, JobContext job) =>
        options.Run.Minutes is { } minutes ? 60 * minutes
        : job.Progress is not null && TrainingCost.IsLong(faces, options) ? 60 * TrainingCost.Measure(options, dimension, faces, job.Cancel).Minutes : null;

    // A resumed run holds out whom it held out at its beginning; a run of before people could be held out, nobody.
    private static DistillOptions Decided(DistillOptions options, string checkpoint) =>
        options.HeldOut.People is not null || !File.Exists(checkpoint) ? options
            : options with { HeldOut = options.HeldOut with { People = StudentCheckpoint.Read(checkpoint).Options.HeldOut.People ?? 0 } };

    private static Recipe Resolved(DistillRequest request, DistillOptions options, double? minutes) => new()
    {
        About = request.Recipe?.About ?? $"{options.Student.Name} from {request.Teacher}",
        Command = $"facedistill distill --recipe {Path.Combine(request.Output, Recipe.FileName)} --output DIR",
        ExpectedMinutes = minutes,
        Teacher = request.Teacher,
        Data = request.DataNames ?? [.. request.Data.Select(d => d.Root)],
        Aligned = request.Aligned,
        Exclude = request.Data[0].Exclude,
        Options = minutes is null ? options : options with { Run = options.Run with { Minutes = null } }, // they became epochs
    };

    private static string DataName(DistillRequest request) =>
        string.Join(", ", request.Data.Select(d => d.People is null ? d.Root : $"{d.Root} ({Path.GetFileName(d.People)})"));

    private static StudentDescription DescriptionOf(IEmbedder teacher, DistillOptions options)
    {
        var contract = FaceTensor.StudentContract(StudentSpec.Parse(options.Student.Name).Resolution, teacher.Contract.Template);
        var (name, hash) = options.Loss.IsDistilled ? (teacher.Name, teacher.Hash) : (StudentDescription.NoTeacher, "");
        return new StudentDescription(options.Student.Name, options.Student.Head, options.Student.Dimension ?? teacher.Dimension, contract, name, hash);
    }

    // What the teacher and the number of faces do not permit, without any embedding.
    private static void RequireFaces(AlignedFaces faces, IEmbedder teacher, DistillOptions options, bool resumes)
    {
        if (options.Loss.IsDistilled && options.Student.Dimension > teacher.Dimension)
        {
            throw new FaceDistillException(
                $"a student's embedding is at most as long as its teacher's: --dimension {options.Student.Dimension}, {teacher.Name} has {teacher.Dimension}");
        }

        int? people = options.HeldOut.People ?? (options.Loss.IsDistilled && HeldOutMeasure.IsUsual(faces.Dataset.Images) ? null : 0);
        var split = new TrainingFaces(faces, new NoEmbeddings(faces.Dataset.Images.Count, 1), null, options.HeldPart, options.Run.Seed, people);
        split.RequireBatch(options.Run.BatchSize);
        if (options.HeldOut.Patience > 0 && !resumes && split.Validation.Length + split.HeldOut.Names.Length == 0)
        {
            throw new FaceDistillException($"--patience needs held-out faces or people, and of {faces.Dataset.Images.Count} faces none is held out; "
                + "raise --validation or --validation-people, or leave --patience out");
        }

        if (options.Loss.ArcFace > 0)
        {
            WeightedLoss.RequirePeople(split.PeopleCount);
        }
    }

    private void Train(
        TrainingFaces faces, StudentDescription description, DistillOptions options, DistillRequest request, IStudentMeasure? people,
        JobContext job)
    {
        string path = Path.Combine(request.Output, StudentCheckpoint.FileName);
        var checkpoint = File.Exists(path) ? StudentCheckpoint.Read(path) : null;
        options = checkpoint is null ? options : options.With(checkpoint.Options);
        using var trainer = new Trainer(faces, description, options, request.Output, people, ranks: request.Ranks);
        if (checkpoint is not null)
        {
            DistillStart.Say(checkpoint.Note, job);
            trainer.Resume(checkpoint);
            job.Say?.Invoke(checkpoint.State.IsFinished(checkpoint.Options.Run.Epochs) ? $"{request.Output} is finished already: nothing is left to train"
                : $"resumed at epoch {checkpoint.State.Epoch + 1}, step {checkpoint.State.Step + 1}");
        }
        else if (options.Student.Init is { } source && request.Ranks?.IsFirst != false)
        {
            new DistillStart(finder).Begin(trainer, source, faces, measured: people is not null, job);
            (RunInfo.Read(request.Output) with { Origins = trainer.Origins }).Write(request.Output);
        }

        var state = trainer.Run(job);
        if (state.Best is { } best)
        {
            job.Say?.Invoke(InvariantText.Of($"best epoch {best.Epoch} of {state.Epoch}: {best.ChosenBy}"));
        }
    }
}
