using System.Runtime.InteropServices;
using System.Text.Json.Serialization;
using FaceDistill.Datasets;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Kernels;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Options;
using Microsoft.ML.OnnxRuntime;
using OpenCvSharp;

namespace FaceDistill.Runs;

/// <summary>Where and with what a run was made.</summary>
/// <param name="Version">FaceDistill's version.</param>
/// <param name="System">The operating system.</param>
/// <param name="Framework">The .NET runtime.</param>
/// <param name="Cores">Processor cores; of a training of several ranks those of all.</param>
/// <param name="Device">The device as asked for.</param>
public sealed record RunEnvironment(string Version, string System, string Framework, int Cores, string Device)
{
    /// <summary>The libraries that compute, with their versions.</summary>
    public string? Libraries { get; init; }

    /// <summary>How many processes trained together under MPI when the run began; null for one alone, and in files of earlier versions.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Ranks { get; init; }

    /// <summary>This machine.</summary>
    public static RunEnvironment Here(string device)
    {
        TorchNative.EnsureLoaded(); // asking torch its version would load it otherwise
        return new RunEnvironment(typeof(RunEnvironment).Assembly.GetName().Version!.ToString(3), RuntimeInformation.OSDescription,
            RuntimeInformation.FrameworkDescription, Environment.ProcessorCount, device)
        {
            Libraries = $"libtorch {TorchSharp.torch.__version__}, {Named(typeof(TorchSharp.torch))}, {Named(typeof(OrtEnv))}, {Named(typeof(Mat))}",
        };
    }

    /// <summary>The same for a training of several processes, each of which computes on as many cores as torch has threads here.</summary>
    internal static RunEnvironment Here(string device, int ranks) => ranks == 1 ? Here(device)
        : Here(device) with { Cores = ranks * TorchSharp.torch.get_num_threads(), Ranks = ranks };

    private static string Named(Type type) => $"{type.Assembly.GetName().Name} {type.Assembly.GetName().Version!.ToString(3)}";
}

/// <summary>The people who are held out of a training with all their pictures.</summary>
/// <param name="People">How many.</param>
/// <param name="Faces">All their pictures: none of them trains.</param>
/// <param name="Measured">The pictures that are measured.</param>
/// <param name="GenuinePairs">Pairs of one person among these.</param>
/// <param name="ImpostorPairs">Pairs of two people.</param>
/// <param name="Far">The false accept rate at which they are measured.</param>
/// <param name="TeacherTar">What the teacher reaches, 0 to 1; null without a teacher.</param>
public sealed record HeldOutInfo(int People, int Faces, int Measured, long GenuinePairs, long ImpostorPairs, double Far, double? TeacherTar);

