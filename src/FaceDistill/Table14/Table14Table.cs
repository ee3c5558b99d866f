using FaceDistill.Files;
using FaceDistill.Students;
using static FaceDistill.Reports.Pages.ReportFormat;

namespace FaceDistill.Table14;

/// <summary>One of the tables in which a report shows its rows: columns with the text of a student's and of the teacher's cell.</summary>
/// <param name="Id">Its name in the page.</param>
/// <param name="Title">Its heading.</param>
/// <param name="Caption">What its figures are.</param>
/// <param name="Columns">The columns after the student's name.</param>
internal sealed record Table14Table(string Id, string Title, string Caption, IReadOnlyList<Table14Column> Columns)
{
    private static readonly PaperTableRow FaceNet = PaperTable.Rows[0];

    /// <summary>The tables of a result.</summary>
    public static IReadOnlyList<Table14Table> Of(Table14Result result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return [Accuracy(result), Cost(result), Training(result), Files(result)];
    }

    private static Table14Table Accuracy(Table14Result result)
    {
        var columns = new List<Table14Column>
        {
            new("TAR at 1e-4", l => Percent(l.Tar) + Paren(l.TarInterval),
                l => Percent(l.Teacher.TarAtFar?.GetValueOrDefault(DecidingFar))
                    + Paren(l.Teacher.TarInterval95AtFar?.GetValueOrDefault(DecidingFar))) { Decides = true },
            new("M mult-adds", l => Number($"{l.Cost.MultAdds / 1e6:0.0}"), _ => TeacherMultAdds(result)),
            new("retention", l => Percent(l.Measured.RetentionAt1e4) + Paren(l.Measured.RetentionInterval95At1e4), _ => "100%"),
            new("paper: accuracy", l => l.Paper is { } p ? Number($"{p.AccuracyPercent:0.0}%") : "-", _ => Number($"{FaceNet.AccuracyPercent:0.0}% (FaceNet)")),
            new("paper: retention", l => l.Paper is { } p ? Number($"{100 * p.AccuracyPercent / FaceNet.AccuracyPercent:0.0}%") : "-", _ => "100%"),
            new("8 bits: TAR", l => Percent(l.Files.Int8Tar) + Paren(l.Files.Int8TarInterval95), _ => "-"),
        };
        if (result.Lines.Any(l => l.Folds is not null))
        {
            bool seen = result.Lines.Any(l => l.Folds?.Warnings is { Count: > 0 });
            columns.Add(new(seen ? "10-fold, people seen in training" : "10-fold", l => Folds(l, 0), l => Folds(l, 1)));
        }

        if (result.Lines.Any(l => l.Baseline is not null))
        {
            columns.Add(new("without teacher", l => l.Baseline is { } b
                ? Percent(b.Measured.TarAtFar?.GetValueOrDefault(DecidingFar)) + Paren(b.Measured.TarInterval95AtFar?.GetValueOrDefault(DecidingFar)) : "-",
                _ => "-"));
        }

        long pairs = result.Lines.Count > 0 ? result.Lines[0].Measured.ImpostorPairs : 0;
        return new("accuracy", "Accuracy", $"{result.Protocol} on {Path.GetFileName(Path.TrimEndingDirectorySeparator(result.Test))}, {Count(pairs)} "
            + "impostor pairs, with 95% intervals", columns);
    }

