using FaceDistill.Files;
using FaceDistill.Reports.Pages;
using FaceDistill.Students;
using static FaceDistill.Reports.Pages.HtmlPage;
using static FaceDistill.Reports.Pages.ReportFormat;

namespace FaceDistill.Table14;

/// <summary>A table as one HTML file that needs no script and no network.</summary>
internal static class Table14Html
{
    /// <summary>The text of report.html.</summary>
    public static string Of(Table14Result result)
    {
        List<Section> sections =
            [.. Plots(result), .. Table14Table.Of(result).Select(t => Tables(result, t)), Notes(result), Commands(result), Machine(result)];
        return Page($"Table 14 with {result.Teacher}", InvariantText.Of($"FaceDistill, Table 14 of the MobileNets paper, {result.Made:yyyy-MM-dd}"),
            Table14Report.Verdict(result), sections,
            HtmlText.Of($"The same figures for programs: <a href=\"table14.json\">table14.json</a>, <a href=\"table14.csv\">table14.csv</a>, <a "
                + $"href=\"table14.md\">table14.md</a>; the students lie in rows/."));
    }

    private static IEnumerable<Section> Plots(Table14Result result)
    {
        if (Table14Plots.Known(result).Count == 0)
        {
            return [];
        }

        string order = Table14Order.Sentence(result);
        var figures = new List<HtmlText> { Figure(
            Table14Plots.Accuracy(result, "tar"),
            HtmlText.Of($"True accept rate at FAR 1e-4 against mult-adds, with 95% intervals over people; the line is the teacher{TeacherCost(result)}. "
                + $"{order}")) };
        if (Table14Plots.Known(result).Any(l => l.Measured.RetentionAt1e4 is not null))
        {
            figures.Add(Figure(Table14Plots.Retention(result, "retained"),
                HtmlText.Of($"The part of the teacher's accuracy that a student keeps. First colour: here, with 95% intervals; second, without names: the "
                    + $"paper's printed figures (another teacher, test and training set).")));
        }

        return [new Section("plots", "Accuracy and cost", Grid(figures)), .. Curves(result)];
    }

    private static string TeacherCost(Table14Result result) =>
        result.Speed is { } speed ? InvariantText.Of($", the dot on it what it costs: {speed.Teacher.MultAdds / 1e6:0} million mult-adds") : "";

    private static IEnumerable<Section> Curves(Table14Result result)
    {
        string starts = result.Lines.Any(l => l.Training.IsWarm)
            ? " Rows with an asterisk go on from the weights of another student or of a published backbone."
            : "";
        var figures = new List<HtmlText> { Figure(
            Table14Plots.Curves(result, "loss", e => e.Loss, "Training loss"),
            HtmlText.Of($"Mean loss of each epoch: the part of the teacher's variance that is not explained.{starts}")) };
        if (result.Lines.Any(l => l.Training.Log.Any(e => e.CentredCosine is not null)))
        {
            figures.Add(Figure(Table14Plots.Curves(result, "agreement", e => e.CentredCosine, "Centred cosine, held out"),
                HtmlText.Of($"Mean cosine between student and teacher on held-out faces, both centred.")));
        }

        var legend = Legend(result.Lines.Select((l, i) => (i, l.Label)));
        return [new Section("curves", "Loss curves", HtmlText.Of($"{legend}{Grid(figures)}"))];
    }

    private static HtmlText Grid(IEnumerable<HtmlText> figures) => HtmlText.Of($"<div class=\"grid\">\n{HtmlText.Join(figures)}</div>\n");

    private static Section Tables(Table14Result result, Table14Table table)
    {
        var head = HtmlText.Join([Heads("student"), .. table.Columns.Select(c => Head(c.Head, c.Decides))]);
        HtmlText Row(string name, IEnumerable<string> cells) => HtmlText.Of(
            $"<tr><th scope=\"row\">{name}</th>{HtmlText.Join(cells.Select((c, i) => Cell(c, table.Columns[i].Decides)))}</tr>\n");
        var teacher = result.Lines.Count == 0 ? HtmlText.Empty : Row($"teacher: {result.Teacher}", table.Columns.Select(c => c.Teacher(result.Lines[0])));
        var rows = HtmlText.Join(result.Lines.Select(l => Row(l.Label, table.Columns.Select(c => c.Student(l)))));
        return new Section(table.Id, table.Title, Table($"{table.Id}-table", HtmlText.Of($"{table.Caption}"), head, HtmlText.Of($"{teacher}{rows}")));
    }

