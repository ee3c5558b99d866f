using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Files;
using FaceDistill.Runs;
using FaceDistill.Students;
using FaceDistill.Training;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Options;
using FaceDistill.Training.Starts;

namespace FaceDistill.Jobs;

/// <summary>What a training starts from instead of random weights: another run, a student that was exported, or a published backbone.</summary>
/// <param name="finder">Finds a backbone's files.</param>
internal sealed class DistillStart(AssetFinder finder)
{
    private const int FewNames = 3;

    /// <summary>Gives a trainer the weights.</summary>
    /// <param name="trainer">Before its first step.</param>
    /// <param name="source">A run folder, a checkpoint, an exported .onnx file or a backbone's card.</param>
    /// <param name="faces">The run's faces, with the people whom it holds out.</param>
    /// <param name="measured">Whether it measures them.</param>
    /// <param name="job">Told what was taken.</param>
    /// <exception cref="FaceDistillException">The source is narrower, or damaged.</exception>
    public void Begin(Trainer trainer, string source, TrainingFaces faces, bool measured, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        var (taken, before) = Start(trainer, source, job); // before anybody is told, and where nobody listens
        job.Say?.Invoke(taken);
        if (before is not null && measured && Acquaintances(source, before.HeldOut.People ?? 0, faces) is { } acquaintances)
        {
            job.Say?.Invoke($"warning: {acquaintances}, and the TAR by which the best epoch is chosen is then no figure for strangers");
        }
    }

    // What was taken, and the options of the run that made it; null for a backbone.
    private (string Taken, DistillOptions? Before) Start(Trainer trainer, string source, JobContext job)
    {
        if (IsBackbone(source))
        {
            return (trainer.StartFrom(BackboneCard.Open(source, finder)), null);
        }

        if (IsExported(source))
        {
            var exported = ExportedStudent.Read(source);
            return (trainer.StartFrom(faces => StudentStart.Of(exported, faces)), exported.Options);
        }

        var start = StartOf(source);
        Say(start.Note, job);
        return (trainer.StartFrom(start), start.Options);
    }

    // By what the start's list says of people's names; by their numbers alone where that is of an earlier version.
    private static string? Acquaintances(string source, int before, TrainingFaces faces)
    {
        var (images, heldOut, list) = (faces.Faces.Dataset.Images, faces.HeldOut.Names, ListOf(source)!);
        var met = TrainedFaces.Met(list, faces.HeldOut.Faces.Select(i => (FaceDataset.PersonOf(images[i].Identity), images[i])));
        string[] names = [.. heldOut.Where(name => met?.Contains(name) == true)];
        bool unknown = met is null && (IsExported(source) || TrainedFaces.Read(list)?.IsPartial == true); // an exported file, or a run that began with one
        string few = string.Join(", ", names.Take(FewNames)) + (names.Length > FewNames ? ", ..." : "");
        return names.Length > 0
                ? $"the run of {source}, or one before it, was trained on {names.Length} of the {heldOut.Length} people held out ({ShownText.Of(few)}): "
                    + "lower --validation-people, or start from a run that held them out"
            : heldOut.Length > 0 && unknown
                ? $"whom the run of {source}, or one before it, held out is not known, and it may have been trained on the {heldOut.Length} people held out "
                    + "here"
            : met is null && before < heldOut.Length
                ? $"the run of {source} held out {before} people and this one {heldOut.Length}: it may have been trained on the others"
            : null;
    }

    /// <summary>Says what a checkpoint has to say.</summary>
    public static void Say(string? note, JobContext job)
    {
        if (note is not null)
        {
            job.Say?.Invoke(note);
        }
    }

    // A folder of a backbone's name is meant where there is one: what a path names is nearer than what the program brings.
    private static bool IsBackbone(string source) => !Directory.Exists(source) && BackboneCard.Is(source);

    private static bool IsExported(string source) => !Directory.Exists(source) && ExportedStudent.Is(source);

    /// <summary>Refuses what cannot be started from, before anything is computed; of a run that goes on, another start than its own.</summary>
    /// <param name="options">As asked for.</param>
    /// <param name="begun">The run folder where it goes on; null where it begins.</param>
    /// <returns>The options with the start as the run has it.</returns>
    /// <exception cref="FaceDistillException">The start is not there, narrower than the student, or another.</exception>
    public DistillOptions Required(DistillOptions options, string? begun)
    {
        if (begun is null)
        {
            Require(options.Student);
        }
        else if (options.Student.Init is { } asked && RunInfo.In(begun) && RunInfo.Read(begun).Options.Student.Init is { } made
            && asked != made) // a run that goes on by itself needs its start no more, which may be gone
        {
            RequireSame(begun, asked, "resume without --init, or choose another --output");
            return options with { Student = options.Student with { Init = made } };
        }

        return options;
    }

