using System.Text;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Reports.Pages;
using FaceDistill.Students;
using static FaceDistill.Reports.Pages.ReportFormat;

namespace FaceDistill.Table14;

/// <summary>A table's files: table14.json, table14.csv, table14.md, report.html, and two plots, table14.svg and table14-retention.svg.</summary>
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
            ("table14.svg", Has(result) ? SvgFile.Of(Table14Plots.Accuracy(result, Table14Test.All(result)[0], "table14")) : null),
            ("table14-retention.svg", result.Lines.Any(l => l.Measured.RetentionAt1e4 is not null && l.Tar is not null)
                ? SvgFile.Of(Table14Plots.Retention(result, Table14Test.All(result)[0], "retention")) : null));
    }

    /// <summary>Whether a row has an accuracy at 1e-4.</summary>
    public static bool Has(Table14Result result) => Table14Plots.Known(result, Table14Test.All(result)[0]).Count > 0;

    /// <summary>What the table says, in a sentence: its best student, and the best of the paper's kind where that is another.</summary>
    public static string Verdict(Table14Result result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var measured = Table14Entry.All(result).SelectMany(e => Table14Entry.Columns.Select(e.Of)).OfType<Table14Line>()
            .Where(l => l.Measured.RetentionAt1e4 is not null).ToList();
        if (measured.MaxBy(l => l.Tar) is not { } best)
        {
            return "No row of the table is finished and has an accuracy at FAR 1e-4";
        }

        string second = Table14Test.All(result) is [_, var other] && other.Retention(best) is { } kept
            ? $" and {Percent(kept)} of that on {other.Data}" : "";
        string random = best.Training.IsWarm && measured.Where(l => !l.Training.IsWarm).MaxBy(l => l.Tar) is { } paper
            ? $"; from random weights, as the paper's, {paper.ShortName} keeps {Percent(paper.Measured.RetentionAt1e4)}" : "";
        string beside = best.Training.IsWarm && random.Length == 0 ? "" : InvariantText.Of(
            $"{random}, where the paper's best keeps {100 * PaperTable.Rows[1].AccuracyPercent / PaperTable.Rows[0].AccuracyPercent:0.0}% of FaceNet's");
        return InvariantText.Of(
            $"{(result.Synthetic ? "On drawn faces, which say nothing about people: " : "")}{best.ShortName}"
                + $"{(best.Training.IsWarm ? " from a start" : "")} keeps {Percent(best.Measured.RetentionAt1e4)} of "
                + $"{result.Teacher}'s accuracy at FAR 1e-4{Bracket(best.Measured.RetentionInterval95At1e4)}{second}{beside}");
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
                + $"{(Table14Report.Has(result) ? "![accuracy against mult-adds](table14.svg)\n\n" : "")}");
        foreach (var table in Table14Table.Of(result))
        {
            text.Append($"## {ShownText.Of(table.Title)}\n\n{ShownText.Of(table.Caption)}.\n\n");
            Table(text, table);
        }

        foreach (var (audit, i) in (result.Audits ?? []).Select((a, i) => (a, i)))
        {
            text.Append($"{(i == 0 ? "## Test people among the training faces\n\n" : "")}{ShownText.Of(audit.Words)}.\n\n");
            if (Table14Table.Of(audit, "") is { } found)
            {
                Table(text, found);
            }
        }

        text.Append($"{ShownText.Of(Table14Order.Sentence(result))}\n\n## Notes\n\n");
        text.AppendJoin("", Table14Notes.Of(result).Select(n => $"- {ShownText.Of(n)}\n"));
        text.Append("\n## Commands\n\n```\n").AppendJoin("", result.Lines.Select(l => $"{ShownText.Of(l.Command)}\n")).Append("```\n");
        return text.ToString();
    }

    private static void Table(StringBuilder text, Table14Table table)
    {
        void Line(IEnumerable<string> cells) =>
            text.Append("| ").AppendJoin(
                " | ", cells.Select(c => ShownText.Of(c).Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "\\<", StringComparison.Ordinal)))
            .Append(" |\n");
        Line([table.First, .. table.Columns.Select(c => c.Head)]);
        Line(["---", .. table.Columns.Select(_ => "---")]);
        foreach (var (name, cells) in table.Rows)
        {
            Line([name, .. cells]);
        }

        text.Append('\n');
    }
}

