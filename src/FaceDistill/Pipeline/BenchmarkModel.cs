using FaceDistill.Assets;
using FaceDistill.Distillation;
using FaceDistill.Export;
using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Students;
using FaceDistill.Teachers;

namespace FaceDistill.Pipeline;

/// <summary>A model that is benchmarked: what ONNX Runtime runs, and what is known about it.</summary>
/// <param name="Argument">As the user gave it.</param>
/// <param name="Name">As evaluations name it.</param>
/// <param name="Path">The model's file.</param>
/// <param name="Contract">Its input; null for a file that FaceDistill did not export.</param>
/// <param name="Student">What the student costs; null for others.</param>
internal sealed record BenchmarkModel(string Argument, string Name, string Path, FaceContract? Contract, StudentCost? Student)
{
    private static readonly string[] Endings = [".onnx", ".ort"];

    /// <summary>Finds a model's file; a run folder's student is exported first.</summary>
    /// <param name="argument">A run folder, any .onnx file, or teacher:CARD.</param>
    /// <param name="finder">Finds a teacher's files.</param>
    /// <param name="folder">Where a run folder's export goes.</param>
    /// <exception cref="FaceDistillException">It is none of these, or is damaged.</exception>
    public static BenchmarkModel Of(string argument, AssetFinder finder, string folder)
    {
        if (ModelArgument.IsTeacher(argument))
        {
            var (card, files) = TeacherCard.Load(argument[(argument.IndexOf(':', StringComparison.Ordinal) + 1)..]);
            return new BenchmarkModel(argument, card.Name, card.FindModel(finder, files), card.Contract, null);
        }

        if (ModelArgument.IsRun(argument))
        {
            var checkpoint = RunStudent.Open(argument);
            string name = System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(argument)));
            string path = System.IO.Path.Combine(folder, $"{Guid.NewGuid():N}.onnx");
            OnnxWriter.Write(StudentOnnx.Build(checkpoint), path);
            return new BenchmarkModel(argument, $"{checkpoint.Description.Student} ({name})", path, checkpoint.Description.Contract, StudentCost.Of(checkpoint.Description.Architecture()));
        }

        return Endings.Any(e => argument.EndsWith(e, StringComparison.OrdinalIgnoreCase)) && File.Exists(argument) ? OfFile(argument)
            : throw new FaceDistillException($"'{argument}' is no model to measure: give a run folder, an {string.Join(" or ", Endings)} file, or teacher:CARD");
    }

    private static BenchmarkModel OfFile(string path)
    {
        Dictionary<string, string> metadata;
        using (var session = OnnxTeacher.Open(path))
        {
            metadata = session.ModelMetadata.CustomMetadataMap;
        }

        string file = System.IO.Path.GetFileName(path), origin = $"{path}, metadata {StudentOnnx.ContractKey}";
        return metadata.TryGetValue(StudentOnnx.ContractKey, out string? contract)
            ? new BenchmarkModel(path, $"{metadata.GetValueOrDefault(StudentOnnx.StudentKey)} ({file})", path, JsonFile.Parse<FaceContract>(contract, origin).Validated(origin), ModelArgument.Cost(path))
            : new BenchmarkModel(path, file, path, null, null);
    }
}
