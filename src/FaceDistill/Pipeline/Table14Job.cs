using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Distillation;
using FaceDistill.Formats;
using FaceDistill.Reporting;

namespace FaceDistill.Pipeline;

/// <summary>
/// Makes a table like Table 14 of Howard et al., "MobileNets" (2017): trains, measures and exports each student of a recipe, one after
/// the other, and times all their files at the end. A finished row is kept, an interrupted one goes on, and the reports are written anew after every row.
/// </summary>
public sealed class Table14Job(AssetFinder finder, Action<string>? say)
{
    /// <summary>The name of the resolved recipe in the table's folder.</summary>
    public const string RecipeFile = "recipe.json";

    /// <summary>Runs it.</summary>
    /// <exception cref="FaceDistillException">A row fails; the message says what. The rows before it are finished.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the next call goes on.</exception>
    public Table14Result Run(Table14Request request, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(request);
        var recipe = request.Recipe.Validated();
        var asked = recipe.Of(request.Rows).Rows;
        using var held = FolderLock.Take(request.Output);
        JsonFile.Write(Path.Combine(request.Output, RecipeFile), recipe);
        var job = new Table14RowJob(recipe, request.Output, request.RecipeFile, finder, say);
        foreach (var row in asked)
        {
            if (job.Finished(row) is not null)
            {
                say?.Invoke($"{row.Student}: finished before");
                continue;
            }

            job.Run(row, progress, cancel);
            Table14Report.Write(ResultOf(request, job), request.Output);
        }

        var result = ResultOf(request, job);
        result = result with { Speed = new Table14Timing(recipe, request.Output, finder, say).Of(result.Lines, job.FolderOf, progress, cancel) };
        Table14Report.Write(result, request.Output);
        say?.Invoke($"table: {Path.Combine(request.Output, "report.html")}");
        return result;
    }

    private static Table14Result ResultOf(Table14Request request, Table14RowJob job)
    {
        var recipe = request.Recipe;
        string speed = Path.Combine(request.Output, Table14Speed.FileName);
        var lines = recipe.Rows.Select(r => (r.Student, Line: job.Finished(r))).ToList();
        return new Table14Result(recipe.Teacher, recipe.Data, recipe.Test, recipe.Protocols[0], $"facedistill table14 --recipe {request.RecipeFile} --output {request.Output}",
            Words(recipe.Options), RunEnvironment.Here(recipe.Options.Device), DateTime.UtcNow,
            [.. lines.Select(l => l.Line).OfType<Table14Line>().OrderByDescending(l => l.Cost.MultAdds)], [.. lines.Where(l => l.Line is null).Select(l => l.Student)])
        {
            Speed = File.Exists(speed) ? JsonFile.Read<Table14Speed>(speed) : null,
            Synthetic = recipe.Data.Any(d => Directory.Exists(d) && AlignmentManifest.In(d) && AlignedFaces.Open(d).Manifest.Aligner == "synthetic"),
        };
    }

    private static string Words(DistillOptions o)
    {
        string views = o.IsAugmented ? o.Targets == TargetMode.Live ? "live augmented views" : $"{o.Views} augmented views of each face" : "aligned and mirrored faces";
        return FormattableString.Invariant($"head {o.Head.ToString().ToLowerInvariant()}, {views}, batch {o.BatchSize}, {o.Optimizer.ToString().ToLowerInvariant()} {o.LearningRate}, {o.Precision.ToString().ToLowerInvariant()}, {100 * o.Validation:0.#}% held out, seed {o.Seed}");
    }
}
