using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Students;
using FaceDistill.Training.Starts;
using static FaceDistill.Reports.Pages.ReportFormat;

namespace FaceDistill.Table14;

/// <summary>What must be known to read a table beside the paper's: what the paper leaves open, what was chosen, what the run itself limits.</summary>
internal static class Table14Notes
{
    /// <summary>The notes, in the table's order of importance.</summary>
    public static IReadOnlyList<string> Of(Table14Result result)
    {
        string[] notes =
        [
            Metric(result),
            "The paper's test set is Google's own and not published, and its teacher, FaceNet, is not either: only shares can be compared. Retention is a "
                + "student's accuracy by that of its teacher on the same pairs; the paper's is its printed accuracy by FaceNet's printed 83%.",
            $"The paper does not say how many faces, steps or minutes its students had. FaceNet's own training set had 100 to 200 million faces (Schroff et "
                + $"al. 2015); the rows here had what their columns say. An interval is that of the test people, not of another training run: "
                + $"{Runs(result)}.",
            "Row 3 is printed \"0.75 MobileNet-128\" like row 4. Its 166 million mult-adds are those of 0.75 at 160 pixels (counted: 166), so it is taken "
                + "for 0.75@160.",
            $"The paper does not describe the head. Counted here with and without ours (see the training's table for which) and the linear layer to the "
                + $"embedding's length; without both the printed mult-adds are met within 2%: {MultAdds()}.",
            $"The printed parameters grow where the resolution falls, which no convolutional backbone does: it has the same at every resolution "
                + $"({Parameters()}). The difference must lie in parts that the paper does not describe.",
        ];
        return [.. notes, .. Teacher(result), .. Starts(result), .. Predicted(result), .. Baselines(result), .. Warnings(result), .. Synthetic(result),
            .. Missing(result)];
    }

    private static string Runs(Table14Result result) =>
        Table14Entry.All(result).SelectMany(e => new[] { e.Random, e.Start }).Where(lines => lines.Count > 1).ToList() is { Count: > 0 } several
            ? "where a row was trained with several seeds, mean, least and greatest stand beside the first one's interval ("
                + string.Join(", ", several.Select(lines => $"{lines[0].Label}: {lines.Count} seeds")) + "); the others are one run each"
            : "each row is one run with one seed";

    private static string MultAdds() =>
        string.Join(", ", Printed(cost => InvariantText.Of($"{cost.MultAddsBackbone / 1e6:0}"), row => row.MillionMultAdds));

    private static string Parameters() =>
        string.Join(", ", Printed(cost => InvariantText.Of($"{cost.ParametersBackbone / 1e6:0.0}"), row => row.MillionParameters));

    private static IEnumerable<string> Printed(Func<StudentCost, string> counted, Func<PaperTableRow, double> printed) =>
        from row in PaperTable.Rows.Skip(1)
        let student = row.Student!
        select InvariantText.Of(
            $"{student.Width:0.0#}@{student.Resolution} printed {printed(row)}, counted "
                + $"{counted(StudentCost.Of(new MobileNetV1Architecture(student, HeadKind.Gap, 1)))}");

    private static string Metric(Table14Result result)
    {
        string pairs = result.Lines.Count == 0 ? "" : $" ({Count(result.Lines[0].Measured.ImpostorPairs)} impostor pairs)";
        return $"\"1e-4 accuracy\" is not defined in the paper. Here it is the true accept rate at a false accept rate of 1e-4 over all pairs of "
            + $"{result.Protocol}{pairs}, the usual reading since FaceNet's VAL@FAR; intervals resample people, 95%.";
    }

    private static IEnumerable<string> Starts(Table14Result result)
    {
        var warm = result.Lines.Where(l => l.Training.IsWarm).ToList();
        if (warm.Count > 0)
        {
            string research = warm.Any(l => l.Training.Origins?.Any(o => o.Research) == true)
                ? " What started from weights marked research is for research only."
                : "";
            string started = string.Join("; ", warm.GroupBy(l => l.Training.StartedFrom)
                .Select(g => $"{string.Join(", ", g.Select(l => l.ShortName).Distinct())} started from {g.Key}"));
            yield return $"Students from a start have a column of their own and are not to be compared with the paper's, which began with random weights. "
                + $"{started}.{research} They have seen the images of their start's rows too, which stand beside their own; how many a published backbone "
                + "or an exported file saw is not told.";
        }

        var unlike = Table14Entry.All(result).Where(e => e.Of(false) is { } r && e.Of(true) is { } s && r.Training.Images != s.Training.Images).ToList();
        if (unlike.Count > 0)
        {
            yield return "The two columns of a student are not of the same number of images: " + string.Join("; ", unlike.Select(e => InvariantText.Of(
                $"{e.Name}, {e.Of(false)!.Training.Images / 1000.0:#,0} thousand from random weights and {e.Of(true)!.Training.Images / 1000.0:#,0} "
                + $"thousand from a start"))) + ".";
        }
    }

