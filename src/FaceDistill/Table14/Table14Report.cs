using System.Text;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Reports.Pages;
using FaceDistill.Students;
using static FaceDistill.Reports.Pages.ReportFormat;

namespace FaceDistill.Table14;

/// <summary>A table's files: table14.json, table14.csv, table14.md, table14.svg and report.html.</summary>
internal static class Table14Report
{
    /// <summary>Writes them, all or none.</summary>
    /// <exception cref="FaceDistillException">The folder cannot be written.</exception>
    public static void Write(Table14Result result, string folder)
    {
        ArgumentNullException.ThrowIfNull(result);
        StagedFiles.WriteTexts(folder,
            ("table14.json", JsonFile.Serialize(result) + "\n"),
            ("table14.csv", Table14Csv.Of(result)),
            ("table14.md", Table14Markdown.Of(result)),
            ("report.html", Table14Html.Of(result)),
            ("table14.svg", Table14Plots.Known(result).Count > 0 ? SvgFile.Of(Table14Plots.Accuracy(result, "table14")) : null));
    }

    /// <summary>What the table says, in a sentence.</summary>
    public static string Verdict(Table14Result result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var best = result.Lines.Where(l => l.Measured.RetentionAt1e4 is not null).MaxBy(l => l.Tar);
        return best is null ? $"No row of the table is finished and has an accuracy at FAR 1e-4"
            : InvariantText.Of(
                $"{(result.Synthetic ? "On drawn faces, which say nothing about people: " : "")}{best.ShortName}"
                    + $"{(best.Training.IsWarm ? $" (started from {best.Training.StartedFrom})" : "")} keeps {Percent(best.Measured.RetentionAt1e4)} of "
                    + $"{result.Teacher}'s accuracy at FAR 1e-4{Bracket(best.Measured.RetentionInterval95At1e4)}, where the paper's best student keeps "
                    + $"{100 * PaperTable.Rows[1].AccuracyPercent / PaperTable.Rows[0].AccuracyPercent:0.0}% of FaceNet's");
    }
}

/// <summary>A table as Markdown.</summary>
internal static class Table14Markdown
{
    /// <summary>The text of table14.md.</summary>
    public static string Of(Table14Result result)
    {
        var text = new StringBuilder(
            $"# {ShownText.Of(Table14Report.Verdict(result))}\n\n`{ShownText.Of(result.Command)}`\n\n"
                + $"{(Table14Plots.Known(result).Count > 0 ? "![accuracy against mult-adds](table14.svg)\n\n" : "")}");
        foreach (var table in Table14Table.Of(result))
        {
            text.Append($"## {ShownText.Of(table.Title)}\n\n{ShownText.Of(table.Caption)}.\n\n");
            Table(text, result, table);
        }

        text.Append($"{ShownText.Of(Table14Order.Sentence(result))}\n\n## Notes\n\n");
        text.AppendJoin("", Table14Notes.Of(result).Select(n => $"- {ShownText.Of(n)}\n"));
        text.Append("\n## Commands\n\n```\n").AppendJoin("", result.Lines.Select(l => $"{ShownText.Of(l.Command)}\n")).Append("```\n");
        return text.ToString();
    }

    private static void Table(StringBuilder text, Table14Result result, Table14Table table)
    {
        void Line(IEnumerable<string> cells) =>
            text.Append("| ").AppendJoin(
                " | ", cells.Select(c => ShownText.Of(c).Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "\\<", StringComparison.Ordinal)))
            .Append(" |\n");
        Line(["student", .. table.Columns.Select(c => c.Head)]);
        Line(["---", .. table.Columns.Select(_ => "---")]);
        if (result.Lines.Count > 0)
        {
            Line([$"teacher: {result.Teacher}", .. table.Columns.Select(c => c.Teacher(result.Lines[0]))]);
        }

        foreach (var line in result.Lines)
        {
            Line([line.Label, .. table.Columns.Select(c => c.Student(line))]);
        }

        text.Append('\n');
    }
}

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
        ("paperAccuracy", (l, _) => l.Paper?.AccuracyPercent / 100),
            ("paperRetention", (l, _) => l.Paper?.AccuracyPercent / PaperTable.Rows[0].AccuracyPercent),
        ("tenFoldAccuracy", (l, _) => l.Folds?.Models[0].TenFoldAccuracy), ("tenFoldStandardError", (l, _) => l.Folds?.Models[0].TenFoldStandardError),
        ("multAdds", (l, _) => l.Cost.MultAdds), ("multAddsWithoutHead", (l, _) => l.Cost.MultAddsBackbone),
            ("paperMillionMultAdds", (l, _) => l.Paper?.MillionMultAdds),
        ("parameters", (l, _) => l.Cost.Parameters), ("parametersWithoutHead", (l, _) => l.Cost.ParametersBackbone),
            ("paperMillionParameters", (l, _) => l.Paper?.MillionParameters),
        ("init", (l, _) => l.Training.Init), ("startedFrom", (l, _) => l.Training.StartedFrom), ("faces", (l, _) => l.Training.Faces),
            ("epochs", (l, _) => l.Training.Epochs), ("images", (l, _) => l.Training.Images),
        ("learningRate", (l, _) => l.Training.LearningRate), ("keptEpoch", (l, _) => l.Training.KeptEpoch), ("minutes", (l, _) => l.Training.Minutes),
            ("cores", (l, _) => l.Training.Cores), ("loss", (l, _) => l.Training.Kept.Loss), ("validationLoss", (l, _) => l.Training.Kept.ValidationLoss),
        ("centredCosine", (l, _) => l.Training.Kept.CentredCosine),
        ("onnxBytes", (l, _) => l.Files.OnnxBytes), ("int8Bytes", (l, _) => l.Files.Int8Bytes), ("int8TarAt1e-4", (l, _) => l.Files.Int8Tar),
        ("int8TarLow95", (l, _) => l.Files.Int8TarInterval95?[0]), ("int8TarHigh95", (l, _) => l.Files.Int8TarInterval95?[1]),
        ("speedup", (_, s) => s?.Speedup), ("int8Speedup", (_, s) => s?.Int8Speedup),
        ("withoutTeacherTarAt1e-4", (l, _) => l.Baseline is { } b ? Tar(b.Measured) : null), ("withoutTeacherFaces", (l, _) => l.Baseline?.Faces),
            ("withoutTeacherEpochs", (l, _) => l.Baseline?.Epochs),
    ];

    /// <summary>The text of table14.csv.</summary>
    public static string Of(Table14Result result) => Csv.Text(
        string.Join(',', Columns.Select(c => c.Head)),
        result.Lines.Select(line => Columns.Select(c => c.Value(line, result.Speed?.Of(line)))));

    private static double? Tar(ModelResult model) => model.TarAtFar?.GetValueOrDefault(ReportFormat.DecidingFar);
}
