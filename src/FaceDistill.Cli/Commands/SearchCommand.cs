using System.CommandLine;
using FaceDistill.Assets;
using FaceDistill.Cli.Rendering;
using FaceDistill.Embeddings;
using FaceDistill.Files;
using FaceDistill.Jobs;
using Spectre.Console;

namespace FaceDistill.Cli.Commands;

/// <summary><c>search</c>: who of a gallery is most like a face?</summary>
internal static class SearchCommand
{
    private static readonly Argument<string> Probe = new("probe") { Description = "A photo of whom to search." };
    private static readonly Option<string> Gallery = new Option<string>("--gallery")
    {
        Description = "A folder of photos or aligned faces (a sub-folder is a person), a data set's name, or a store that embed made with the same model.",
        Required = true,
        HelpName = "STORE|DIR|FILE|NAME",
    }.Completes("", Cards.Datasets);
    private static readonly Option<int> Top = new("--top")
    {
        Description = "How many faces to name, the most alike first.",
        DefaultValueFactory = _ => new SearchRequest("", "").Top,
        HelpName = "N",
    };

    public static Command Create() => VerbContext.Action(
        new Verb("search", "List the faces of a folder or a store that are most like the face of a photo.")
            .Takes(Probe)
            .Example("search who.jpg --gallery photos")
            .Example("search who.jpg --gallery photos --top 3 --model run")
            .Example("search who.jpg --gallery embeddings --model teacher:dlib-resnet")
            .Group("gallery", Gallery, Top, CommonOptions.Aligned)
            .Group("model", CompareCommand.Model, CommonOptions.Models, CommonOptions.Device, CommonOptions.Provider)
            .Group("output", CommonOptions.Wide), Run, result =>
                CommonOptions.DeviceError(result, result.GetValue(CompareCommand.Model)));

    private static void Run(VerbContext context)
    {
        var parsed = context.Parsed;
        var result = new SearchJob(parsed.Finder()).Run(
            new SearchRequest(parsed.GetRequiredValue(Probe), parsed.GetRequiredValue(Gallery))
            {
                Model = parsed.GetValue(CompareCommand.Model),
                Top = parsed.GetValue(Top),
                Aligned = parsed.GetValue(CommonOptions.Aligned),
                Device = parsed.GetValue(CommonOptions.Device)!,
                Provider = parsed.GetValue(CommonOptions.Provider)!,
            },
            context.Job);
        bool wide = parsed.GetValue(CommonOptions.Wide);
        context.Result(result, console => Render(console, result, wide));
    }

    private static void Render(IAnsiConsole console, SearchResult result, bool wide)
    {
        bool people = result.People > 0;
        string same = $"same at {FarTargets.Label(result.By.Far)}";
        string[] deciding = ["similarity", .. result.By.Threshold is not null ? [same] : Array.Empty<string>(),
            .. result.Hits.Any(h => h.FalseAcceptRate is not null) ? ["FAR of one pair"] : Array.Empty<string>()];
        var table = new FittedTable("picture", "person", "similarity", same, "FAR of one pair", "by chance here") { Only = wide ? null : deciding };
        foreach (var hit in result.Hits)
        {
            table.Add(InvariantText.Of($"{hit.Rank}. {hit.Picture}{(hit.SamePhoto ? " (the photo itself)" : "")}"), hit.Person,
                InvariantText.Of($"{hit.Similarity:0.0000}"), hit.Same is { } accepted ? accepted ? "yes" : "no" : "-", $"{hit.FalseAcceptRate}", Chance(hit));
        }

        table.Write(console);
        string gallery = InvariantText.Of($"{result.Gallery}: {result.Faces:N0} faces{(people ? InvariantText.Of($" of {result.People:N0} people") : "")}");
        console.WriteLine(result.ExpectedByChance is { } expected
            ? InvariantText.Of($"{gallery}. In so many the chance of a false match is about {result.Faces:N0} times that of one pair: for somebody who is "
                + $"not in it, "
                + $"{Number(expected)} faces are expected to be accepted at FAR {FarTargets.Label(result.By.Far)} (threshold {result.By.Threshold:0.0000})")
            : gallery);
        if (result.Hits.Select(h => h.FalseAcceptRate).FirstOrDefault(r => r is not null) is { } rate)
        {
            string usual = CompareCommand.Usual(result.By) is { } half ? $"; {half}" : "";
            console.WriteLine(InvariantText.Of($"measured on {rate.ImpostorPairs:N0} pairs of two people ({rate.Protocol}){usual}"));
        }

        CompareCommand.Rest(console, result.By, [result.Probe], result.Warnings);
    }

    private static string Chance(SearchHit hit) => hit is { ExpectedByChance: { } faces, FalseAcceptRate: { } rate }
        ? InvariantText.Of($"{(rate.Rate is not null ? "" : rate.AtLeast == 0 ? "at most " : "at least ")}{Number(faces)}") : "";

    private static string Number(double faces) => faces >= 10 ? InvariantText.Of($"{faces:N0}") : faces >= 1e-4 ? InvariantText.Of($"{faces:G2}")
        : FarTargets.Rounded(faces);
}