/// <summary>run.json of a run folder: everything about a run that is known when it begins.</summary>
/// <param name="Options">The resolved options.</param>
/// <param name="Teacher">The teacher's name.</param>
/// <param name="TeacherHash">The teacher's SHA-256.</param>
/// <param name="Data">The training data's folder.</param>
/// <param name="Aligned">The folder of the training faces: aligned ones, or the photos whose faces the cache holds.</param>
/// <param name="Images">The number of training and validation faces.</param>
/// <param name="Synthetic">Whether the faces are drawn, not photographed.</param>
/// <param name="Environment">Where it was made.</param>
/// <param name="Started">When it was begun, UTC.</param>
public sealed record RunInfo(
    DistillOptions Options, string Teacher, string TeacherHash, string Data, string Aligned, int Images, bool Synthetic, RunEnvironment Environment,
        DateTime Started)
{
    private const string FileName = "run.json";

    /// <summary>What the faces are known by: SHA-256 over content and identity of each, in order; null in runs of earlier versions.</summary>
    public string? FacesId { get; init; }

    /// <summary>What the teacher is known by: SHA-256 of its network and input contract; null without a teacher and in runs of earlier versions.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TeacherId { get; init; }

    /// <summary>Whether a teacher is another than the run's, by its network or by how its card lets it see a face; false where the run does not say.</summary>
    /// <param name="id">What the teacher is known by; null where the training has none: its options differ then.</param>
    internal bool HasOtherTeacher(string? id) => TeacherId is not null && id is not null && TeacherId != id;

    /// <summary>What earlier versions kept in place of <see cref="FacesId"/>; read, so that their runs can be, and not used.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? DataHash { get; init; }

    /// <summary>The training data's folders, so that an evaluation on the same people is noticed; null in runs of earlier versions.</summary>
    public IReadOnlyList<DataFolder>? TrainedOn { get; init; }

    /// <summary>The people by whose faces the best epoch is chosen; null where nobody is measured.</summary>
    public HeldOutInfo? HeldOut { get; init; }

    /// <summary>How many pictures of the data an exclusion list kept from training; they stand in <see cref="ExcludedFileName"/>.</summary>
    public int Excluded { get; init; }

    /// <summary>SHA-256 of that list as it was given; null without one.</summary>
    public string? ExclusionHash { get; init; }

    /// <summary>The file in a run folder that names the excluded pictures, as an <see cref="ExclusionList"/>; without any, there is no such file.</summary>
    public const string ExcludedFileName = "excluded.txt";

    /// <summary>What the student started from, the nearest first; null for random weights.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<StudentOrigin>? Origins { get; init; }

    /// <summary>SHA-256 of the exported file that the student started from; null where it started from anything else.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? StartHash { get; init; }

    /// <summary>Reads a run folder's.</summary>
    /// <exception cref="FaceDistillException">It is missing or malformed.</exception>
    public static RunInfo Read(string folder) => JsonFile.Read<RunInfo>(Path.Combine(folder, FileName));

    /// <summary>Whether a run folder has one.</summary>
    public static bool In(string folder) => File.Exists(Path.Combine(folder, FileName));

    /// <summary>Whether a run was begun in a folder: it may have been killed before its first checkpoint, or before it wrote anything but its lock.</summary>
    /// <param name="folder">The run folder.</param>
    internal static bool Begun(string folder) =>
        new[] { FileName, Recipe.FileName, StudentCheckpoint.FileName, FolderLock.FileName }.Any(name => File.Exists(Path.Combine(folder, name)));

    /// <summary>Writes it into a run folder.</summary>
    public void Write(string folder) => JsonFile.Write(Path.Combine(folder, FileName), this);
}

/// <summary>One evaluation noted in a run folder.</summary>
/// <param name="Data">The test data's name.</param>
/// <param name="Result">The document of <c>evaluate --json</c>.</param>
public sealed record RunEvaluation(string Data, EvaluationResult Result)
{
    /// <summary>The run's student among the result's models; null where an earlier version noted it.</summary>
    public string? Student { get; init; }

    /// <summary>What the measured faces are known by, so that two test sets of one name are not taken for one; null where an earlier version noted
    /// it.</summary>
    public string? FacesId { get; init; }

    /// <summary>Whether the measured faces are drawn, of people who do not exist; false also where an earlier version noted it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Drawn { get; init; }

    /// <summary>SHA-256 of that student's checkpoint, so that the figures of earlier weights are not taken for those of later ones.</summary>
    public string? StudentHash { get; init; }
}

/// <summary>The evaluations noted in a run folder: evaluation-PROTOCOL-DATA-ID.json, where ID begins what the measured faces are known by.</summary>
internal static class RunEvaluations
{
    private const string Prefix = "evaluation-";

    /// <summary>Notes one; the same protocol on the same faces replaces the earlier one.</summary>
    /// <exception cref="FaceDistillException">The folder cannot be written.</exception>
    public static void Write(string run, RunEvaluation evaluation)
    {
        ArgumentNullException.ThrowIfNull(evaluation);
        JsonFile.Write(Path.Combine(run, $"{Prefix}{evaluation.Result.Protocol}-{evaluation.Data}-{evaluation.FacesId?[..8]}.json"), evaluation);
    }

    /// <summary>Reads all, in ordinal order of their file names.</summary>
    /// <exception cref="FaceDistillException">One is damaged.</exception>
    public static IReadOnlyList<RunEvaluation> Read(string run) =>
        [.. Directory.EnumerateFiles(run, Prefix + "*.json").Order(StringComparer.Ordinal).Select(JsonFile.Read<RunEvaluation>)];
}
