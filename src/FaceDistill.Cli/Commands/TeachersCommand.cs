using System.CommandLine;
using FaceDistill.Assets;
using FaceDistill.Cli.Rendering;
using FaceDistill.Files;
using FaceDistill.Jobs;
using Spectre.Console;

namespace FaceDistill.Cli.Commands;

/// <summary><c>teachers list|pull|verify|add</c>: the models that the cards name, the face detector and the backbones among them.</summary>
internal static class TeachersCommand
{
    private static readonly string[] Kinds = [Cards.Teachers, Cards.Detectors, Cards.Backbones];

    private static readonly Argument<string[]> Names = new Argument<string[]>("name")
    {
        Description = "Cards (names or .json files) of teachers, backbones to start from and the face detector.",
        Arity = ArgumentArity.OneOrMore,
    }.Completes(Kinds);

    private static readonly Argument<string[]> SomeNames = new Argument<string[]>("name")
    {
        Description = "Cards; without any, all that are on this machine.",
        Arity = ArgumentArity.ZeroOrMore,
    }.Completes(Kinds);

    private static readonly Argument<string> Model = new("model") { Description = "An ONNX file of a face model: one picture in, embeddings out." };

    private static readonly Option<string?> Name = new("--name") { Description = "The card's name; by default the file's.", HelpName = "NAME" };

    private static readonly Option<string?> Output = new("--output", "-o")
    {
        Description = "The card's file; by default NAME.json beside the model.",
        HelpName = "FILE.json",
    };

    private static readonly Option<string?> Data = new("--data")
    {
        Description = "Photos of known people, one folder a person (or a data set's name); by default LFW where it is on this machine.",
        HelpName = "DIR|NAME",
    };

    private static readonly Option<int?> Size = new("--size") { Description = "The picture's side where the file leaves it open.", HelpName = "PIXELS" };

    private static readonly Option<string?> OutputName = new("--output-name")
    {
        Description = "The output that is the embedding, where the model has several that can be.",
        HelpName = "NAME",
    };

    public static Command Create() => new Verb(
        "teachers", "List, fetch and verify teacher models, backbones that students start from (distill --init), and the face detector; add your own.")
        .Example("teachers list")
        .Example("teachers pull dlib-resnet yunet")
        .Example("teachers add arcface.onnx")
        .With(VerbContext.Action(new Verb("list", "List the cards and what of them is on this machine.")
            .Example("teachers list")
            .Example("teachers list --wide")
            .Group("options", CommonOptions.Models, CommonOptions.Wide), List))
        .With(VerbContext.Action(new Verb("pull", "Fetch a model's files into the cache, verify them and convert them where needed.")
            .Example("teachers pull dlib-resnet yunet")
            .Example("teachers pull faceres")
            .Takes(Names).Group("options", CommonOptions.Models), Pull))
        .With(VerbContext.Action(new Verb("verify", "Check the files' SHA-256, and that the model runs.")
            .Example("teachers verify")
            .Example("teachers verify dlib-resnet")
            .Takes(SomeNames).Group("options", CommonOptions.Models), Verify))
        .With(VerbContext.Action(new Verb(
            "add", "Write the card of an ONNX file of your own: colour order, scaling and alignment are those that separate known people best.")
            .Example("teachers add arcface.onnx")
            .Example("teachers add arcface.onnx --name mine --data people --output mine.json")
            .Takes(Model)
            .Group("the model", Size, OutputName)
            .Group("known people", Data, CommonOptions.Models)
            .Group("output", Name, Output), Add));

    private static void List(VerbContext context)
    {
        var pull = new ModelPull(context.Parsed.Finder());
        var rows = ModelPull.AllNames.Select(name => (Name: name, About: ModelPull.About(name), Status: pull.Status(name))).ToList();
        context.Result(rows.Select(r => new { name = r.Name, description = r.About.Description, licence = r.About.Licence, files = r.Status }).ToList(),
            console =>
        {
            bool wide = context.Parsed.GetValue(CommonOptions.Wide);
            var table = new FittedTable(["card", "here", "what", .. wide ? ["licence", "files"] : Array.Empty<string>()]) { Texts = true };
            foreach (var (name, about, status) in rows)
            {
                string here = status.Any(f => f.State == AssetState.WrongHash) ? "WRONG HASH" : status.All(f => f.IsUsable) ? "yes" : "no";
                string[] more = wide ? [about.Licence, string.Join(", ", status.Select(f => $"{f.File}: {StateOf(f)}"))] : [];
                table.Add([name, here, about.Description, .. more]);
            }

            table.Write(console);
            console.WriteLine(wide ? $"'{Hints.Command} teachers pull NAME' fetches one." : $"'{Hints.Command} teachers pull NAME' fetches one; "
                + $"'{Hints.Command} teachers list --wide' shows licences and files.");
        });
    }

    private static void Pull(VerbContext context)
    {
        var pull = new ModelPull(context.Parsed.Finder());
        CacheFolder.RequireKept();
        string[] names = context.Parsed.GetValue(Names)!;
        Array.ForEach(names, name => ModelPull.About(name)); // before anything is fetched
        var results = names.Select(name => new { name, files = pull.Pull(name, context.Job) }).ToList();
        context.Result(results, console => results.ForEach(r => console.WriteLine($"{r.name}: {string.Join(", ", r.files)}")));
    }

    private static void Verify(VerbContext context)
    {
        var pull = new ModelPull(context.Parsed.Finder());
        string[] names = context.Parsed.GetValue(SomeNames)!;
        names = names.Length > 0 ? names : [.. ModelPull.AllNames.Where(n => pull.Status(n).All(s => s.State != AssetState.Missing))];
        var results = names.Select(name => new { name, files = pull.Verify(name) }).ToList();
        context.Result(results, console =>
        {
            results.ForEach(r => console.WriteLine($"{r.name}: verified {string.Join(", ", r.files)}"));
            console.WriteLine($"{results.Count} verified");
        });
    }

    private static void Add(VerbContext context)
    {
        var parsed = context.Parsed;
        var added = new AddTeacherJob(parsed.Finder()).Run(new AddTeacherRequest(parsed.GetValue(Model)!)
        {
            Name = parsed.GetValue(Name), Output = parsed.GetValue(Output), Data = parsed.GetValue(Data), Size = parsed.GetValue(Size),
            OutputName = parsed.GetValue(OutputName),
        }, context.Job);
        string typed = parsed.GetValue(Output) ?? Path.Combine(Path.GetDirectoryName(parsed.GetValue(Model)) ?? "", Path.GetFileName(added.Card));
        context.Result(added, console => AddedTeacherTable.Render(console, added, typed));
    }

    private static string StateOf(AssetStatus status) => status.State switch
    {
        AssetState.Verified => "verified",
        AssetState.Present => "present",
        AssetState.WrongHash => "WRONG HASH",
        _ => "not here",
    };
}
