using System.CommandLine;
using System.CommandLine.Parsing;
using FaceDistill.Assets;
using FaceDistill.Cluster;
using FaceDistill.Datasets;
using FaceDistill.Files;
using FaceDistill.Jobs;
using FaceDistill.Runs;
using FaceDistill.Training;

namespace FaceDistill.Cli.Commands;

/// <summary><c>distill</c>: faces and a teacher to a student.</summary>
internal static class DistillCommand
{
    /// <summary>The verb.</summary>
    public const string Name = "distill";

    /// <summary>Takes up an interrupted run.</summary>
    public static readonly Option<bool> Resume = new("--resume") 
    {
        Description = "Continue an interrupted run of the same options; without --student and --recipe, those that the run folder keeps.",
    };

    private static readonly Option<string?> RecipeFile = new("--recipe")
    {
        Description = "A recipe (JSON, see eval/recipes); any other option overrides what it says.",
        HelpName = "FILE",
    };
    private static readonly Option<string> Teacher = new Option<string>("--teacher")
    {
        Description = "The teacher's card (a name or a .json file).",
        DefaultValueFactory = _ => "dlib-resnet",
        HelpName = "CARD",
    }.Completes("", Cards.Teachers);
    private static readonly Option<string[]> Data = new Option<string[]>("--data")
    {
        Description = "Training faces without labels: folders of photos or aligned faces, or data sets' names.",
        DefaultValueFactory = _ => [],
        AllowMultipleArgumentsPerToken = true,
        HelpName = "DIR|FILE|NAME",
    }.Completes("", Cards.Datasets);

    private static readonly Option<string?> Exclude = new("--exclude")
    {
        Description = "Pictures that never train: a line 'NAME tab PATH' each (the data set's folder name, the picture's path in it), "
            + "or the list that 'audit' wrote.",
        HelpName = "FILE",
    };

    private static readonly Option<string> Output = CommonOptions.Output("The run folder.");

    public static Command Create()
    {
        var verb = new Verb(Name, "Train a MobileNet student on a teacher's embeddings, export it and write a report.")
            .Example("distill --student mobilenet-v1:0.5@96 --data photos --output run")
            .Example("distill --output run --resume")
            .Example("distill --recipe eval/recipes/plain.json --data photos --output run --epochs 40 --optimizer adamw")
            .Example("distill --student mobilenet-v1:0.25@128 --teacher faceplugin-512 --data photos --output run --minutes 30 --init faceres")
            .Group("input", Data, Teacher, RecipeFile, Exclude, CommonOptions.Aligned, CommonOptions.Models, CommonOptions.Provider)
            .Group("output", Output, Resume);
        foreach (var (name, options) in DistillArguments.Groups)
        {
            verb.Group(name, options);
        }

        return VerbContext.Action(verb, Run, UsageError);
    }

    private static string? UsageError(CommandResult result)
    {
        bool recipe = result.Given(RecipeFile) || (result.Given(Resume) && !DistillArguments.NamesStudent(result)); // that of the run
        return !recipe && !DistillArguments.NamesStudent(result) ? "name the student: --student mobilenet-v1:WIDTH@RESOLUTION, or --recipe FILE"
            : !recipe && result.GetResult(Data) is not { Implicit: false } ? "name the training faces: --data DIR|NAME, or --recipe FILE"
            : DistillArguments.UsageError(result);
    }

    private static void Run(VerbContext context)
    {
        var ranks = Ranks.Join();
        if (ranks is { IsFirst: false })
        {
            Follow(context.Parsed, ranks);
            return;
        }

        if (ranks is not null)
        {
            context.Say(ranks.About);
        }

        if (context.Parsed.GetValue(Resume) && context.Parsed.GetRequiredValue(Output) is var run && !RunInfo.Begun(run))
        {
            throw new FaceDistillException($"no run to resume in {run}; leave {Resume.Name} out to begin one");
        }

        var finder = context.Parsed.Finder();
        var request = Request(context.Parsed, finder) with { Ranks = ranks };
        if (ranks is not null)
        {
            RankedRun.RequireSame(ranks, request.Options, request.Teacher);
        }

        var report = new DistillJob(finder).Run(request, context.Job);
        ranks?.End();
        context.Result(report, console => Rendering.RunSummary.Render(console, report));
    }

