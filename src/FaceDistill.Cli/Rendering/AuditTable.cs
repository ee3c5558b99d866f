using System.Globalization;
using FaceDistill.Evaluation.Agreement;
using FaceDistill.Files;
using Spectre.Console;

namespace FaceDistill.Cli.Rendering;

/// <summary>An audit's counts: training sets down, one table a test.</summary>
internal static class AuditTable
{
    public static void Render(IAnsiConsole console, AuditSummary result)
    {
        foreach (var test in result.Tests)
        {
            console.WriteLine(test.Words(result.Teacher));
            var table = new FittedTable(
                "training data", "faces", "faces that match", "test people", "pairs that match", "expected by chance", "same files");
            foreach (var count in test.Counts)
            {
                string chance = count.ExpectedPairs is { } expected ? expected.ToString("N1", CultureInfo.InvariantCulture) : "-";
                table.Add(
                    count.Data, Whole(count.Faces), Whole(count.Matches), test.People == 0 ? "-" : Whole(count.People),
                    Whole(count.MatchedPairs), chance, count.SameFiles is { } same ? Whole(same) : "-");
            }

            table.Write(console);
        }

        if (result.DuplicateThreshold is { } threshold)
        {
            console.WriteLine(InvariantText.Of(
                $"duplicates among the training faces: {result.DuplicatePairs:N0} pairs of a similarity of at least {threshold:0.####}"));
            var table = new FittedTable("training data", "faces", "same files", "near duplicates to drop");
            foreach (var count in result.Duplicates)
            {
                table.Add(count.Data, Whole(count.Faces), count.SameFiles is { } same ? Whole(same) : "-", Whole(count.Near));
            }

            table.Write(console);
        }

        console.WriteLine(InvariantText.Of($"{result.Listed:N0} pictures in {result.List} ({result.Seconds:0} s)"));
    }

    private static string Whole(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