    private static Section Notes(Table14Result result)
    {
        var notes = Table14Notes.Of(result);
        return new Section("notes", "Notes", HtmlText.Of($"<ul>{HtmlText.Join(notes.Select(n => HtmlText.Of($"<li>{n}</li>\n")))}</ul>\n"));
    }

    private static Section Commands(Table14Result result) => Facts("commands", "Commands", "What makes the table and each of its rows",
        [("Command", result.Command), .. result.Lines.Select(l => ("Command", l.Command))]);

    private static Section Machine(Table14Result result) => Facts("environment", "Environment", "Where the table was put together",
    [
        ("Training data", string.Join(", ", result.Data)),
        ("Test data", result.Test),
        ("System", InvariantText.Of($"{result.Environment.System}, {result.Environment.Cores} cores")),
        ("Framework", result.Environment.Framework),
        ("Libraries", result.Environment.Libraries ?? "-"),
        ("FaceDistill", result.Environment.Version),
    ]);
}

/// <summary>The plots of a table.</summary>
internal static class Table14Plots
{
    private const double LeastTop = 0.01; // an axis has a length even where all is 0
    private static readonly double[] Ticks = [5, 10, 20, 50, 100, 200, 300, 500];

    /// <summary>Accuracy at 1e-4 over mult-adds, each student a dot with its interval and its name; the teacher is a line.</summary>
    public static HtmlText Accuracy(Table14Result result, string id)
    {
        var known = Known(result);
        double teacher = Teacher(known[0]) ?? 0, top = Math.Min(1.02, Math.Max(teacher, known.Max(l => l.TarInterval?[1] ?? l.Tar!.Value)) * 1.1);
        top = Math.Max(top, LeastTop);
        using var plot = new SvgPlot("Million mult-adds (logarithmic)", $"TAR at FAR 1e-4 ({result.Protocol})");
        double? cost = result.Speed is { Teacher.MultAdds: > 0 } speed ? Math.Log10(speed.Teacher.MultAdds / 1e6) : null;
        Axes(plot, [.. known.Select(At), .. cost is { } own ? [own] : Array.Empty<double>()], top);
        plot.LineY(1, teacher);
        if (cost is { } at)
        {
            plot.Dot(1, at, teacher, null);
            plot.Label(at, teacher, InvariantText.Of($"teacher {result.Teacher}, {Math.Pow(10, at):0} M"));
        }
        else
        {
            plot.Label(Left(known.Select(At)), teacher, $"teacher {result.Teacher}");
        }

        foreach (var line in known)
        {
            plot.Dot(0, At(line), line.Tar!.Value, line.TarInterval is [var low, var high] ? (low, high) : null);
            plot.Label(At(line), line.Tar.Value, line.Label);
        }

        return plot.Render(id, $"Accuracy against mult-adds: {Words(known, l => $"{Percent(l.Tar)}{Bracket(l.TarInterval)}")}; teacher {Percent(teacher)}"
            + (cost is { } millions ? InvariantText.Of($" at {Math.Pow(10, millions):0.0} million") : ""));
    }