    private static Table14Table Cost(Table14Result result) =>
        new("cost", "Cost", "Millions. The second figure is without head and embedding layer, and the difference is that of this one to the paper's",
    [
        new("mult-adds", l => Number($"{l.Cost.MultAdds / 1e6:0.0} ({l.Cost.MultAddsBackbone / 1e6:0.0})"), _ => TeacherMultAdds(result)),
        new("paper", l => l.Paper is { } p ? Number($"{p.MillionMultAdds:0}") : "-", _ => Number($"{FaceNet.MillionMultAdds:0} (FaceNet)")),
        new("difference", l => l.Paper is { } p ? Number($"{Off(l.Cost.MultAddsBackbone, p.MillionMultAdds):+0.0;-0.0}%") : "-", _ => "-"),
        new("parameters", l => Number($"{l.Cost.Parameters / 1e6:0.00} ({l.Cost.ParametersBackbone / 1e6:0.00})"),
            _ => result.Speed?.Teacher.Parameters is { } p ? Number($"{p / 1e6:0.00}") : "-"),
        new("paper", l => l.Paper is { } p ? Number($"{p.MillionParameters:0.0}") : "-", _ => Number($"{FaceNet.MillionParameters:0.0} (FaceNet)")),
        new("difference", l => l.Paper is { } p ? Number($"{Off(l.Cost.ParametersBackbone, p.MillionParameters):+0;-0}%") : "-", _ => "-"),
    ]);

    private static Table14Table Training(Table14Result result) => new("training", "Training", result.Training,
    [
        new("starts from", l => l.Training.StartedFrom, _ => "-"),
        new("faces", l => Count(l.Training.Faces), _ => "-"),
        new("epochs", l => Number($"{l.Training.Epochs}"), _ => "-"),
        new("learning rate", l => Number($"{l.Training.LearningRate}"), _ => "-"),
        new("images", l => Count(l.Training.Images), _ => "-"),
        new("minutes", l => Number($"{l.Training.Minutes:0.0} on {Count(l.Training.Cores, "core")}"), _ => "-"),
        new("loss (held out)", l => Number($"{l.Training.Kept.Loss:0.000} ({l.Training.Kept.ValidationLoss:0.000})"), _ => "-"),
        new("centred cosine, held out", l => l.Training.Kept.CentredCosine is { } c ? Number($"{c:0.000}") : "-", _ => "-"),
    ]);

    private static Table14Table Files(Table14Result result) =>
        new("files", "Files and speed", $"Speed: {result.Teacher}'s median latency by the file's, one face, one thread, all files in turns in one run",
    [
        new("fp32 MB", l => Number($"{l.Files.OnnxBytes / 1e6:0.00}"), _ => result.Speed is { } s ? Number($"{s.Teacher.Bytes / 1e6:0.00}") : "-"),
        new("8 bits MB", l => Number($"{l.Files.Int8Bytes / 1e6:0.00}"), _ => "-"),
        new("fp32 speed", l => result.Speed?.Of(l) is { } s ? Number($"{s.Speedup:0.0}") : "-", _ => "1"),
        new("8 bits speed", l => result.Speed?.Of(l) is { } s ? Number($"{s.Int8Speedup:0.0}") : "-", _ => "-"),
    ]);

    private static string TeacherMultAdds(Table14Result result) => result.Speed is { } s ? Number($"{s.Teacher.MultAdds / 1e6:0.0}") : "-";

    private static string Folds(Table14Line line, int model) => line.Folds?.Models[model] is { } m
        ? $"{Percent(m.TenFoldAccuracy)} ± {Number($"{100 * m.TenFoldStandardError:0.00}")}"
        : "-";

    private static double Off(long counted, double millions) => 100 * ((counted / 1e6 / millions) - 1);

    private static string Paren(IReadOnlyList<double>? interval) => interval is null ? "" : $" ({Range(interval)})";

    private static string Number(InvariantText text) => text.ToString();
}

/// <summary>A column of a table.</summary>
/// <param name="Head">Its head.</param>
/// <param name="Student">A student's cell.</param>
/// <param name="Teacher">The teacher's cell, from any line: all were measured beside it.</param>
internal sealed record Table14Column(string Head, Func<Table14Line, string> Student, Func<Table14Line, string> Teacher)
{
    /// <summary>Whether it is the figure that decides: the accuracy at 1e-4.</summary>
    public bool Decides { get; init; }
}
