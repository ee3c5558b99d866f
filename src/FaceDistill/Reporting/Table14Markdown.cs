using System.Text;

namespace FaceDistill.Reporting;

/// <summary>A table as Markdown.</summary>
internal static class Table14Markdown
{
    /// <summary>The text of table14.md.</summary>
    public static string Of(Table14Result result)
    {
        var text = new StringBuilder($"# {Table14Report.Verdict(result)}\n\n`{result.Command}`\n\n{(Table14Plots.Known(result).Count > 0 ? "![accuracy against mult-adds](table14.svg)\n\n" : "")}");
        foreach (var table in Table14Table.Of(result))
        {
            text.Append($"## {table.Title}\n\n{table.Caption}.\n\n");
            Table(text, result, table);
        }

        text.Append($"{Table14Order.Sentence(result)}\n\n## Notes\n\n");
        text.AppendJoin("", Table14Notes.Of(result).Select(n => $"- {n}\n"));
        text.Append("\n## Commands\n\n```\n").AppendJoin("", result.Lines.Select(l => $"{l.Command}\n")).Append("```\n");
        return text.ToString();
    }

    private static void Table(StringBuilder text, Table14Result result, Table14Table table)
    {
        void Line(IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells.Select(c => c.Replace("|", "\\|", StringComparison.Ordinal))).Append(" |\n");
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
