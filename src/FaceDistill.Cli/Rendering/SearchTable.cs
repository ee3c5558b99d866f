using System.Globalization;
using FaceDistill.Evaluation.Protocols;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using Spectre.Console;

namespace FaceDistill.Cli.Rendering;

/// <summary>Identification and BLUFR as a table: models down.</summary>
internal static class SearchTable
{
    public static void Render(IAnsiConsole console, string protocol, IReadOnlyList<ModelJson> models)
    {
        bool identification = models[0].Identification is not null;
        string[] fars = identification ? [.. models.SelectMany(m => m.Identification!.OpenSet.DirAtFar.Keys).Distinct()] : [];
        var table = new Table().Title(protocol).AddColumn("model");
        table.AddColumns(identification
            ? ["gallery", "probes", "rank-1", "rank-5", "open set: known + unknown probes", .. fars.Select(f => $"DIR at FAR {f}")]
            : ["trials", "VR at FAR 0.1%", "mean - sd", "DIR at rank 1, FAR 1%", "mean - sd"]);
        foreach (var m in models)
        {
            table.AddRow([Markup.Escape(m.Name), .. identification ? Identification(m.Identification!, fars) : Blufr(m.Blufr!)]);
        }

        console.Write(table);
    }

    private static IEnumerable<string> Identification(IdentificationJson i, string[] fars) =>
    [
        Text($"{i.GalleryImages} images of {i.GalleryIdentities} people"), Text($"{i.Probes}"), Percent(i.Rank1), Percent(i.Rank5),
        Text($"{i.OpenSet.KnownProbes} + {i.OpenSet.UnknownProbes}"),
        .. fars.Select(f => i.OpenSet.DirAtFar.GetValueOrDefault(f) is { } dir ? Percent(dir) : "too few unknown probes"),
    ];

    private static IEnumerable<string> Blufr(BlufrJson b) =>
    [
        Markup.Escape(Text($"{b.PerTrial.Count}, {b.Trials}")), .. Rate(b.VerificationRate), .. Rate(b.IdentificationRate),
    ];

    private static IEnumerable<string> Rate(TrialRateJson rate) =>
        [$"{Percent(rate.Mean)} ± {Percent(rate.StandardDeviation)}", Percent(rate.MeanMinusDeviation)];

    private static string Text(InvariantText text) => text.ToString();

    private static string Percent(double part) => (100 * part).ToString("0.00", CultureInfo.InvariantCulture) + "%";
}
