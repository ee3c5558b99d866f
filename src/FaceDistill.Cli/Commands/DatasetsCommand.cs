using System.CommandLine;
using FaceDistill.Assets;
using FaceDistill.Cli.Rendering;
using FaceDistill.Files;
using FaceDistill.Jobs;
using Spectre.Console;

namespace FaceDistill.Cli.Commands;

/// <summary><c>datasets list|pull|verify</c>: the data sets that the cards name.</summary>
internal static class DatasetsCommand
{
    private static readonly Argument<string[]> Names = new Argument<string[]>("name")
    {
        Description = "Data sets (names or .json files).",
        Arity = ArgumentArity.OneOrMore,
    }
        .Completes(Cards.Datasets);
    private static readonly Argument<string[]> SomeNames = new Argument<string[]>("name")
    {
        Description = "Data sets; without any, all that are on this machine.",
        Arity = ArgumentArity.ZeroOrMore,
    }.Completes(Cards.Datasets);

    public static Command Create() => new Verb("datasets", "List, fetch and verify data sets of faces.")
        .Example("datasets list")
        .Example("datasets pull synthetic")
        .With(VerbContext.Action(new Verb("list", "List the cards and where each data set is on this machine.")
            .Example("datasets list")
            .Example("datasets list --wide")
            .Group("options", CommonOptions.Wide), List))
        .With(VerbContext.Action(new Verb("pull", "Fetch and unpack a data set into the cache, or draw the synthetic one.")
            .Example("datasets pull synthetic")
            .Example("datasets pull lfw")
            .Takes(Names), Pull))
        .With(VerbContext.Action(new Verb("verify", "Check that a data set is there and its files are the right ones.")
            .Example("datasets verify")
            .Example("datasets verify lfw")
            .Takes(SomeNames), Verify));

    private static void List(VerbContext context)
    {
        using var pull = new DatasetPull(AssetFinder.FromEnvironment());
        var rows = Cards.Names(Cards.Datasets).Select(name => (Card: DatasetCard.Load(name), Status: pull.Status(name))).ToList();
        context.Result(rows.Select(r => new { name = r.Card.Name, description = r.Card.Description, licence = r.Card.Licence, status = r.Status }).ToList(),
            console =>
        {
            bool wide = context.Parsed.GetValue(CommonOptions.Wide);
            var table = new FittedTable(["data set", "here", "what", .. wide ? ["terms", "where"] : Array.Empty<string>()]) { Texts = true };
            foreach (var (card, status) in rows)
            {
                string[] more = wide ? [card.Licence, status.Folder ?? status.Note ?? "-"] : [];
                table.Add([card.Name, status.Folder is null ? "no" : "yes", card.Description, .. more]);
            }

            table.Write(console);
            console.WriteLine(wide ? $"'{Hints.Command} datasets pull NAME' fetches one." : $"'{Hints.Command} datasets pull NAME' fetches one; "
                + $"'{Hints.Command} datasets list --wide' shows the terms and where each lies.");
        });
    }

    private static void Pull(VerbContext context)
    {
        using var pull = new DatasetPull(AssetFinder.FromEnvironment());
        CacheFolder.RequireKept();
        string[] names = context.Parsed.GetValue(Names)!;
        Array.ForEach(names, name => DatasetCard.Load(name)); // before anything is fetched
        Report(context, names.Select(name => pull.Pull(name, context.Job)));
    }

    private static void Verify(VerbContext context)
    {
        using var pull = new DatasetPull(AssetFinder.FromEnvironment());
        string[] names = context.Parsed.GetValue(SomeNames)!;
        names = names.Length > 0 ? names : [.. Cards.Names(Cards.Datasets).Where(n => pull.Status(n).Folder is not null)];
        Report(context, names.Select(pull.Verify));
    }

    private static void Report(VerbContext context, IEnumerable<DatasetStatus> statuses)
    {
        var all = statuses.ToList();
        context.Result(all, console =>
        {
            all.ForEach(s => console.WriteLine($"{s.Name}: {s.Pictures} pictures in {s.Folder}"));
            all.SelectMany(s => s.Files).Where(f => !f.IsUsable).ToList().ForEach(f => console.WriteLine($"  {f.Note}"));
        });
    }
}
