using System.CommandLine;
using FaceDistill.Assets;
using FaceDistill.Jobs;
using Spectre.Console;

namespace FaceDistill.Cli.Commands;

/// <summary><c>datasets list|pull|verify</c>: the data sets that the cards name.</summary>
internal static class DatasetsCommand
{
    private static readonly Argument<string[]> Names = new("name") { Description = "Data sets (names or .json files).", Arity = ArgumentArity.OneOrMore };
    private static readonly Argument<string[]> SomeNames = new("name")
    {
        Description = "Data sets; without any, all that are on this machine.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    public static Command Create() => new("datasets", "List, fetch and verify data sets of faces.")
    {
        VerbContext.Action(new Command("list", "List the cards and where each data set is on this machine."), List),
        VerbContext.Action(new Command("pull", "Fetch and unpack a data set into the cache, or draw the synthetic one.") { Names }, Pull),
        VerbContext.Action(new Command("verify", "Check that a data set is there and its files are the right ones.") { SomeNames }, Verify),
    };

    private static void List(VerbContext context)
    {
        using var pull = new DatasetPull(AssetFinder.FromEnvironment());
        var rows = Cards.Names(Cards.Datasets).Select(name => (Card: DatasetCard.Load(name), Status: pull.Status(name))).ToList();
        context.Result(rows.Select(r => new { name = r.Card.Name, description = r.Card.Description, licence = r.Card.Licence, status = r.Status }).ToList(),
            console =>
        {
            var table = new Table().AddColumns("data set", "what", "terms", "here");
            foreach (var (card, status) in rows)
            {
                table.AddRow(ShownOnTerminal.Cell(card.Name), ShownOnTerminal.Cell(card.Description), ShownOnTerminal.Cell(card.Licence),
                    ShownOnTerminal.Cell(status.Folder ?? status.Note ?? "-"));
            }

            console.Write(table);
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
