using static FaceDistill.Reporting.ReportFormat;

namespace FaceDistill.Reporting;

/// <summary>Whether a table's accuracy falls with its cost, and where it does not.</summary>
internal static class Table14Order
{
    /// <summary>Pairs of rows of which the cheaper one is the more accurate: what was found, in a sentence each.</summary>
    public static IReadOnlyList<string> Exceptions(Table14Result result) =>
    [
        .. from dear in result.Lines
           from cheap in result.Lines
           where cheap.Cost.MultAdds < dear.Cost.MultAdds && cheap.Tar > dear.Tar
           select FormattableString.Invariant(
               $"{cheap.Label} ({Percent(cheap.Tar)}, {Images(result, cheap)} images) beats {dear.Label} ({Percent(dear.Tar)}, {Images(result, dear)}) at {(double)cheap.Cost.MultAdds / dear.Cost.MultAdds:0.00} of its mult-adds; {Overlap(cheap, dear)}"),
    ];

    /// <summary>The finding as one sentence.</summary>
    public static string Sentence(Table14Result result)
    {
        var measured = result.Lines.Where(l => l.Tar is not null).ToList();
        var exceptions = Exceptions(result);
        bool ties = measured.Select(l => l.Tar).Distinct().Count() < measured.Count;
        return measured.Count < 2 ? ""
            : exceptions.Count == 0 ? ties ? "No row beats a dearer one; some are equal." : "Accuracy falls with mult-adds in every pair of rows."
            : $"Accuracy falls with mult-adds but for {exceptions.Count} of {measured.Count * (measured.Count - 1) / 2} pairs of rows: {string.Join("; ", exceptions)}.";
    }

    private static string Images(Table14Result result, Table14Line line) =>
        FormattableString.Invariant($"{(line.Training.Images + Table14Notes.Before(result, line)) / 1000.0:#,0} thousand");

    private static string Overlap(Table14Line a, Table14Line b) =>
        a.TarInterval is not [var low, _] || b.TarInterval is not [_, var high] ? "no intervals were taken"
            : low > high ? "their 95% intervals do not overlap" : "their 95% intervals overlap";
}
