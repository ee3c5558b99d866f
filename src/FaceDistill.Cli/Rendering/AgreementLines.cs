using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using Spectre.Console;

namespace FaceDistill.Cli.Rendering;

/// <summary>A student's agreement with its teacher in two lines and a table of the search across both.</summary>
internal static class AgreementLines
{
    public static void Render(IAnsiConsole console, IReadOnlyList<AgreementJson> agreements)
    {
        foreach (var a in agreements)
        {
            console.WriteLine(Text(
                $"{a.Student} agrees with {a.Teacher}: cosine {a.Cosine.Mean:0.000} on average, median {a.Cosine.Median:0.000}, 5th percentile "
                    + $"{a.Cosine.Percentile5:0.000}, ")
                + Text($"least {a.Cosine.Minimum:0.000}; by chance (another image) {a.Cosine.OtherImages:0.000}; worst image {a.Worst[0].Path}"));
            foreach (var search in a.Search ?? [])
            {
                console.WriteLine(Text($"  gallery of {search.Gallery}, probes of {search.Probe}: TAR at 1e-4 ")
                    + (search.TarAtFar.GetValueOrDefault("1e-4") is { } tar ? Text($"{100 * tar:0.00}% ({search.ImpostorPairs} impostor pairs)")
                        : "has too few pairs"));
            }
        }
    }

    private static string Text(InvariantText text) => text.ToString();
}
