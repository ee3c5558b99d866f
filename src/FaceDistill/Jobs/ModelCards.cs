using FaceDistill.Assets;
using FaceDistill.Embeddings;
using FaceDistill.Export;
using FaceDistill.Export.Graphs;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Reports;
using FaceDistill.Runs;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Jobs;

/// <summary>Brings together what a model card says.</summary>
/// <param name="finder">Finds data sets, for their licences.</param>
internal sealed class ModelCards(AssetFinder finder)
{
    /// <summary>Makes an export's card.</summary>
    /// <param name="request">What was exported.</param>
    /// <param name="checkpoint">The student.</param>
    /// <param name="outcome">How the file agrees with it.</param>
    /// <param name="file">The file, written to the end.</param>
    /// <param name="accuracy">What was measured.</param>
    /// <param name="thresholds">Those that the file carries.</param>
    /// <exception cref="FaceDistillException">The run is not whole, or a card is malformed.</exception>
    public ModelCard Of(
        ExportRequest request, StudentCheckpoint checkpoint, ExportOutcome outcome, string file,
        IReadOnlyList<ModelCardAccuracy> accuracy, IReadOnlyList<StudentThreshold> thresholds)
    {
        var description = checkpoint.Description;
        var cost = StudentCost.Of(description.Architecture());
        var info = RunInfo.Read(request.Run);
        return new ModelCard
        {
            File = Path.GetFileName(request.Path),
            Format = request.Format.Name,
            OperatorSet = request.Format is OnnxFormat ? OnnxWriter.OperatorSet : null,
            Sha256 = FileHash.Sha256(file),
            Bytes = new FileInfo(file).Length,
            Student = description.Student,
            Dimension = description.Dimension,
            MultAdds = cost.MultAdds,
            Parameters = cost.Parameters,
            Teacher = TrainingData.Teacher(request.Run, description.Teacher),
            TeacherSha256 = description.TeacherHash,
            // A card is published: where a student or pictures lay on this machine tells others nothing.
            Origins = [.. checkpoint.Origins.Select(o => o.Kind == StudentOrigin.Student ? o with { Source = NameOf(o.Source) } : o)],
            Data = [.. TrainingData.Sources(request.Run, finder).Select(s => s with { Name = Published(s.Name) })],
            TrainingFaces = info.Images,
            Synthetic = info.Synthetic,
            Epochs = checkpoint.State.Epoch,
            Unfinished = RunStudent.Unfinished(request.Run),
            Recipe = checkpoint.Options.Student.Init is { } init
                ? checkpoint.Options with { Student = checkpoint.Options.Student with { Init = NameOf(init) } } : checkpoint.Options,
            Companions = [.. request.Format.Companions(file).Select(f => new ModelCardFile(Path.GetFileName(f), FileHash.Sha256(f), new FileInfo(f).Length))],
            Input = Input(description.Contract, request, description.Dimension),
            Output = Output(request, description),
            Verification = outcome,
            Accuracy = accuracy,
            Thresholds = thresholds,
            Version = typeof(ModelCards).Assembly.GetName().Version!.ToString(3),
            Made = DateTime.UtcNow,
        };
    }

    private static string NameOf(string path) => Path.GetFileName(Path.TrimEndingDirectorySeparator(path));

    // "FOLDER", or "FOLDER (LIST)" for a part of it.
    private static string Published(string data) => string.Join(
        " (", data.Split(" (").Select(part => Path.GetFileName(part.TrimEnd(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar))));

    private static ModelCardInput Input(ModelInputSpec contract, ExportRequest request, int dimension)
    {
        int size = contract.Size;
        string scaling = InvariantText.Of($"(value - {contract.Mean[0]}) / {contract.Std[0]}");
        var points = AlignmentTemplate.Named(contract.Template).PointsInView(size);
        return new ModelCardInput(
            request.Format.HasProcessing ? request.Format.Tensors(request.Processing, size, dimension).Input : $"float32 [batch, 3, {size}, {size}]",
            "channels red, green, blue",
            request.Processing.Preprocess
                ? $"Values 0 to 255 as they are; the graph itself does {scaling}."
                : $"Each channel value of 0 to 255 becomes {scaling}.",
            contract.Template,
            [.. points.Select(p => (IReadOnlyList<double>)[Math.Round(p.X, 4), Math.Round(p.Y, 4)])]);
    }

    private static string Output(ExportRequest request, StudentDescription student)
    {
        bool taught = student.TeacherHash.Length > 0;
        return !request.Format.HasProcessing
            ? $"float32 [batch, {student.Dimension}]; times target_scale plus target_mean it is "
                + (taught ? "in the teacher's space" : "as the other formats give it")
            : $"{request.Format.Tensors(request.Processing, student.Contract.Size, student.Dimension).Output}, "
                + $"{(request.Processing.Normalize ? "of unit length" : taught ? "in the teacher's space, its length as the teacher's" : "of any length")}";
    }
}
