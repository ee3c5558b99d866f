using FaceDistill.Assets;
using FaceDistill.Embeddings;
using FaceDistill.Export;
using FaceDistill.Export.Graphs;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Students;
using FaceDistill.Teachers;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Runs;

/// <summary>
/// Opens what the user names as a model: a run folder, a file that FaceDistill exported (.onnx, .ort, .safetensors, .tflite, .ncnn.param), or teacher:CARD.
/// </summary>
public static class ModelArgument
{
    private const string TeacherPrefix = "teacher:";
    private static readonly string[] Endings = [".onnx", ".ort", StudentSafetensors.Ending, TfliteFormat.FileEnding, NcnnNetwork.Ending];

    /// <summary>Opens a model.</summary>
    /// <param name="argument">A run folder, an exported file, or teacher:CARD.</param>
    /// <param name="finder">Finds a teacher's files.</param>
    /// <param name="device">Where the student of a run folder or a .safetensors file computes.</param>
    /// <param name="job">Told where a file of an earlier version could not be verified, and where the CPU takes the place of CUDA; null to tell
    /// nobody.</param>
    /// <param name="provider">Where ONNX Runtime computes a teacher, an .onnx or an .ort file, as in <see cref="FaceEmbedder.Load"/>.</param>
    /// <exception cref="FaceDistillException">It is none of these, or is damaged, or the provider is not there; the message says what a model argument
    /// is.</exception>
    public static IEmbedder Open(string argument, AssetFinder finder, string device, JobContext? job = null, string provider = OnnxProviders.Auto) =>
        Open(argument, finder, device, provider, job, flip: false);

    /// <summary>The same, and its embeddings of a face and of its mirror image summed where asked for.</summary>
    internal static IEmbedder Open(string argument, AssetFinder finder, string device, string provider, JobContext? job, bool flip) =>
        One(argument, finder, device, provider, job) is var model && flip ? new FlipSummed(model) : model;

    private static IEmbedder One(string argument, AssetFinder finder, string device, string provider, JobContext? job)
    {
        ArgumentNullException.ThrowIfNull(argument);
        if (argument.StartsWith(TeacherPrefix, StringComparison.Ordinal))
        {
            return TeacherCard.Open(argument[TeacherPrefix.Length..], finder, provider, job?.Say);
        }

        if (IsRun(argument))
        {
            var checkpoint = RunStudent.Open(argument, job);
            return new StudentEmbedder(checkpoint, $"{checkpoint.Description.Student} ({NameOf(argument)})", device);
        }

        return Endings.Any(e => argument.EndsWith(e, StringComparison.OrdinalIgnoreCase)) && File.Exists(argument)
            ? OpenExported(argument, device, job, provider) is var model && model is OnnxEmbedder onnx ? onnx.Seeing() : model
            : throw new FaceDistillException(Card(argument) ??
                $"'{argument}' is no model: give a run folder, an {string.Join(", ", Endings)} file that FaceDistill exported, or teacher:CARD"
                    + (Hints.Nearest(argument, Cards.Names(Cards.Teachers)) is { } card ? $"; did you mean '{TeacherPrefix}{card}'?" : ""));
    }

    /// <summary>What a student costs; null for a teacher, and for a file that does not say which student it holds.</summary>
    /// <exception cref="FaceDistillException">A run folder's checkpoint or the file is damaged.</exception>
    public static StudentCost? Cost(string argument)
    {
        if (IsTeacher(argument))
        {
            return null;
        }

        if (IsRun(argument))
        {
            return StudentCost.Of(StudentCheckpoint.Read(Path.Combine(argument, StudentCheckpoint.FileName)).Description.Architecture());
        }

        return StudentMetadata.Architecture(Metadata(argument), argument) is { } architecture ? StudentCost.Of(architecture) : null;
    }

    /// <summary>Whether an argument is a folder that 'facedistill distill' made.</summary>
    public static bool IsRun(string argument) => File.Exists(Path.Combine(argument, StudentCheckpoint.FileName));

    /// <summary>Whether torch computes an argument's model, on the device that is asked for.</summary>
    internal static bool IsTorch(string argument) => IsRun(argument) || StudentSafetensors.Is(argument);

    /// <summary>Whether ONNX Runtime computes it, by the provider that is asked for. What else there is, is verified on the CPU.</summary>
    internal static bool IsOnnx(string argument) => IsTeacher(argument) || Endings[..2].Any(e => argument.EndsWith(e, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether an argument names a teacher's card.</summary>
    public static bool IsTeacher(string argument) => argument.StartsWith(TeacherPrefix, StringComparison.Ordinal);

    /// <summary>Names by which tables, comparisons and searches tell models apart: where files of two folders have one name, what was typed is part of
    /// it.</summary>
    /// <param name="names">The models' names.</param>
    /// <param name="given">Their arguments, in the same order.</param>
    internal static IReadOnlyList<string> Apart(IReadOnlyList<string> names, IReadOnlyList<string> given)
    {
        var alike = names.ToLookup(name => name, StringComparer.Ordinal);
        return [.. names.Select((name, i) => alike[name].Count() == 1 ? name : $"{name}, {given[i]}")];
    }

    /// <summary>Opens a file that FaceDistill exported.</summary>
    /// <param name="path">An .onnx, .ort, .safetensors, .tflite or .ncnn.param file.</param>
    /// <param name="device">Where the student of a .safetensors file computes.</param>
    /// <param name="job">As for <see cref="Open(string, AssetFinder, string, JobContext?, string)"/>.</param>
    /// <param name="provider">Where ONNX Runtime computes an .onnx or .ort file, as there.</param>
    /// <exception cref="FaceDistillException">The file is missing or damaged, or does not say what it is, or the provider is not there.</exception>
    public static IEmbedder OpenExported(string path, string device, JobContext? job = null, string provider = OnnxProviders.Auto) =>
        StudentSafetensors.Is(path) ? StudentSafetensors.Open(path, device, job) : IsTflite(path) ? new TfliteEmbedder(path)
        : IsNcnn(path) ? new NcnnEmbedder(path) : ExportedModel.Open(path, provider, job?.Say);

    /// <summary>What an exported file says of itself.</summary>
    internal static IReadOnlyDictionary<string, string> Metadata(string path) =>
        Card(path) is { } line ? throw new FaceDistillException(line)
        : StudentSafetensors.Is(path) ? SafetensorsFile.Read(path).Metadata : IsTflite(path) ? TfliteReader.Metadata(path)
        : IsNcnn(path) ? NcnnNetwork.MetadataOf(path) : ExportedModel.Metadata(path);

    /// <summary>What to give instead of a teacher's card; null for what is none.</summary>
    internal static string? Card(string path) => path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && File.Exists(path)
        ? $"{path} is a card: give {TeacherPrefix}{path}" : null;

    private static bool IsTflite(string path) => path.EndsWith(TfliteFormat.FileEnding, StringComparison.OrdinalIgnoreCase);

    private static bool IsNcnn(string path) => path.EndsWith(NcnnNetwork.Ending, StringComparison.OrdinalIgnoreCase);

    private static string NameOf(string folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
}