    private static void Follow(ParseResult parsed, Ranks ranks)
    {
        var finder = parsed.Finder();
        var request = AfterFirst(ranks, () => Request(parsed, finder) with { Ranks = ranks });
        RankedRun.RequireSame(ranks, request.Options, request.Teacher);
        AfterFirst(ranks, () =>
        {
            new DistillJob(finder).Follow(request);
            ranks.End();
            return request;
        });
    }

    // Most often the first rank fails alike: it has this time to keep what was done and to say so, and its end is this one's.
    private static DistillRequest AfterFirst(Ranks ranks, Func<DistillRequest> work)
    {
        try
        {
            return work();
        }
        catch (FaceDistillException e)
        {
            Thread.Sleep(TimeSpan.FromSeconds(10));
            throw new FaceDistillException($"rank {ranks.Rank} of {ranks.Count}: {e.Message}", e);
        }
    }

    /// <summary>How a cancelled run is taken up: one that had not begun is not resumed, but begun.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="args">Its words.</param>
    public static string GoOn(ParseResult parsed, string[] args) =>
        Hints.Typed(parsed.Given(Resume) || !RunInfo.Begun(parsed.GetRequiredValue(Output)) ? args : [.. args, Resume.Name]);

    // The named one, or the one that the run which is resumed keeps.
    private static string? RecipeOf(ParseResult parsed)
    {
        if (parsed.GetValue(RecipeFile) is { } file || !parsed.GetValue(Resume) || DistillArguments.NamesStudent(parsed.CommandResult))
        {
            return parsed.GetValue(RecipeFile);
        }

        string run = parsed.GetRequiredValue(Output), kept = Path.Combine(run, Recipe.FileName);
        return File.Exists(kept) ? kept : throw new FaceDistillException(
            $"{run} has no {Recipe.FileName} to resume by: name --student and --data (or --recipe) as when it was begun");
    }

    private static DistillRequest Request(ParseResult parsed, AssetFinder finder)
    {
        string? file = RecipeOf(parsed);
        var recipe = file is null ? null : Recipe.Read(file);
        IReadOnlyList<string> data = parsed.Given(Data) ? parsed.GetValue(Data)! : recipe?.Data ?? [];
        if (data.Count == 0)
        {
            throw new FaceDistillException($"{file} names no data; give --data DIR|NAME");
        }

        string teacher = recipe is not null && !parsed.Given(Teacher) ? recipe.Teacher : parsed.GetValue(Teacher)!;
        var options = DistillArguments.Options(parsed, recipe).Validated();
        if (DistillArguments.Idle(parsed, options) is { } idle)
        {
            throw new FaceDistillException(idle);
        }

        T Found<T>(Func<T> find, bool given)
        {
            try
            {
                return find();
            }
            catch (FaceDistillException e) when (file is not null && !given)
            {
                throw new FaceDistillException($"{e.Message}; {file} names it, and its paths are from the folder where the command runs", e);
            }
        }

        string? exclude = parsed.GetValue(Exclude) ?? recipe?.Exclude;
        _ = exclude is null ? null : Found(() => ExclusionList.Read(exclude), parsed.GetValue(Exclude) is not null || File.Exists(exclude));
        DataFolder Folder(string name) => Found(() => DataFolder.Resolve(name, finder), parsed.Given(Data));
        return new DistillRequest(
            teacher, [.. data.Select(d => Folder(d) with { Exclude = exclude })], parsed.GetValue(CommonOptions.Aligned) ?? recipe?.Aligned, options,
            parsed.GetRequiredValue(Output), parsed.GetValue(Resume))
        {
            Recipe = recipe,
            DataNames = data,
            Provider = parsed.GetValue(CommonOptions.Provider)!,
        };
    }
}

/// <summary>The augmentations that have a name; a recipe gives each value.</summary>
internal enum AugmentKind
{
    /// <summary>The aligned face.</summary>
    None,

    /// <summary>The defaults of <see cref="AugmentOptions"/>.</summary>
    Mild,

    /// <summary><see cref="AugmentOptions.Strong"/>.</summary>
    Strong,
}
