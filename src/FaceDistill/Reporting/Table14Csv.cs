using System.Globalization;
using System.Text;
using FaceDistill.Evaluation;
using FaceDistill.Formats;
using FaceDistill.Students;

namespace FaceDistill.Reporting;

/// <summary>A table as CSV: a row a student, every figure in a column of its own, rates as fractions.</summary>
internal static class Table14Csv
{
    private static readonly (string Head, Func<Table14Line, object?> Value)[] Columns =
    [
        ("student", l => l.Student),
        ("tarAt1e-4", l => l.Tar), ("tarLow95", l => l.TarInterval?[0]), ("tarHigh95", l => l.TarInterval?[1]),
        ("impostorPairs", l => l.Measured.ImpostorPairs), ("genuinePairs", l => l.Measured.GenuinePairs),
        ("teacherTarAt1e-4", l => Tar(l.Teacher)), ("retention", l => l.Measured.RetentionAt1e4),
        ("retentionLow95", l => l.Measured.RetentionInterval95At1e4?[0]), ("retentionHigh95", l => l.Measured.RetentionInterval95At1e4?[1]),
        ("paperAccuracy", l => l.Paper?.AccuracyPercent / 100), ("paperRetention", l => l.Paper?.AccuracyPercent / Table14.Rows[0].AccuracyPercent),
        ("tenFoldAccuracy", l => l.Folds?.Models[0].TenFoldAccuracy), ("tenFoldStandardError", l => l.Folds?.Models[0].TenFoldStandardError),
        ("multAdds", l => l.Cost.MultAdds), ("multAddsWithoutHead", l => l.Cost.MultAddsBackbone), ("paperMillionMultAdds", l => l.Paper?.MillionMultAdds),
        ("parameters", l => l.Cost.Parameters), ("parametersWithoutHead", l => l.Cost.ParametersBackbone), ("paperMillionParameters", l => l.Paper?.MillionParameters),
        ("init", l => l.Training.Init), ("faces", l => l.Training.Faces), ("epochs", l => l.Training.Epochs), ("images", l => l.Training.Images),
        ("minutes", l => l.Training.Minutes), ("cores", l => l.Training.Cores), ("loss", l => l.Training.Log[^1].Loss), ("validationLoss", l => l.Training.Log[^1].ValidationLoss),
        ("centredCosine", l => l.Training.Log.Max(e => e.CentredCosine)),
        ("onnxBytes", l => l.Files.OnnxBytes), ("int8Bytes", l => l.Files.Int8Bytes), ("int8TarAt1e-4", l => l.Files.Int8Tar),
        ("int8TarLow95", l => l.Files.Int8TarInterval95?[0]), ("int8TarHigh95", l => l.Files.Int8TarInterval95?[1]),
        ("speedup", l => l.Files.Speedup), ("int8Speedup", l => l.Files.Int8Speedup),
        ("withoutTeacherTarAt1e-4", l => l.Baseline is { } b ? Tar(b.Measured) : null),
    ];

    /// <summary>The text of table14.csv.</summary>
    public static string Of(Table14Result result)
    {
        var text = new StringBuilder().AppendJoin(',', Columns.Select(c => c.Head)).Append('\n');
        foreach (var line in result.Lines)
        {
            text.AppendJoin(',', Columns.Select(c => Csv.Field(Convert.ToString(c.Value(line), CultureInfo.InvariantCulture) ?? ""))).Append('\n');
        }

        return text.ToString();
    }

    private static double? Tar(ModelJson model) => model.TarAtFar?.GetValueOrDefault(ReportFormat.DecidingFar);
}