/// <summary>A table as CSV: a record a training, every figure in a column of its own, rates as fractions.</summary>
internal static class Table14Csv
{
    private static readonly (string Head, Func<Table14Line, Table14Result, object?> Value)[] Columns =
    [
        ("student", (l, _) => l.Student), ("row", (l, _) => l.Name), ("fromStart", (l, _) => l.Training.IsWarm ? "true" : "false"),
            ("seed", (l, _) => l.Training.Seed),
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
            ("epochs", (l, _) => l.Training.Epochs), ("images", (l, _) => l.Training.Images), ("imagesBefore", (l, r) => Table14Notes.Before(r, l)),
        ("learningRate", (l, _) => l.Training.LearningRate), ("keptEpoch", (l, _) => l.Training.KeptEpoch), ("minutes", (l, _) => l.Training.Minutes),
            ("cores", (l, _) => l.Training.Cores), ("coreHours", (l, _) => l.Training.CoreHours),
            ("predictedMinutes", (l, _) => l.Training.Predicted?.Minutes),
                ("predictedBefore", (l, _) => l.Training.Predicted is { } p ? p.Before ? "true" : "false" : null),
        ("loss", (l, _) => l.Training.Kept.Loss), ("validationLoss", (l, _) => l.Training.Kept.ValidationLoss),
        ("centredCosine", (l, _) => l.Training.Kept.CentredCosine), ("heldOutPeopleTar", (l, _) => l.Training.Kept.PeopleTar),
        ("onnxBytes", (l, _) => l.Files.OnnxBytes), ("int8Bytes", (l, _) => l.Files.Int8Bytes), ("int8TarAt1e-4", (l, _) => l.Files.Int8Tar),
        ("int8TarLow95", (l, _) => l.Files.Int8TarInterval95?[0]), ("int8TarHigh95", (l, _) => l.Files.Int8TarInterval95?[1]),
        ("speedup", (l, r) => r.Speed?.Of(l)?.Speedup), ("int8Speedup", (l, r) => r.Speed?.Of(l)?.Int8Speedup),
        ("withoutTeacherTarAt1e-4", (l, _) => l.Baseline is { } b ? Tar(b.Measured) : null), ("withoutTeacherFaces", (l, _) => l.Baseline?.Faces),
            ("withoutTeacherEpochs", (l, _) => l.Baseline?.Epochs),
        ("teacherMultAdds", (_, r) => r.Speed?.Teacher.MultAdds),
        ("second", (_, r) => r.SecondTest is { } t ? Table14Test.NameOf(t.Data) : null),
            ("secondTarAt1e-4", (l, _) => l.Second is { } e ? Tar(e.Models[0]) : null),
            ("secondTarLow95", (l, _) => Interval(l)?[0]), ("secondTarHigh95", (l, _) => Interval(l)?[1]),
        ("secondImpostorPairs", (l, _) => l.Second?.Models[0].ImpostorPairs), ("secondTeacherTarAt1e-4", (l, _) => l.Second is { } e ? Tar(e.Models[1]) : null),
        ("secondRetention", (l, _) => l.Second?.Models[0].RetentionAt1e4), ("secondRetentionLow95", (l, _) => l.Second?.Models[0].RetentionInterval95At1e4?[0]),
            ("secondRetentionHigh95", (l, _) => l.Second?.Models[0].RetentionInterval95At1e4?[1]),
    ];

    /// <summary>The text of table14.csv.</summary>
    public static string Of(Table14Result result) => Csv.Text(
        string.Join(',', Columns.Select(c => c.Head)),
        result.Lines.Select(line => Columns.Select(c => c.Value(line, result))));

    private static IReadOnlyList<double>? Interval(Table14Line line) => line.Second?.Models[0].TarInterval95AtFar?.GetValueOrDefault(ReportFormat.DecidingFar);

    private static double? Tar(ModelResult model) => model.TarAtFar?.GetValueOrDefault(ReportFormat.DecidingFar);
}
