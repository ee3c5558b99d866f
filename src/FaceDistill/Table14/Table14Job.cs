using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Jobs;
using FaceDistill.Kernels;
using FaceDistill.Runs;
using FaceDistill.Teachers;
using FaceDistill.Training.Options;

namespace FaceDistill.Table14;

/// <summary>
/// Makes a table like Table 14 of Howard et al., "MobileNets" (2017): trains, measures and exports each student of a recipe, one after
/// the other, and times all their files at the end. A finished row is kept, an interrupted one goes on, and the reports are written anew after every row.
/// </summary>
internal sealed class Table14Job(AssetFinder finder)
{
    /// <summary>The name of the resolved recipe in the table's folder.</summary>
    public const string RecipeFile = "recipe.json";

    /// <summary>Runs it.</summary>
    /// <exception cref="FaceDistillException">The folder holds another table, data are missing, or a row fails; the message says what. The rows before it are
    /// finished.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the next call goes on.</exception>
    public Table14Result Run(Table14Request request, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(request);
        request = request with { Recipe = request.Recipe.Validated() };
        var recipe = request.Recipe;
        var asked = recipe.Of(request.Rows).Rows;
        TorchDevice.Resolve(recipe.Options.Run.Device);
        using var held = FolderLock.Take(request.Output);
        RequireFolder(request.Output, recipe);
        var rows = new Table14RowJob(request, finder);
        Require(recipe, asked, rows, finder);
        int parts = asked.Count + 1; // the rows, and their files' speed
        var expected = Expected(request, asked, rows, job);
        for (int i = 0; i < asked.Count; i++)
        {
            if (rows.Finished(asked[i]) is not null)
            {
                job.Say?.Invoke($"{asked[i].Name}: finished before");
                continue;
            }

            rows.Run(asked[i], job.Part(i + 1, parts, expected?.Skip(i + 1).Sum()));
            JsonFile.Write(Path.Combine(request.Output, RecipeFile), recipe);
            Table14Report.Write(ResultOf(request, rows, finder), request.Output);
        }

        JsonFile.Write(Path.Combine(request.Output, RecipeFile), recipe);
        var result = ResultOf(request, rows, finder);
        result = result with { Speed = new Table14Timing(recipe, request.Output, finder).Of(result.Lines, rows.FolderOf, job.Part(parts, parts)) };
        Table14Report.Write(result, request.Output);
        job.Say?.Invoke($"table: {Path.Combine(request.Output, "report.html")}");
        return result;
    }

    // The training of each row in seconds, by a few steps of each; null where they are short, and measuring would be much beside them.
    private IReadOnlyList<double>? Expected(Table14Request request, IReadOnlyList<Table14RecipeRow> asked, Table14RowJob rows, JobContext job)
    {
        if (job.Progress is null || asked.Count(r => rows.Finished(r) is null) < 2 || !Table14Plan.IsLong(request, finder))
        {
            return null;
        }

        var plan = Table14Plan.Of(request, finder, job);
        return [.. asked.Select(row => 60 * plan.Lines.Where(l => !l.Finished && l.Student.Split(' ')[0] == row.Name).Sum(l => l.Minutes))];
    }

    /// <summary>Refuses a folder that holds the table of another teacher or of other faces.</summary>
    /// <exception cref="FaceDistillException">It does.</exception>
    internal static void RequireFolder(string output, Table14Recipe recipe)
    {
        string file = Path.Combine(output, RecipeFile);
        if (File.Exists(file) && JsonFile.Read<Table14Recipe>(file) is var made
            && !(made.Teacher == recipe.Teacher && made.Test == recipe.Test && made.Data.SequenceEqual(recipe.Data)))
        {
            throw new FaceDistillException(
                $"{output} holds a table of {made.Teacher}, {string.Join(" and ", made.Data)}, tested on {made.Test}; choose another --output");
        }
    }

