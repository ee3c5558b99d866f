using static FaceDistill.Reporting.ReportFormat;

namespace FaceDistill.Reporting;

/// <summary>Whether a table's accuracy falls with its cost, and where it does not.</summary>
internal static class Table14Order
{
    /// <summary>Pairs of rows of which the cheaper one is the more accurate: what was found, in a sentence each.</summary>
    public static IReadOnlyList<string> Exceptions(IReadOnlyList<Table14Line> lines) =>
    [
        .. from dear in lines
           from cheap in lines
           where cheap.Cost.MultAdds < dear.Cost.MultAdds && cheap.Tar > dear.Tar
           select FormattableString.Invariant(
               $"{cheap.ShortName} ({Percent(cheap.Tar)}, {cheap.Training.Images / 1000:#,0} thousand images) beats {dear.ShortName} ({Percent(dear.Tar)}, {dear.Training.Images / 1000:#,0} thousand) at {(double)cheap.Cost.MultAdds / dear.Cost.MultAdds:0.00} of its mult-adds; {Overlap(cheap, dear)}"),
    ];

    /// <summary>The finding as one sentence.</summary>
    public static string Sentence(IReadOnlyList<Table14Line> lines)
    {
        var measured = lines.Where(l => l.Tar is not null).ToList();
        var exceptions = Exceptions(measured);
        return measured.Count < 2 ? "" : exceptions.Count == 0 ? "Accuracy falls with mult-adds in every pair of rows."
            : $"Accuracy falls with mult-adds but for {exceptions.Count} of {measured.Count * (measured.Count - 1) / 2} pairs of rows: {string.Join("; ", exceptions)}.";
    }

    private static string Overlap(Table14Line a, Table14Line b) =>
        a.TarInterval is [var lowA, _] && b.TarInterval is [_, var highB] && lowA > highB ? "their 95% intervals do not overlap" : "their 95% intervals overlap";
}
