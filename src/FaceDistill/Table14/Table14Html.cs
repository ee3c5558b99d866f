using FaceDistill.Files;
using FaceDistill.Reports.Pages;
using FaceDistill.Training.Checkpoints;
using static FaceDistill.Reports.Pages.HtmlPage;
using static FaceDistill.Reports.Pages.ReportFormat;

namespace FaceDistill.Table14;

/// <summary>A table as one HTML file that needs no script and no network.</summary>
internal static class Table14Html
{
    private const string CurvesNote = "An epoch's point lies where its images end. How far a curve still rises shows what more images may give. Part of the "
        + "last rise is due to the rate, which falls to the end of each training: a shorter one would end above its curve here.";

    /// <summary>The text of report.html.</summary>
    public static string Of(Table14Result result)
    {
        List<Section> sections =
        [
            .. Plots(result), .. Table14Table.Of(result).Select(Tables), .. Curves(result), .. Audits(result), Notes(result), Commands(result), Machine(result),
        ];
        return Page($"Table 14 with {result.Teacher}", InvariantText.Of($"FaceDistill, Table 14 of the MobileNets paper, {result.Made:yyyy-MM-dd}"),
            Table14Report.Verdict(result), sections,
            HtmlText.Of($"The same figures for programs: <a href=\"table14.json\">table14.json</a>, <a href=\"table14.csv\">table14.csv</a>, <a "
                + $"href=\"table14.md\">table14.md</a>; the students lie in rows/."));
    }

    private static IEnumerable<Section> Plots(Table14Result result)
    {
        var figures = new List<HtmlText>();
        foreach (var test in Table14Test.All(result).Where(t => Table14Plots.Known(result, t).Count > 0))
        {
            bool first = test.Id == "accuracy";
            string order = first ? Table14Order.Sentence(result) : "";
            string cost = result.Speed is { } speed
                ? InvariantText.Of($", the dot on it what it costs: {speed.Teacher.MultAdds / 1e6:0} million mult-adds") : "";
            figures.Add(Figure(Table14Plots.Accuracy(result, test, $"{test.Id}-tar"),
                HtmlText.Of($"<strong>{test.Data}</strong>: true accept rate at FAR 1e-4 against mult-adds, with 95% intervals over people; the level line "
                    + $"is the teacher{cost}. {order}")));
            if (Table14Plots.Known(result, test).Any(l => test.Retention(l) is not null))
            {
                figures.Add(Figure(Table14Plots.Retention(result, test, $"{test.Id}-retained"),
                    HtmlText.Of($"<strong>{test.Data}</strong>: the part of the teacher's accuracy that a student keeps, with 95% intervals. The dots "
                        + $"without names are the paper's printed figures (another teacher, test and training set).")));
            }
        }

        return figures.Count == 0 ? [] : [new Section("plots", "Accuracy and cost", Grid(figures))];
    }

    private static IEnumerable<Section> Curves(Table14Result result)
    {
        if (result.Lines.Count == 0)
        {
            return [];
        }

        string far = result.Lines.SelectMany(l => l.Training.Log).FirstOrDefault(e => e.PeopleFar is not null)?.PeopleFar is { } rate
            ? InvariantText.Of($" at FAR {rate:0e-0}") : "";
        (string Id, Func<EpochLog, double?> Value, string Name, string Caption)[] kinds =
        [
            ("people", e => e.PeopleTar, $"Held-out people's TAR{far}", "True accept rate of people of the training data who were held out."),
            ("agreement", e => e.CentredCosine, "Centred cosine, held out", "Mean cosine between student and teacher on held-out faces, both centred."),
            ("loss", e => e.Loss, "Training loss", "Mean loss of each epoch: of the squared difference, the part of the teacher's variance not explained."),
        ];
        var figures = from kind in kinds
                      from start in Table14Entry.Columns
                      let plot = Table14Plots.Curves(result, start, $"{kind.Id}-{(start ? "start" : "random")}", kind.Value, kind.Name)
                      where plot is not null
                      select Figure(plot.Value, HtmlText.Of($"{kind.Caption}"));
        var legend = Legend(Table14Entry.All(result).Select((e, i) => (i, e.Name)));
        return [new Section("curves", "By images seen", HtmlText.Of($"<p class=\"note\">{CurvesNote}</p>\n{legend}{Grid(figures)}"))];
    }

    private static HtmlText Grid(IEnumerable<HtmlText> figures) => HtmlText.Of($"<div class=\"grid\">\n{HtmlText.Join(figures)}</div>\n");

    private static Section Tables(Table14Table table) => new(table.Id, table.Title, TableOf(table));

    private static HtmlText TableOf(Table14Table table)
    {
        var head = HtmlText.Join([Heads(table.First), .. table.Columns.Select(c => Head(c.Head, c.Decides))]);
        var rows = HtmlText.Join(table.Rows.Select(row => HtmlText.Of(
            $"<tr><th scope=\"row\">{row.Name}</th>{HtmlText.Join(row.Cells.Select((c, i) => Cell(c, table.Columns[i].Decides)))}</tr>\n")));
        return Table($"{table.Id}-table", HtmlText.Of($"{table.Caption}"), head, rows);
    }

    private static IEnumerable<Section> Audits(Table14Result result) => result.Audits is not { Count: > 0 } audits ? [] : [new Section("audits",
        "Test people among the training faces", HtmlText.Join(audits.Select((a, i) => HtmlText.Of($"<p>{a.Words}.</p>\n")
            is var words && Table14Table.Of(a, $"audit-{i + 1}") is { } table ? HtmlText.Of($"{words}{TableOf(table)}") : words)))];

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
        ("Test data", string.Join(", ", new[] { result.Test, result.SecondTest?.Data }.OfType<string>())),
        ("System", InvariantText.Of($"{result.Environment.System}, {result.Environment.Cores} cores")),
        ("Framework", result.Environment.Framework),
        ("Libraries", result.Environment.Libraries ?? "-"),
        ("FaceDistill", result.Environment.Version),
    ]);
}
