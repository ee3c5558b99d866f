using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Students;
using static FaceDistill.Reports.Pages.ReportFormat;

namespace FaceDistill.Table14;

/// <summary>One of the tables of a report: columns, and rows of texts.</summary>
/// <param name="Id">Its name in the page.</param>
/// <param name="Title">Its heading.</param>
/// <param name="Caption">What its figures are.</param>
/// <param name="First">The head of the rows' names.</param>
/// <param name="Columns">The columns after the names.</param>
/// <param name="Rows">The rows, the teacher's first where there is one.</param>
internal sealed record Table14Table(
    string Id, string Title, string Caption, string First, IReadOnlyList<Table14Column> Columns, IReadOnlyList<(string Name, IReadOnlyList<string> Cells)> Rows)
{
    private static readonly PaperTableRow FaceNet = PaperTable.Rows[0];

    /// <summary>The tables of a result: a line a student where its two columns stand beside each other, else a line a training.</summary>
    public static IReadOnlyList<Table14Table> Of(Table14Result result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return [.. Table14Test.All(result).Select(test => Accuracy(result, test)), Cost(result), Training(result), Further(result), Files(result)];
    }

    /// <summary>What an audit found, a line a training set; null where none was made.</summary>
    public static Table14Table? Of(Table14Audit audit, string id)
    {
        ArgumentNullException.ThrowIfNull(audit);
        return audit.Found is not { } found ? null : new(
            id, "", $"Training faces and people of {audit.Test}", "training faces",
            [new("faces"), new("that match") { Decides = true }, new("same files"), new("people matched"), new("pairs that match"), new("expected by chance")],
            [.. found.Counts.Select(c => (c.Data, (IReadOnlyList<string>)
                [Count(c.Faces), Count(c.Matches), c.SameFiles is { } same ? Count(same) : "-", Count(c.People), Count(c.MatchedPairs),
                    c.ExpectedPairs is { } pairs ? Number($"{pairs:#,0.0}") : "-"]))]);
    }

    private static Table14Table Accuracy(Table14Result result, Table14Test test)
    {
        var entries = Table14Entry.All(result);
        bool first = test.Id == "accuracy", random = entries.Any(e => e.Of(false) is not null), start = entries.Any(e => e.Of(true) is not null);
        var teacher = entries.Select(e => test.Teacher(e.Any)).FirstOrDefault(t => t is not null);
        var columns = new List<Cells<Table14Entry>>();
        if (random && start)
        {
            columns.Add(new("retention, the better", e => e.Better(test) is var l && test.Retention(l) is { } kept
                ? $"{Percent(kept)} ({Table14Plots.Column(l.Training.IsWarm)})" : "-", "100%") { Decides = true });
        }

        columns.Add(new("M mult-adds", e => Number($"{e.Any.Cost.MultAdds / 1e6:0.0}"), TeacherMultAdds(result)));
        foreach (bool column in Table14Entry.Columns.Where(c => c ? start : random))
        {
            string of = random && start || column ? $"{Table14Plots.Column(column)}: " : "";
            string Of(Table14Entry entry, Func<ModelResult, string> text) => entry.Of(column) is { } line && test.Student(line) is { } model
                ? text(model)
                : "-";
            columns.Insert(random && start ? columns.Count : 0, new($"{of}TAR at 1e-4", e => Of(e, Tar), teacher is null ? "-" : Tar(teacher))
            {
                Decides = !(random && start),
            });
            columns.Add(new($"{of}retention", e => Of(e, m => Percent(m.RetentionAt1e4) + Paren(m.RetentionInterval95At1e4)), "100%"));
            if (entries.Any(e => (column ? e.Start : e.Random).Count > 1))
            {
                columns.Add(new($"{of}TAR of all seeds, mean (least and greatest)", e => Seeds(column ? e.Start : e.Random, test), "-"));
            }
        }

        if (first)
        {
            columns.Add(new("paper: accuracy", e => e.Any.Paper is { } p ? Number($"{p.AccuracyPercent:0.0}%") : "-",
                Number($"{FaceNet.AccuracyPercent:0.0}% (FaceNet)")));
        }

        columns.Add(new("paper: retention", e => e.Any.Paper is { } p ? Number($"{100 * p.AccuracyPercent / FaceNet.AccuracyPercent:0.0}%") : "-", "100%"));
        return Made(test.Id, first ? "Accuracy" : $"Accuracy on {test.Data}",
            $"{test.Protocol} on {test.Data}, {Count(teacher?.ImpostorPairs ?? 0)} impostor pairs, with 95% intervals", result, columns,
            entries.Select(e => (e.Name, e)));
    }

    private static string Seeds(IReadOnlyList<Table14Line> lines, Table14Test test)
    {
        double[] tars = [.. lines.Select(test.Tar).OfType<double>()];
        return tars.Length < 2 ? "-" : $"{Percent(tars.Average())} ({Range([tars.Min(), tars.Max()])}, {Count(tars.Length, "seed")})";
    }

    private static Table14Table Cost(Table14Result result) => Made(
        "cost", "Cost", "Millions. The second figure is without head and embedding layer, and the difference is that of this one to the paper's", result,
    [
        new("mult-adds", e => Number($"{e.Any.Cost.MultAdds / 1e6:0.0} ({e.Any.Cost.MultAddsBackbone / 1e6:0.0})"), TeacherMultAdds(result)),
        new("paper", e => e.Any.Paper is { } p ? Number($"{p.MillionMultAdds:0}") : "-", Number($"{FaceNet.MillionMultAdds:0} (FaceNet)")),
        new("difference", e => e.Any.Paper is { } p ? Number($"{Off(e.Any.Cost.MultAddsBackbone, p.MillionMultAdds):+0.0;-0.0}%") : "-", "-"),
        new("parameters", e => Number($"{e.Any.Cost.Parameters / 1e6:0.00} ({e.Any.Cost.ParametersBackbone / 1e6:0.00})"),
            result.Speed?.Teacher.Parameters is { } p ? Number($"{p / 1e6:0.00}") : "-"),
        new("paper", e => e.Any.Paper is { } p ? Number($"{p.MillionParameters:0.0}") : "-", Number($"{FaceNet.MillionParameters:0.0} (FaceNet)")),
        new("difference", e => e.Any.Paper is { } p ? Number($"{Off(e.Any.Cost.ParametersBackbone, p.MillionParameters):+0;-0}%") : "-", "-"),
    ], Table14Entry.All(result).Select(e => (e.Name, e)));

    private static Table14Table Training(Table14Result result)
    {
        List<Cells<Table14Line>> columns =
        [
            new("starts from", l => Start(l.Training), "-"),
            new("faces", l => Count(l.Training.Faces), "-"),
            new("epochs", l => Number($"{l.Training.Epochs}"), "-"),
            new("learning rate", l => Number($"{l.Training.LearningRate}"), "-"),
            new("images (of its start's rows before)", l => Count(l.Training.Images)
                + (Table14Notes.Before(result, l) switch { null => " (not told before)", 0 => "", { } before => $" ({Count(before)} before)" }), "-"),
            new("core-hours", l => Number($"{l.Training.CoreHours:0.00}"), "-"),
            new("minutes", l => Number($"{l.Training.Minutes:0.0}") + $" (on {Count(l.Training.Cores, "core")})", "-"),
            new("minutes, predicted", l => l.Training.Predicted is { } p ? Number($"{p.Minutes:0.0}") + (p.Before ? "" : " (afterwards)") : "-", "-"),
            new("loss (held out)", l => Number($"{l.Training.Kept.Loss:0.000}")
                + (l.Training.Kept.ValidationLoss is { } held ? Number($" ({held:0.000})") : ""), "-"),
            new("centred cosine, held out", l => l.Training.Kept.CentredCosine is { } c ? Number($"{c:0.000}") : "-", "-"),
        ];
        if (result.Lines.Any(l => l.Training.Kept.PeopleTar is not null))
        {
            columns.Add(new("held-out people's TAR (after half its images)", l => Percent(l.Training.Kept.PeopleTar)
                + (l.Training.Half?.PeopleTar is { } half ? $" ({Percent(half)})" : ""), "-"));
        }

        return Made("training", "Training", result.Training, result, columns, result.Lines.Select(l => (l.Label, l)));
    }

    private static Table14Table Further(Table14Result result)
    {
        List<Cells<Table14Line>> columns = [new("8 bits: TAR at 1e-4", l => Percent(l.Files.Int8Tar) + Paren(l.Files.Int8TarInterval95), "-")];
        if (result.Lines.Any(l => l.Folds is not null))
        {
            bool seen = result.Lines.Any(l => l.Folds?.Models[0].TrainedOn?.Any == true);
            columns.Add(new(seen ? "10-fold, people seen in training" : "10-fold", l => Folds(l, 0), Folds(result.Lines[0], 1)));
        }

        if (result.Lines.Any(l => l.Baseline is not null))
        {
            columns.Add(new("without teacher: TAR at 1e-4", l => l.Baseline is { } b ? Tar(b.Measured) : "-", "-"));
        }

        return Made("further", "Further measures", $"On {Table14Test.NameOf(result.Test)}, each training's student, with 95% intervals", result, columns,
            result.Lines.Select(l => (l.Label, l)));
    }

    private static Table14Table Files(Table14Result result) => Made("files", "Files and speed",
        $"Speed: {result.Teacher}'s median latency by the file's, one face, one thread, all files in turns in one run"
            + (result.Speed is { } timed ? InvariantText.Of($"; {result.Teacher} itself takes {timed.Teacher.MultAdds / 1e6:0} million mult-adds") : ""),
                result,
    [
        new("fp32 MB", l => Number($"{l.Files.OnnxBytes / 1e6:0.00}"), result.Speed is { } s ? Number($"{s.Teacher.Bytes / 1e6:0.00}") : "-"),
        new("8 bits MB", l => Number($"{l.Files.Int8Bytes / 1e6:0.00}"), "-"),
        new("M mult-adds (teacher's by them)", l => Number($"{l.Cost.MultAdds / 1e6:0.0}")
            + (result.Speed is { } by ? InvariantText.Of($" ({(double)by.Teacher.MultAdds / l.Cost.MultAdds:0.0})") : ""), TeacherMultAdds(result)),
        new("fp32 speed", l => result.Speed?.Of(l) is { } own ? Number($"{own.Speedup:0.0}") : "-", "1"),
        new("8 bits speed", l => result.Speed?.Of(l) is { } own ? Number($"{own.Int8Speedup:0.0}") : "-", "-"),
    ], result.Lines.Select(l => (l.Label, l)));

    private static Table14Table Made<T>(
        string id, string title, string caption, Table14Result result, IReadOnlyList<Cells<T>> columns, IEnumerable<(string Name, T Item)> rows)
    {
        (string, IReadOnlyList<string>)[] texts = [.. rows.Select(r => (r.Name, (IReadOnlyList<string>)[.. columns.Select(c => c.Student(r.Item))]))];
        return new(id, title, caption, "student", [.. columns.Select(c => new Table14Column(c.Head) { Decides = c.Decides })],
            texts.Length == 0 ? texts : [($"teacher: {result.Teacher}", [.. columns.Select(c => c.Teacher)]), .. texts]);
    }

    private static string TeacherMultAdds(Table14Result result) => result.Speed is { } s ? Number($"{s.Teacher.MultAdds / 1e6:0.0}") : "-";

    // Sizes without the architecture's name, and once that it is for research, which holds for all that came after: a cell is narrow.
    private static string Start(Table14Training training) => training.Origins is { Count: > 0 } origins
        ? (training.IsFromFile ? "the file of " : "") + string.Join(" from ", origins.Select(o => o.Name.Split(':')[^1]))
            + (origins.Any(o => o.Research) ? " (research)" : "")
        : training.StartedFrom;

    private static string Folds(Table14Line line, int model) => line.Folds?.Models[model] is { } m
        ? $"{Percent(m.TenFoldAccuracy)} ± {Number($"{100 * m.TenFoldStandardError:0.00}")}"
        : "-";

    private static string Tar(ModelResult model) =>
        Percent(model.TarAtFar?.GetValueOrDefault(DecidingFar)) + Paren(model.TarInterval95AtFar?.GetValueOrDefault(DecidingFar));

    private static double Off(long counted, double millions) => 100 * ((counted / 1e6 / millions) - 1);

    private static string Paren(IReadOnlyList<double>? interval) => interval is null ? "" : $" ({Range(interval)})";

    private static string Number(InvariantText text) => text.ToString();

    private sealed record Cells<T>(string Head, Func<T, string> Student, string Teacher)
    {
        public bool Decides { get; init; }
    }
}

/// <summary>A column of a table.</summary>
/// <param name="Head">Its head.</param>
internal sealed record Table14Column(string Head)
{
    /// <summary>Whether it is the figure that decides: the accuracy at 1e-4.</summary>
    public bool Decides { get; init; }
}
