using FaceDistill.Assets;
using FaceDistill.Files;
using FaceDistill.Runs;
using FaceDistill.Students;
using FaceDistill.Training;
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
    /// <param name="heldOut">The people whom this run holds out and measures.</param>
    /// <param name="job">Told what was taken.</param>
    /// <exception cref="FaceDistillException">The source is narrower, or damaged.</exception>
    public void Begin(Trainer trainer, string source, string[] heldOut, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(trainer);
        var (taken, before) = Start(trainer, source, job); // before anybody is told, and where nobody listens
        job.Say?.Invoke(taken);
        if (before is not null && Acquaintances(source, before.HeldOut.People ?? 0, heldOut) is { } acquaintances)
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
    private static string? Acquaintances(string source, int before, string[] heldOut)
    {
        var met = TrainedFaces.Met(ListOf(source)!, heldOut);
        string[] names = [.. heldOut.Where(name => met?.Contains(name) == true)];
        string few = string.Join(", ", names.Take(FewNames)) + (names.Length > FewNames ? ", ..." : "");
        return names.Length > 0
                ? $"the run of {source}, or one before it, was trained on {names.Length} of the {heldOut.Length} people held out ({ShownText.Of(few)}): "
                    + "lower --validation-people, or start from a run that held them out"
            : met is null && heldOut.Length > 0 && IsExported(source)
                ? $"whom the run of {source} held out is not known, and it may have been trained on the {heldOut.Length} people held out here"
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

    /// <summary>Refuses what cannot be started from, before anything is computed.</summary>
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

    /// <summary>The run folder whose list of faces counts too. Of a published backbone only its card tells, so null; an exported file may lie anywhere, also in
    /// another's run folder, so that it is the file itself, which has no list.</summary>
    public static string? ListOf(string? source) => source is null || IsBackbone(source) ? null
        : IsExported(source) || Directory.Exists(source) ? source : Path.GetDirectoryName(Path.GetFullPath(source));

    /// <summary>The SHA-256 of an exported file; null of any other start.</summary>
    /// <exception cref="FaceDistillException">It cannot be read.</exception>
    public static string? HashOf(string? source) => source is not null && IsExported(source) ? FileHash.Sha256(source) : null;

    private static StudentCheckpoint StartOf(string source) => Directory.Exists(source) ? RunStudent.Open(source) : StudentCheckpoint.Read(source);
}
