using FaceDistill.Files;
using FaceDistill.Jobs;
using Spectre.Console;

namespace FaceDistill.Cli.Rendering;

/// <summary>What <c>teachers add</c> tried and took.</summary>
internal static class AddedTeacherTable
{
    private const int Shown = 12;

    /// <param name="console">Where to.</param>
    /// <param name="added">What was found.</param>
    /// <param name="card">The card's path as it was typed.</param>
    public static void Render(IAnsiConsole console, AddedTeacher added, string card)
    {
        console.WriteLine(InvariantText.Of(
            $"{Path.GetFileName(added.Model)}: {added.Type}, {added.Layout.ToUpperInvariant()}, {added.Size} x {added.Size}, "
                + $"{(added.Batch == 0 ? "any batch" : $"batch {added.Batch}")}")
            + InvariantText.Of($", embedding of {added.Dimension} values{(added.Output is null ? "" : $" ('{added.Output}')")}")
            + (added.Opset is { } opset ? InvariantText.Of($", opset {opset}") : ""));
        var table = new FittedTable("template", "colours", "scaling", "d'", "AUC", "faces", "");
        foreach (var row in added.Tried.Take(Shown))
        {
            table.Add(
                row.Template, row.ColorOrder, row.Scaling, row.DPrime is { } d ? InvariantText.Of($"{d:0.000}") : "-",
                row.Auc is { } auc
                    ? InvariantText.Of($"{auc:0.0000}")
                    : "-", InvariantText.Of($"{row.Faces}"), row.Taken
                    ? "taken"
                    : row.Near
                    ? "as good"
                    : "");
        }

        table.Write(console);
        if (added.Tried.Count > Shown)
        {
            console.WriteLine(InvariantText.Of($"{added.Tried.Count - Shown} others separate less (--json lists all)"));
        }

        foreach (string note in added.Notes)
        {
            console.WriteLine(note);
        }

        string teacher = Hints.Typed(card);
        console.WriteLine($"wrote {card}; next: {Hints.Command} evaluate --protocol lfw-10fold --data lfw --model teacher:{teacher}");
        console.WriteLine($"              or: {Hints.Command} distill --teacher {teacher} --data DIR --output RUN");
    }
}
