using FaceDistill.Files;
using FaceDistill.Reports.Pages;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;
using static FaceDistill.Reports.Pages.ReportFormat;

namespace FaceDistill.Table14;

/// <summary>The plots of a table. Each column has its colour and dashes in all of them, and so has what it is compared with.</summary>
internal static class Table14Plots
{
    private const int RandomSeries = 0, OtherSeries = 1, StartSeries = 2;
    private const double LeastTop = 0.01; // an axis has a length even where all is 0
    private const double Aside = 0.012; // decades: the intervals of a student's two dots do not cover each other
    private static readonly double[] Ticks = [5, 10, 20, 50, 100, 200, 300, 500];

    /// <summary>Accuracy at 1e-4 over mult-adds, each student a dot with its interval, its name at the better one; the teacher is a line.</summary>
    public static HtmlText Accuracy(Table14Result result, Table14Test test, string id)
    {
        var known = Known(result, test);
        double teacher = test.Teacher(known[0])?.TarAtFar?.GetValueOrDefault(DecidingFar) ?? 0;
        double highest = Math.Max(teacher, known.Max(l => Interval(test, l)?[1] ?? test.Tar(l)!.Value));
        double top = Math.Max(Math.Min(1.12, Math.Max(highest * 1.1, teacher * 1.17)), LeastTop); // room for the teacher's name above its line
        using var plot = new SvgPlot("Million mult-adds (logarithmic)", $"TAR at FAR 1e-4 ({test.Protocol} on {test.Data})");
        double? cost = result.Speed is { Teacher.MultAdds: > 0 } speed ? Math.Log10(speed.Teacher.MultAdds / 1e6) : null;
        Axes(plot, [.. known.Select(At), .. cost is { } own ? [own] : Array.Empty<double>()], top);
        plot.LineY(OtherSeries, teacher);
        if (cost is { } at)
        {
            plot.Dot(OtherSeries, at, teacher, null);
            plot.Label(at, teacher, InvariantText.Of($"teacher {result.Teacher}, {Math.Pow(10, at):0} M"));
        }
        else
        {
            plot.Label(Left(known.Select(At)), teacher, $"teacher {result.Teacher}");
        }

        Columns(plot, result, test, l => test.Tar(l), l => Interval(test, l));
        return plot.Render(id,
            $"Accuracy against mult-adds: {Words(known, l => $"{Percent(test.Tar(l))}{Bracket(Interval(test, l))}")}; teacher {Percent(teacher)}"
            + (cost is { } millions ? InvariantText.Of($" at {Math.Pow(10, millions):0.0} million") : ""));
    }

    /// <summary>Retention over mult-adds: ours with intervals, and the paper's curve.</summary>
    public static HtmlText Retention(Table14Result result, Table14Test test, string id)
    {
        var known = Known(result, test).Where(l => test.Retention(l) is not null).ToList();
        double paper = PaperTable.Rows[0].AccuracyPercent,
            top = 1.05 * Math.Max(1, known.Max(l => test.Student(l)!.RetentionInterval95At1e4?[1] ?? test.Retention(l)!.Value));
        var printed = PaperTable.Rows.Where(row => row.Student is not null).ToList();
        using var plot = new SvgPlot("Million mult-adds (logarithmic)", $"Part of the teacher's accuracy ({test.Data})");
        Axes(plot, [.. known.Select(At), .. printed.Select(row => Math.Log10(row.MillionMultAdds))], top);
        plot.Key(OtherSeries, "the paper's, printed");
        plot.Curve(OtherSeries, printed.Select(row => (Math.Log10(row.MillionMultAdds), row.AccuracyPercent / paper)).OrderBy(p => p.Item1));
        foreach (var row in printed)
        {
            plot.Dot(OtherSeries, Math.Log10(row.MillionMultAdds), row.AccuracyPercent / paper, null);
        }

        Columns(plot, result, test, test.Retention, l => test.Student(l)!.RetentionInterval95At1e4);
        return plot.Render(id,
            $"Retention against mult-adds: {Words(known, l => $"{Percent(test.Retention(l))}{Bracket(test.Student(l)!.RetentionInterval95At1e4)}")}; the "
                + "paper's: "
                + string.Join("; ", printed.Select(row => InvariantText.Of($"{100 * row.AccuracyPercent / paper:0.0}% at {row.MillionMultAdds:0} million"))));
    }