    /// <summary>Retention over mult-adds: ours with intervals, and the paper's.</summary>
    public static HtmlText Retention(Table14Result result, string id)
    {
        var known = Known(result).Where(l => l.Measured.RetentionAt1e4 is not null).ToList();
        double paper = PaperTable.Rows[0].AccuracyPercent,
            top = 1.05 * Math.Max(1, known.Max(l => l.Measured.RetentionInterval95At1e4?[1] ?? l.Measured.RetentionAt1e4!.Value));
        var printed = PaperTable.Rows.Where(row => row.Student is not null).ToList();
        using var plot = new SvgPlot("Million mult-adds (logarithmic)", "Part of the teacher's accuracy");
        Axes(plot, [.. known.Select(At), .. printed.Select(row => Math.Log10(row.MillionMultAdds))], top);
        foreach (var line in known)
        {
            plot.Dot(0, At(line), line.Measured.RetentionAt1e4!.Value, line.Measured.RetentionInterval95At1e4 is [var low, var high] ? (low, high) : null);
            plot.Label(At(line), line.Measured.RetentionAt1e4.Value, line.Label);
        }

        foreach (var row in printed)
        {
            plot.Dot(1, Math.Log10(row.MillionMultAdds), row.AccuracyPercent / paper, null);
        }

        return plot.Render(id,
            $"Retention against mult-adds: {Words(known, l => $"{Percent(l.Measured.RetentionAt1e4)}{Bracket(l.Measured.RetentionInterval95At1e4)}")}; the "
                + "paper's: "
                + string.Join("; ", printed.Select(row => InvariantText.Of($"{100 * row.AccuracyPercent / paper:0.0}% at {row.MillionMultAdds:0} million"))));
    }

    /// <summary>Agreement with the teacher on held-out faces by epoch, a curve a student.</summary>
    public static HtmlText Curves(Table14Result result, string id, Func<FaceDistill.Training.Checkpoints.EpochLog, double?> value, string name)
    {
        var curves = result.Lines.Select(
            (l, series) => (series, Points: l.Training.Log.Where(e => value(e) is not null).Select(e => ((double)e.Epoch, value(e)!.Value)).ToList()))
            .Where(c => c.Points.Count > 0).ToList();
        double right = curves.Max(c => c.Points.Max(p => p.Item1)), top = Math.Max(LeastTop, curves.Max(c => c.Points.Max(p => p.Value)) * 1.05);
        using var plot = new SvgPlot("Epoch", name);
        plot.Limits(Math.Min(1, right - 1), right, 0, top);
        int step = Math.Max(1, (int)Math.Ceiling(right / 8));
        plot.TicksX(Enumerable.Range(0, ((int)right / step) + 1).Select(i => ((double)(i * step), InvariantText.Of($"{i * step}")))
            .Where(t => t.Item1 >= 1));
        plot.TicksY(SvgPlot.Nice(0, top).Select(v => (v, InvariantText.Of($"{v:0.0###}"))));
        foreach (var (series, points) in curves)
        {
            plot.Curve(series, points);
        }

        return plot.Render(id,
            $"{name} by epoch: "
                + string.Join("; ", curves.Select(c => InvariantText.Of($"{result.Lines[c.series].Label} ends at {c.Points[^1].Value:0.000}"))));
    }

    /// <summary>The lines that have an accuracy.</summary>
    public static IReadOnlyList<Table14Line> Known(Table14Result result) => [.. result.Lines.Where(l => l.Tar is not null)];

    private static void Axes(SvgPlot plot, IReadOnlyList<double> at, double top)
    {
        double left = Left(at), right = at.Max() + 0.42; // room for names
        plot.Limits(left, right, 0, top);
        plot.TicksX(Ticks.Select(t => (At: Math.Log10(t), InvariantText.Of($"{t}"))).Where(t => t.At >= left && t.At <= right));
        double step = top > 0.5 ? 0.2 : top > 0.1 ? 0.05 : 0.01;
        plot.TicksY(Enumerable.Range(0, (int)(top / step) + 1).Select(i => (i * step, InvariantText.Of($"{100 * i * step:0.##}%"))));
    }

    private static double Left(IEnumerable<double> at) => at.Min() - 0.15;

    private static double At(Table14Line line) => Math.Log10(line.Cost.MultAdds / 1e6);

    private static double? Teacher(Table14Line line) => line.Teacher.TarAtFar?.GetValueOrDefault(DecidingFar);

    private static string Words(IReadOnlyList<Table14Line> lines, Func<Table14Line, string> value) =>
        string.Join("; ", lines.Select(l => InvariantText.Of($"{l.Label} {value(l)} at {l.Cost.MultAdds / 1e6:0.0} million")));
}
