using System.Globalization;
using FaceDistill.Evaluation;
using Spectre.Console;

namespace FaceDistill.Cli.Rendering;

/// <summary>An evaluation as a table: models down, false-accept rates across.</summary>
internal static class EvaluationTable
{
    public static void Render(IAnsiConsole console, EvaluationJson result)
    {
        string[] fars = [.. result.Models.SelectMany(m => m.TarAtFar?.Keys ?? []).Distinct()];
        var table = new Table().Title($"{result.Protocol}: TAR at FAR (cosine threshold, false accepts)").AddColumn("model").AddColumns(fars);
        bool folds = result.Models.Any(m => m.TenFoldAccuracy is not null);
        bool retention = result.Models.Any(m => m.RetentionAt1e4 is not null);
        if (folds)
        {
            table.AddColumn("10-fold accuracy");
        }

        if (retention)
        {
            table.AddColumn("retention at 1e-4");
        }

        foreach (var m in result.Models)
        {
            List<string> cells = [Markup.Escape(m.Name), .. fars.Select(f => Cell(m, f))];
            if (folds)
            {
                cells.Add($"{Percent(m.TenFoldAccuracy)} ± {Percent(m.TenFoldStandardError)}");
            }

            if (retention)
            {
                cells.Add(Percent(m.RetentionAt1e4));
            }

            table.AddRow([.. cells]);
        }

        console.Write(table);
        foreach (var m in result.Models)
        {
            console.WriteLine(Counts(m));
        }
    }

    private static string Counts(ModelJson m)
    {
        string text = string.Create(CultureInfo.InvariantCulture, $"{m.Name}: {m.Images} images, {m.GenuinePairs} genuine and {m.ImpostorPairs} impostor pairs");
        text += m.SkippedPairs is > 0 ? string.Create(CultureInfo.InvariantCulture, $"; {m.SkippedPairs} pairs of the protocol left out, an image is missing") : "";
        return text + (m.MissingImages is > 0 ? string.Create(CultureInfo.InvariantCulture, $"; {m.MissingImages} images of the protocol are missing") : "");
    }

    private static string Cell(ModelJson m, string far)
    {
        double? tar = m.TarAtFar?.GetValueOrDefault(far);
        return tar is null ? "too few pairs" : string.Create(CultureInfo.InvariantCulture,
            $"{Percent(tar)} ({m.ThresholdAtFar?[far]:0.0000}, {m.FalseAcceptsAtFar?[far]})");
    }

    private static string Percent(double? part) => part is null ? "-" : (100 * part.Value).ToString("0.00", CultureInfo.InvariantCulture) + "%";
}