    /// <summary>What the epochs' log says by the images that each row's own training had seen, a curve a student of a column.</summary>
    /// <param name="result">The table.</param>
    /// <param name="start">Whether of those from a start.</param>
    /// <param name="id">Unlike that of any other on the page.</param>
    /// <param name="value">What of an epoch.</param>
    /// <param name="name">What it is.</param>
    /// <returns>Null where no line of the column has it. Both columns' plots have the same axes.</returns>
    public static HtmlText? Curves(Table14Result result, bool start, string id, Func<EpochLog, double?> value, string name)
    {
        var entries = Table14Entry.All(result);
        List<(int Series, string Label, List<(double X, double Y)> Points)> Of(bool column) =>
        [
            .. entries.Select((e, series) => (series, e.Name, e.Of(column) is { } line ? PointsOf(line.Training, value) : [])).Where(c => c.Item3.Count > 0),
        ];
        var (curves, others) = (Of(start), Of(!start));
        if (curves.Count == 0)
        {
            return null;
        }

        var all = curves.Concat(others).SelectMany(c => c.Points).ToList();
        double right = all.Max(p => p.X) * 1.02, top = Math.Max(LeastTop, all.Max(p => p.Y) * 1.05);
        using var plot = new SvgPlot("Thousand images seen in its own training", $"{name}{(others.Count == 0 ? "" : $", {Column(start)}")}");
        plot.Limits(0, right, 0, top);
        plot.TicksX(SvgPlot.Nice(0, right).Select(v => (v, InvariantText.Of($"{v:#,0.##}"))));
        plot.TicksY(SvgPlot.Nice(0, top).Select(v => (v, InvariantText.Of($"{v:0.0###}"))));
        foreach (var (series, _, points) in curves)
        {
            plot.Curve(series, points);
            if (points.Count == 1)
            {
                plot.Dot(series, points[0].X, points[0].Y, null);
            }
        }

        return plot.Render(id, $"{name} by images seen, {Column(start)}: "
            + string.Join("; ", curves.Select(c => InvariantText.Of($"{c.Label} ends at {c.Points[^1].Y:0.000} after {c.Points[^1].X:#,0} thousand"))));
    }

    /// <summary>The lines that have an accuracy by a test, of the first seed of each column.</summary>
    public static IReadOnlyList<Table14Line> Known(Table14Result result, Table14Test test) =>
        [.. Table14Entry.All(result).SelectMany(e => Table14Entry.Columns.Select(e.Of)).OfType<Table14Line>().Where(l => test.Tar(l) is not null)];

    /// <summary>A column's name.</summary>
    public static string Column(bool start) => start ? "from a start" : "from random weights";

    private static List<(double X, double Y)> PointsOf(Table14Training training, Func<EpochLog, double?> value) =>
    [
        .. training.Log.Where(e => value(e) is not null).Select(e => (training.Images / 1000.0 * e.Epoch / training.Epochs, value(e)!.Value)),
    ];

    private static void Columns(
        SvgPlot plot, Table14Result result, Table14Test test, Func<Table14Line, double?> value, Func<Table14Line, IReadOnlyList<double>?> interval)
    {
        var entries = Table14Entry.All(result);
        var both = entries.Where(e => Table14Entry.Columns.All(c => e.Of(c) is { } line && value(line) is not null)).Select(e => e.Any.Student).ToHashSet();
        double Place(Table14Line line) => At(line) + (!both.Contains(line.Student) ? 0 : line.Training.IsWarm ? Aside : -Aside);
        foreach (bool start in Table14Entry.Columns)
        {
            int series = start ? StartSeries : RandomSeries;
            var lines = entries.Select(e => e.Of(start)).OfType<Table14Line>().Where(l => value(l) is not null).OrderBy(At).ToList();
            if (lines.Count == 0)
            {
                continue;
            }

            plot.Key(series, Column(start));
            plot.Curve(series, lines.Select(l => (Place(l), value(l)!.Value)));
            foreach (var line in lines)
            {
                plot.Dot(series, Place(line), value(line)!.Value, interval(line) is [var low, var high] ? (low, high) : null);
            }
        }

        foreach (var line in entries.Select(e => e.Better(test)).Where(l => value(l) is not null))
        {
            plot.Label(Place(line), value(line)!.Value, line.ShortName);
        }
    }

    private static IReadOnlyList<double>? Interval(Table14Test test, Table14Line line) =>
        test.Student(line)?.TarInterval95AtFar?.GetValueOrDefault(DecidingFar);

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

    private static string Words(IReadOnlyList<Table14Line> lines, Func<Table14Line, string> value) =>
        string.Join("; ", lines.Select(l => InvariantText.Of($"{l.Label} {value(l)} at {l.Cost.MultAdds / 1e6:0.0} million")));
}
