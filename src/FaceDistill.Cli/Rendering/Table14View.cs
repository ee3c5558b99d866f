using System.Globalization;
using FaceDistill.Table14;
using Spectre.Console;

namespace FaceDistill.Cli.Rendering;

/// <summary>A table and its plan on the terminal.</summary>
internal static class Table14View
{
    public static void Render(IAnsiConsole console, Table14Result result)
    {
        foreach (var tab in Table14Table.Of(result).TakeWhile(t => t.Id != "training")) // the report has the rest
        {
            console.WriteLine(tab.Caption);
            var table = new FittedTable([tab.First, .. tab.Columns.Select(c => c.Head)]);
            foreach (var (name, cells) in tab.Rows)
            {
                table.Add([name, .. cells]);
            }

            table.Write(console);
        }

        foreach (var audit in result.Audits ?? [])
        {
            console.WriteLine(audit.Words + ".");
        }

        console.WriteLine(Table14Report.Verdict(result) + ".");
    }

    public static void Render(IAnsiConsole console, Table14Plan plan)
    {
        var table = new FittedTable("row", "epochs", "images", "M mult-adds", "images/s", "G mult-adds/s", "minutes");
        foreach (var line in plan.Lines)
        {
            table.Add(line.Student, Number(line.Epochs, "0"), Number(line.Images, "#,0"), Number(line.MultAdds / 1e6, "0.0"),
                Number(line.ImagesPerSecond, "0.0"),
                Number(line.MultAddsPerSecond / 1e9, "0.0"), line.Finished ? "finished" : Number(line.Minutes, "0.0"));
        }

        table.Write(console);
        console.WriteLine($"training: {Number(plan.Minutes, "0")} minutes (images x mult-adds / measured rate)");
        console.WriteLine($"before it, unless it was done before, the teacher embeds {Number(plan.Faces, "#,0")} faces {plan.TeacherPasses} times: at least "
            + $"{Number(plan.TeacherMinutes, "0")} minutes at {Number(plan.TeacherFacesPerSecond, "0")} faces/s");
    }

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
