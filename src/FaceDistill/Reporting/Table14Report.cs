using FaceDistill.Formats;
using FaceDistill.Students;
using static FaceDistill.Reporting.ReportFormat;

namespace FaceDistill.Reporting;

/// <summary>A table's files: table14.json, table14.csv, table14.md, table14.svg and report.html.</summary>
public static class Table14Report
{
    /// <summary>Writes them, each whole or not at all.</summary>
    /// <exception cref="FaceDistillException">The folder cannot be written.</exception>
    public static void Write(Table14Result result, string folder)
    {
        ArgumentNullException.ThrowIfNull(result);
        JsonFile.Write(Path.Combine(folder, "table14.json"), result);
        AtomicFile.WriteText(Path.Combine(folder, "table14.csv"), Table14Csv.Of(result));
        AtomicFile.WriteText(Path.Combine(folder, "table14.md"), Table14Markdown.Of(result));
        AtomicFile.WriteText(Path.Combine(folder, "report.html"), Table14Html.Of(result));
        string plot = Path.Combine(folder, "table14.svg");
        if (Table14Plots.Known(result).Count > 0)
        {
            AtomicFile.WriteText(plot, SvgFile.Of(Table14Plots.Accuracy(result, "table14")));
        }
        else
        {
            File.Delete(plot); // of an earlier table
        }
    }

    /// <summary>What the table says, in a sentence.</summary>
    public static string Verdict(Table14Result result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var best = result.Lines.Where(l => l.Measured.RetentionAt1e4 is not null).MaxBy(l => l.Tar);
        return best is null ? $"No row of the table is finished and has an accuracy at FAR 1e-4"
            : FormattableString.Invariant($"{(result.Synthetic ? "On drawn faces, which say nothing about people: " : "")}{best.ShortName}{(best.Training.IsWarm ? $" (started from {best.Training.StartedFrom})" : "")} keeps {Percent(best.Measured.RetentionAt1e4)} of {result.Teacher}'s accuracy at FAR 1e-4{Bracket(best.Measured.RetentionInterval95At1e4)}, where the paper's best student keeps {100 * Table14.Rows[1].AccuracyPercent / Table14.Rows[0].AccuracyPercent:0.0}% of FaceNet's");
    }
}