    /// <summary>Refuses a run that started from something else: it would be measured, or go on, as a student that it is not. Where a start lies does not
    /// count: an exported file is known by its contents, a run by its weights.</summary>
    /// <param name="run">The run folder.</param>
    /// <param name="asked">What it is to have started from, as --init takes it; null for random weights.</param>
    /// <param name="remedy">What to do where it did not.</param>
    /// <exception cref="FaceDistillException">It did.</exception>
    public static void RequireSame(string run, string? asked, string remedy)
    {
        var info = RunInfo.Read(run);
        string? made = info.Options.Student.Init;
        bool file = asked is not null && IsExported(asked) && !BackboneCard.Is(asked);
        bool same = asked is null ? made is null
            : made is not null && (BackboneCard.Is(asked) ? Backbone(info) == BackboneCard.Load(asked).Card.Name
                : file || info.StartHash is not null ? file && File.Exists(asked) && info.StartHash == FileHash.Sha256(asked)
                : Backbone(info) is null && IsRun(made, asked));
        if (!same)
        {
            string other = made is not null && made == asked && info.StartHash is { } hash ? $"other contents of {made} (SHA-256 {hash})"
                : made ?? StudentOrigin.Random;
            throw new FaceDistillException($"{run} holds a student that started from {other}, not from {asked ?? StudentOrigin.Random}"
                + $"{(file && !File.Exists(asked) ? ", which is not there" : "")}; {remedy}");
        }
    }

    // A run says what it started from where it got as far as to start.
    private static string? Backbone(RunInfo info) => info.Origins is [var origin, ..] ? origin.Kind == StudentOrigin.Backbone ? origin.Name : null
        : info.Options.Student.Init is { } init && IsBackbone(init) ? BackboneCard.Load(init).Card.Name : null;

    // Where the start still lies there it is known by its weights, else by its folder's name.
    private static bool IsRun(string made, string asked)
    {
        string[] folders = [ListOf(made)!, ListOf(asked)!];
        string[] known = folders.All(f => File.Exists(Path.Combine(f, StudentCheckpoint.FileName)))
            ? [.. folders.Select(f => RunStudent.Open(f).Hash)]
            : [.. folders.Select(f => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(f))))];
        return known[0] == known[1];
    }

    /// <summary>Refuses what cannot be started from.</summary>
    /// <exception cref="FaceDistillException">It is not there, or narrower than the student.</exception>
    public void Require(StudentOptions student)
    {
        if (student.Init is not { } source)
        {
            return;
        }

        if (IsBackbone(source))
        {
            var (card, files) = BackboneCard.Load(source);
            WeightTransfer.RequireFit(
                card.Name, InvariantText.Of($"the backbone {card.Name} of width {card.Width}"), new StudentSpec(card.Width, 224), student.Name);
            foreach (var asset in files.Assets)
            {
                finder.Find(files, asset);
            }
        }
        else if (!Directory.Exists(source) && !File.Exists(source))
        {
            string cards = string.Join(", ", Cards.Names(Cards.Backbones));
            throw new FaceDistillException($"--init {source}: there is no such run folder, checkpoint, exported .onnx file or card of a backbone; "
                + $"backbones are {cards}" + Hints.DidYouMean(source, Cards.Names(Cards.Backbones)));
        }
        else if (IsExported(source))
        {
            var exported = ExportedStudent.Read(source);
            WeightTransfer.RequireFit(source, exported.Origins[0].Name, exported.Architecture.Spec, student.Name);
        }
        else
        {
            var start = StartOf(source);
            WeightTransfer.RequireFit(start.Path, start.Description.Student, StudentSpec.Parse(start.Description.Student), student.Name);
        }
    }

    /// <summary>The run folder whose list of faces counts too. Of a published backbone only its card tells, so null; an exported file may lie anywhere,
    /// also in another's run folder, so that it is the file itself, which has no list.</summary>
    public static string? ListOf(string? source) => source is null || IsBackbone(source) ? null
        : IsExported(source) || Directory.Exists(source) ? source : Path.GetDirectoryName(Path.GetFullPath(source));

    /// <summary>The SHA-256 of an exported file; null of any other start.</summary>
    /// <exception cref="FaceDistillException">It cannot be read.</exception>
    public static string? HashOf(string? source) => source is not null && IsExported(source) ? FileHash.Sha256(source) : null;

    private static StudentCheckpoint StartOf(string source) => Directory.Exists(source) ? RunStudent.Open(source)
        : source.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) ? StudentCheckpoint.Read(source)
        : throw new FaceDistillException($"--init {source}: a start is a run folder, a checkpoint of one (.safetensors), an exported .onnx file or a "
            + "backbone's card; of other formats export the student as .onnx");
}