    private static IEnumerable<string> Predicted(Table14Result result) => result.Lines.Any(l => l.Training.Predicted is not null)
        ? ["Minutes are predicted by the recipe, or by a few steps of the row's training on the machine that made the table: before it began or, where it says "
            + "afterwards, when the table took over a run that was finished (other work on the machine then makes them too many). Core-hours are the minutes "
            + "taken times the processor's cores that the run had."] : [];

    private static IEnumerable<string> Teacher(Table14Result result) =>
        result.Speed is { } speed && result.Lines.Where(l => l.Cost.MultAdds > speed.Teacher.MultAdds).Select(l => l.ShortName).Distinct()
            .ToList() is { Count: > 0 } dearer
            ? [InvariantText.Of(
                $"{result.Teacher} itself has {speed.Teacher.MultAdds / 1e6:0} million mult-adds, not FaceNet's 1600: {string.Join(", ", dearer)} "
                + $"{(dearer.Count == 1 ? "costs more than the teacher and is" : "cost more than the teacher and are")} there for the paper's sake.")] : [];

    private static IEnumerable<string> Baselines(Table14Result result) =>
        from line in result.Lines
        where line.Baseline is not null
        let b = line.Baseline
        select InvariantText.Of(
            $"{line.ShortName} without teacher: ArcFace on the names of {b.Faces:#,0} faces, {b.Epochs} epochs, {b.Minutes:0.0} minutes; faces without "
                + $"names are of no use to it.");

    // One line where rows differ by their names only.
    private static IEnumerable<string> Warnings(Table14Result result)
    {
        var measured = result.Lines.SelectMany(l => l.Evaluations.Append(l.Baseline?.Evaluation).Select(e => (l.Label, Test: result.Test, Evaluation: e))
            .Append((l.Label, Test: result.SecondTest?.Data ?? "", Evaluation: l.Second))).Where(m => m.Evaluation is not null)
            .Select(m => (m.Label, Test: $"{m.Evaluation!.Protocol} on {Table14Test.NameOf(m.Test)}", Evaluation: m.Evaluation!)).ToList();
        var said = from found in measured
                   from warning in (found.Evaluation.Warnings ?? []).Except(AcquisitionResult.Words(found.Evaluation.Models))
                   group found.Label by (found.Test,
                       Text: warning.Replace(found.Evaluation.Models[0].Name, "the student", StringComparison.Ordinal))
                   into same
                   select $"{same.Key.Test}, {string.Join(", ", same)}: {same.Key.Text}.";
        return said.Concat(measured.SelectMany(m => m.Evaluation.Models.Select(model => NotAcquired(m.Test, model))).OfType<string>()
            .Distinct());
    }

    // The rows' rates all fall by the same part.
    private static string? NotAcquired(string test, ModelResult model) => model.Acquisition is not { } lost ? null : InvariantText.Of(
        $"{test}: no face was found in {lost.NotAcquired} of the {lost.Photos} photos, and no pair of theirs is counted")
        + (lost.TarAtFar.Count == 0 || lost.GenuinePairs == 0 ? "." : InvariantText.Of(
            $"; where these pairs count as rejected, every true accept rate is {(double)model.GenuinePairs / lost.GenuinePairs:0.0000} of what is printed."));

    /// <summary>The images that a row's ancestors of the same table saw; null where one of them started from an exported file, which does not tell, or from
    /// a row that is not finished here.</summary>
    internal static long? Before(Table14Result result, Table14Line line) => line.Training.Init is not { } init ? 0
        : result.Lines.FirstOrDefault(l => l.Name == init) is { } parent ? parent.Training.Images + Before(result, parent)
        : BackboneCard.Is(init) ? 0 : null;

    private static IEnumerable<string> Synthetic(Table14Result result) => result.Synthetic
        ? ["The faces are synthetic drawings: these figures describe drawings, not people, and say nothing about real faces."] : [];

    private static IEnumerable<string> Missing(Table14Result result) => result.Missing.Count > 0
        ? [$"Not finished: {string.Join(", ", result.Missing)}. The same command goes on with them."] : [];
}
