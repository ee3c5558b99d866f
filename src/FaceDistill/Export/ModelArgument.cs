using System.Globalization;
using FaceDistill.Assets;
using FaceDistill.Distillation;
using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Students;
using FaceDistill.Teachers;

namespace FaceDistill.Export;

/// <summary>Opens what the user names as a model: a run folder, an .onnx file that FaceDistill exported, or teacher:CARD.</summary>
public static class ModelArgument
{
    private const string TeacherPrefix = "teacher:";

    /// <summary>Opens a model.</summary>
    /// <param name="argument">A run folder, an .onnx file, or teacher:CARD.</param>
    /// <param name="finder">Finds a teacher's files.</param>
    /// <param name="device">Where a run folder's student computes.</param>
    /// <exception cref="FaceDistillException">It is none of these, or is damaged; the message says what a model argument is.</exception>
    public static IEmbedder Open(string argument, AssetFinder finder, string device)
    {
        ArgumentNullException.ThrowIfNull(argument);
        if (argument.StartsWith(TeacherPrefix, StringComparison.Ordinal))
        {
            return TeacherCard.Open(argument[TeacherPrefix.Length..], finder);
        }

        if (IsRun(argument))
        {
            var checkpoint = RunStudent.Open(argument);
            return new StudentEmbedder(checkpoint, $"{checkpoint.Description.Student} ({NameOf(argument)})", device);
        }

        return argument.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase) && File.Exists(argument)
            ? OpenExported(argument)
            : throw new FaceDistillException($"'{argument}' is no model: give a run folder, an .onnx file that FaceDistill exported, or teacher:CARD");
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

        using var session = OnnxTeacher.Open(argument);
        var metadata = session.ModelMetadata.CustomMetadataMap;
        return metadata.TryGetValue(StudentOnnx.StudentKey, out string? student)
            && Enum.TryParse(metadata.GetValueOrDefault(StudentOnnx.HeadKey), out HeadKind head) && Enum.IsDefined(head)
            && int.TryParse(metadata.GetValueOrDefault(StudentOnnx.DimensionKey), CultureInfo.InvariantCulture, out int dimension) && dimension > 0
            ? StudentCost.Of(new MobileNetV1Architecture(StudentSpec.Parse(student), head, dimension)) : null;
    }

    /// <summary>Whether an argument is a folder that 'facedistill distill' made.</summary>
    public static bool IsRun(string argument) => File.Exists(Path.Combine(argument, StudentCheckpoint.FileName));

    /// <summary>Whether an argument names a teacher's card.</summary>
    public static bool IsTeacher(string argument) => argument.StartsWith(TeacherPrefix, StringComparison.Ordinal);

    private static OnnxTeacher OpenExported(string path)
    {
        string? contract, student;
        using (var session = OnnxTeacher.Open(path))
        {
            contract = session.ModelMetadata.CustomMetadataMap.GetValueOrDefault(StudentOnnx.ContractKey);
            student = session.ModelMetadata.CustomMetadataMap.GetValueOrDefault(StudentOnnx.StudentKey);
        }

        if (contract is null)
        {
            throw new FaceDistillException($"{path} does not say what input it wants (FaceDistill did not export it); write a card for it and give teacher:CARD.json");
        }

        string origin = $"{path}, metadata {StudentOnnx.ContractKey}";
        return new OnnxTeacher($"{student} ({Path.GetFileName(path)})", path, JsonFile.Parse<FaceContract>(contract, origin).Validated(origin));
    }

    private static string NameOf(string folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
}