    /// <summary>Refuses a recipe whose teacher, faces, lists or starts are not on this machine, before any work; nothing where all rows are finished.
    /// </summary>
    /// <param name="recipe">The table's.</param>
    /// <param name="asked">Those of its rows that are to be made.</param>
    /// <param name="rows">Knows which are finished.</param>
    /// <param name="finder">Finds data and models.</param>
    /// <exception cref="FaceDistillException">Something is missing; the message says how to get it.</exception>
    internal static void Require(Table14Recipe recipe, IReadOnlyList<Table14RecipeRow> asked, Table14RowJob rows, AssetFinder finder)
    {
        var open = asked.Where(r => rows.Finished(r) is null).ToList();
        if (open.Count == 0)
        {
            return;
        }

        if (EnsembleCard.Is(recipe.Teacher))
        {
            throw new FaceDistillException($"a table times its students beside their teacher's file, and {recipe.Teacher} is an ensemble of several: name one "
                + $"of its members, or train each student with '{Hints.Command} distill'");
        }

        TeacherCard.Open(recipe.Teacher, finder).Dispose();
        foreach (var row in open)
        {
            if (recipe.StartOf(row) is not { } start)
            {
                new DistillStart(finder).Require(recipe.OptionsOf(row, s => s.Name).Student);
            }
            else if (!open.TakeWhile(r => r != row).Contains(start)) // else it is made before
            {
                rows.RequireStart(row, start);
            }
        }

        if (recipe.Exclude is { } list)
        {
            Find(() => ExclusionList.Read(list), there: File.Exists(list));
        }

        foreach (string data in recipe.Data.Append(recipe.Test).Append(recipe.SecondTest?.Data).OfType<string>().Concat(recipe.Baseline?.Data ?? []))
        {
            Find(() => DataFolder.Resolve(data, finder), there: false);
        }

        foreach (var (data, protocol) in recipe.Protocols.Select(p => (recipe.Test, p))
            .Concat(recipe.SecondTest is { } second ? [(second.Data, second.Protocol)] : Array.Empty<(string, string)>()))
        {
            Evaluator.Check(protocol, DataFolder.Resolve(data, finder).Root, new EvaluationOptions());
        }

        static void Find(Action find, bool there)
        {
            try
            {
                find();
            }
            catch (FaceDistillException e) when (!there)
            {
                throw new FaceDistillException($"{e.Message}; the recipe names it, and its paths are from the folder where the command runs", e);
            }
        }
    }

    private static Table14Result ResultOf(Table14Request request, Table14RowJob job, AssetFinder finder)
    {
        var recipe = request.Recipe;
        string file = Path.Combine(request.Output, Table14Speed.FileName);
        var rows = recipe.Rows.Select(r => (r.Name, Line: job.Finished(r))).ToList();
        Table14Line[] lines = [.. rows.Select(l => l.Line).OfType<Table14Line>().OrderByDescending(l => l.Cost.MultAdds)];
        return new Table14Result(recipe.Teacher, recipe.Data, recipe.Test, recipe.Protocols[0], request.Command,
            Words(recipe.Options), RunEnvironment.Here(recipe.Options.Run.Device), DateTime.UtcNow, lines,
                [.. rows.Where(l => l.Line is null).Select(l => l.Name)])
        {
            Speed = File.Exists(file) && JsonFile.Read<Table14Speed>(file) is var speed && lines.Any(l => speed.Of(l) is not null) ? speed : null,
            SecondTest = recipe.SecondTest,
            Audits = [.. Table14Audit.Of(recipe, request.Output, lines, finder)],
            Synthetic = recipe.Data.Select(d => DataFolder.Resolve(d, finder).Images).Any(d => AlignmentManifest.In(d) && AlignmentManifest.Read(d).IsDrawn),
        };
    }

    private static string Words(DistillOptions o)
    {
        string views = o.Targets.IsAugmented
            ? o.Targets.Mode == TargetMode.Live
            ? "live augmented views"
            : $"{o.Targets.Views} augmented views of each face"
            : "aligned and mirrored faces";
        return InvariantText.Of(
            $"head {o.Student.Head.ToString().ToLowerInvariant()}, {views}, batch {o.Run.BatchSize}, {o.Optimizer.Kind.ToString().ToLowerInvariant()}, "
                + $"{o.Run.Precision.ToString().ToLowerInvariant()}, {100 * o.HeldPart:0.#}% held out, seed {o.Run.Seed}");
    }
}

/// <summary>Which table to make.</summary>
/// <param name="Recipe">The recipe.</param>
/// <param name="Command">What was typed, for the reports, without the rows.</param>
/// <param name="Output">The table's folder.</param>
/// <param name="Rows">The rows to run, by their names or their students; none for all. Rows that are finished stand in the table in any case.</param>
internal sealed record Table14Request(Table14Recipe Recipe, string Command, string Output, IReadOnlyList<string> Rows);
