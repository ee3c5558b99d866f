using System.Globalization;
using System.Text;
using FaceDistill.Evaluation;
using FaceDistill.Formats;
using FaceDistill.Students;

namespace FaceDistill.Reporting;

/// <summary>A table as CSV: a row a student, every figure in a column of its own, rates as fractions.</summary>
internal static class Table14Csv
{
    private static readonly (string Head, Func<Table14Line, Table14StudentSpeed?, object?> Value)[] Columns =
    [
        ("student", (l, _) => l.Student),
        ("tarAt1e-4", (l, _) => l.Tar), ("tarLow95", (l, _) => l.TarInterval?[0]), ("tarHigh95", (l, _) => l.TarInterval?[1]),
        ("impostorPairs", (l, _) => l.Measured.ImpostorPairs), ("genuinePairs", (l, _) => l.Measured.GenuinePairs),
        ("teacherTarAt1e-4", (l, _) => Tar(l.Teacher)), ("retention", (l, _) => l.Measured.RetentionAt1e4),
        ("retentionLow95", (l, _) => l.Measured.RetentionInterval95At1e4?[0]), ("retentionHigh95", (l, _) => l.Measured.RetentionInterval95At1e4?[1]),
        ("paperAccuracy", (l, _) => l.Paper?.AccuracyPercent / 100), ("paperRetention", (l, _) => l.Paper?.AccuracyPercent / Table14.Rows[0].AccuracyPercent),
        ("tenFoldAccuracy", (l, _) => l.Folds?.Models[0].TenFoldAccuracy), ("tenFoldStandardError", (l, _) => l.Folds?.Models[0].TenFoldStandardError),
        ("multAdds", (l, _) => l.Cost.MultAdds), ("multAddsWithoutHead", (l, _) => l.Cost.MultAddsBackbone), ("paperMillionMultAdds", (l, _) => l.Paper?.MillionMultAdds),
        ("parameters", (l, _) => l.Cost.Parameters), ("parametersWithoutHead", (l, _) => l.Cost.ParametersBackbone), ("paperMillionParameters", (l, _) => l.Paper?.MillionParameters),
        ("init", (l, _) => l.Training.Init), ("startedFrom", (l, _) => l.Training.StartedFrom), ("faces", (l, _) => l.Training.Faces), ("epochs", (l, _) => l.Training.Epochs), ("images", (l, _) => l.Training.Images),
        ("learningRate", (l, _) => l.Training.LearningRate), ("keptEpoch", (l, _) => l.Training.KeptEpoch), ("minutes", (l, _) => l.Training.Minutes), ("cores", (l, _) => l.Training.Cores), ("loss", (l, _) => l.Training.Kept.Loss), ("validationLoss", (l, _) => l.Training.Kept.ValidationLoss),
        ("centredCosine", (l, _) => l.Training.Kept.CentredCosine),
        ("onnxBytes", (l, _) => l.Files.OnnxBytes), ("int8Bytes", (l, _) => l.Files.Int8Bytes), ("int8TarAt1e-4", (l, _) => l.Files.Int8Tar),
        ("int8TarLow95", (l, _) => l.Files.Int8TarInterval95?[0]), ("int8TarHigh95", (l, _) => l.Files.Int8TarInterval95?[1]),
        ("speedup", (_, s) => s?.Speedup), ("int8Speedup", (_, s) => s?.Int8Speedup),
        ("withoutTeacherTarAt1e-4", (l, _) => l.Baseline is { } b ? Tar(b.Measured) : null), ("withoutTeacherFaces", (l, _) => l.Baseline?.Faces), ("withoutTeacherEpochs", (l, _) => l.Baseline?.Epochs),
    ];

    /// <summary>The text of table14.csv.</summary>
    public static string Of(Table14Result result)
    {
        var text = new StringBuilder().AppendJoin(',', Columns.Select(c => c.Head)).Append('\n');
        foreach (var line in result.Lines)
        {
            text.AppendJoin(',', Columns.Select(c => Csv.Field(Convert.ToString(c.Value(line, result.Speed?.Of(line)), CultureInfo.InvariantCulture) ?? ""))).Append('\n');
        }

        return text.ToString();
    }

    private static double? Tar(ModelJson model) => model.TarAtFar?.GetValueOrDefault(ReportFormat.DecidingFar);
}
