using static FaceDistill.Reporting.HtmlPage;

namespace FaceDistill.Reporting;

/// <summary>A table as one HTML file that needs no script and no network.</summary>
internal static class Table14Html
{
    /// <summary>The text of report.html.</summary>
    public static string Of(Table14Result result)
    {
        List<Section> sections = [.. Plots(result), .. Table14Table.Of(result).Select(t => Tables(result, t)), Notes(result), Commands(result), Machine(result)];
        return Page($"Table 14 with {result.Teacher}", FormattableString.Invariant($"FaceDistill, Table 14 of the MobileNets paper, {result.Made:yyyy-MM-dd}"), Table14Report.Verdict(result), sections,
            HtmlText.Of($"The same figures for programs: <a href=\"table14.json\">table14.json</a>, <a href=\"table14.csv\">table14.csv</a>, <a href=\"table14.md\">table14.md</a>; the students lie in rows/."));
    }

    private static IEnumerable<Section> Plots(Table14Result result)
    {
        if (Table14Plots.Known(result).Count == 0)
        {
            return [];
        }

        string order = Table14Order.Sentence(result);
        var figures = new List<HtmlText> { Figure(Table14Plots.Accuracy(result, "tar"), HtmlText.Of($"True accept rate at FAR 1e-4 against mult-adds, with 95% intervals over people; the line is the teacher. {order}")) };
        if (Table14Plots.Known(result).Any(l => l.Measured.RetentionAt1e4 is not null))
        {
            figures.Add(Figure(Table14Plots.Retention(result, "retained"), HtmlText.Of($"The part of the teacher's accuracy that a student keeps. First colour: here; second, without names: the paper's printed figures (another teacher, test and training set).")));
        }

        return [new Section("plots", "Accuracy and cost", Grid(figures)), .. Curves(result)];
    }

    private static IEnumerable<Section> Curves(Table14Result result)
    {
        string starts = result.Lines.Any(l => l.Training.IsWarm) ? " Rows with an asterisk go on from the weights of another student or of a published backbone." : "";
        var figures = new List<HtmlText> { Figure(Table14Plots.Curves(result, "loss", e => e.Loss, "Training loss"), HtmlText.Of($"Mean loss of each epoch: the part of the teacher's variance that is not explained.{starts}")) };
        if (result.Lines.Any(l => l.Training.Log.Any(e => e.CentredCosine is not null)))
        {
            figures.Add(Figure(Table14Plots.Curves(result, "agreement", e => e.CentredCosine, "Centred cosine, held out"), HtmlText.Of($"Mean cosine between student and teacher on held-out faces, both centred.")));
        }

        var legend = Legend(result.Lines.Select((l, i) => (i, l.Label)));
        return [new Section("curves", "Loss curves", HtmlText.Of($"{legend}{Grid(figures)}"))];
    }

    private static HtmlText Grid(IEnumerable<HtmlText> figures) => HtmlText.Of($"<div class=\"grid\">\n{HtmlText.Join(figures)}</div>\n");

    private static Section Tables(Table14Result result, Table14Table table)
    {
        var head = Heads(["student", .. table.Columns.Select(c => c.Head)]);
        HtmlText Row(string name, IEnumerable<string> cells) => HtmlText.Of($"<tr><th scope=\"row\">{name}</th>{HtmlText.Join(cells.Select(c => HtmlText.Of($"<td>{c}</td>")))}</tr>\n");
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
        ("System", FormattableString.Invariant($"{result.Environment.System}, {result.Environment.Cores} cores")),
        ("Framework", result.Environment.Framework),
        ("Libraries", result.Environment.Libraries ?? "-"),
        ("FaceDistill", result.Environment.Version),
    ]);
}
