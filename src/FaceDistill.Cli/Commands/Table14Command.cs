using System.CommandLine;
using System.CommandLine.Parsing;
using FaceDistill.Cli.Rendering;
using FaceDistill.Files;
using FaceDistill.Table14;

namespace FaceDistill.Cli.Commands;

/// <summary><c>table14</c>: students of several sizes beside Table 14 of the MobileNets paper.</summary>
internal static class Table14Command
{
    /// <summary>The verb.</summary>
    public const string Name = "table14";

    private static readonly Option<string> RecipeFile = new("--recipe")
    {
        Description = "The table's recipe (JSON, see eval/recipes/table14.json).",
        Required = true,
        HelpName = "FILE",
    };
    private static readonly Option<string> Output =
        CommonOptions.Output("The table's folder; each row is a run folder in its 'rows'. Finished rows in it are kept, an interrupted one goes on.");

    private static readonly Option<string[]> Rows = new("--rows")
    {
        Description = "Run only these rows: a student (all its rows), or a row's name (mobilenet-v1:0.5@96-start, mobilenet-v1:0.5@96-random).",
        DefaultValueFactory = _ => [],
        AllowMultipleArgumentsPerToken = true,
        HelpName = "ROW",
    };

    private static readonly Option<bool> Plan = new("--plan")
    {
        Description = "Print what each row's training is expected to cost here, from a few measured steps, and do nothing else.",
    };
    private static readonly Option<bool> Smoke = new("--smoke")
    {
        Description = "The whole table in minutes on drawn faces, three epochs a row: shows that everything works, and nothing about faces.",
    };

    public static Command Create() => VerbContext.Action(
        new Verb(Name, "Train, measure and export students of several sizes, and set them beside Table 14 of the MobileNets paper.")
            .Example("table14 --recipe eval/recipes/table14.json --output table --plan")
            .Example("table14 --recipe eval/recipes/table14.json --output trial --smoke")
            .Example("table14 --recipe eval/recipes/table14.json --output table --rows mobilenet-v1:0.5@96")
            .Group("what to do", RecipeFile, Rows, Plan, Smoke, CommonOptions.Models)
            .Group("output", Output), Run, UsageError);

    private static string? UsageError(CommandResult result) => result.GetResult(Plan) is { Implicit: false } && result.GetResult(Smoke) is { Implicit: false }
        ? "--plan is for the real table, --smoke for drawn faces: give one of them" : null;

    private static void Run(VerbContext context)
    {
        var parsed = context.Parsed;
        var finder = parsed.Finder();
        string file = parsed.GetRequiredValue(RecipeFile), output = parsed.GetRequiredValue(Output);
        var recipe = Table14Recipe.Read(file);
        recipe.Of(parsed.GetValue(Rows)!); // before anything is drawn
        recipe = parsed.GetValue(Smoke) ? Table14Smoke.Of(recipe, output, context.Job) : recipe;
        string[] smoke = parsed.GetValue(Smoke) ? [Smoke.Name] : [];
        string[] models = [.. (parsed.GetValue(CommonOptions.Models) ?? []).SelectMany(folder => new[] { CommonOptions.Models.Name, folder })];
        string command = Hints.Typed([Name, RecipeFile.Name, file, Output.Name, output, .. models, .. smoke]);
        var request = new Table14Request(recipe, command, output, parsed.GetValue(Rows)!);
        if (parsed.GetValue(Plan))
        {
            var plan = Table14Plan.Of(request, finder, context.Job);
            context.Result(plan, console => Table14View.Render(console, plan));
            return;
        }

        var result = new Table14Job(finder).Run(request, context.Job);
        context.Result(result, console => Table14View.Render(console, result));
    }
}
