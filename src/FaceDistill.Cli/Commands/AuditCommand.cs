using System.CommandLine;
using System.CommandLine.Parsing;
using FaceDistill.Cli.Rendering;
using FaceDistill.Evaluation.Agreement;
using FaceDistill.Jobs;

namespace FaceDistill.Cli.Commands;

/// <summary><c>audit</c>: training pictures of test people, and duplicates, to a list that never trains.</summary>
internal static class AuditCommand
{
    private static readonly Option<string[]> Data = new("--data")
    {
        Description = "The training faces: folders, data sets' names, or stores that 'embed' made with one teacher.",
        DefaultValueFactory = _ => [],
        AllowMultipleArgumentsPerToken = true,
        HelpName = "DIR|FILE|NAME|STORE",
    };

    private static readonly Option<string?> Model = new("--model")
    {
        Description = "Instead of --data, a run folder: the faces that it was trained on. The outcome is kept in it and stands in its report.",
        HelpName = "RUN",
    };

    private static readonly Option<string[]> Test = new("--test")
    {
        Description = "The test faces, whose people are not to train.",
        DefaultValueFactory = _ => [],
        AllowMultipleArgumentsPerToken = true,
        HelpName = "DIR|FILE|NAME|STORE",
    };

    private static readonly Option<string> Teacher = new("--teacher")
    {
        Description = "The card of the model whose embeddings decide: the strongest at hand.",
        DefaultValueFactory = _ => "faceplugin-512",
        HelpName = "CARD",
    };

    private static readonly Option<string> Protocol = new Option<string>("--protocol")
    {
        Description = "Which of the test faces: all, or those of LFW's View 1 test people.",
        DefaultValueFactory = _ => AuditTest.AllFaces,
    }.OneOf([.. AuditJob.Protocols]);

    private static readonly Option<double> Far = new("--far")
    {
        Description = "The permitted false accept rate of a pair; the threshold is measured at it.",
        DefaultValueFactory = _ => 1e-6,
    };

    private static readonly Option<double?> Threshold = new("--threshold")
    {
        Description = "The least similarity of a match, instead of the one measured at --far.",
    };

    private static readonly Option<string?> Calibration = new("--calibration")
    {
        Description = "The faces, a sub-folder a person, on which the threshold is measured; by default each test itself.",
        HelpName = "DIR|FILE|NAME|STORE",
    };

    private static readonly Option<bool> Within = new("--within")
    {
        Description = "Also look for duplicates among the training faces: the first of them stays.",
    };

    private static readonly Option<double> DuplicateThreshold = new("--duplicate-threshold")
    {
        Description = "With --within, the least similarity of near duplicates.",
        DefaultValueFactory = _ => AuditJob.DuplicateThreshold,
    };

    private static readonly Option<string?> Exclude = new("--exclude")
    {
        Description = "Leave out the pictures on this list, as 'distill --exclude' does; with --model what the run left out is left out anyway.",
        HelpName = "FILE",
    };

    private static readonly Option<string?> Output = new("--output", "-o")
    {
        Description = "The list to write (CSV), which 'distill --exclude' takes; with --model by default audit.csv in the run folder.",
        HelpName = "FILE",
    };

    public static Command Create() => VerbContext.Action(
        new Verb("audit", "List training pictures that show people of a test, and duplicates, by a teacher's embeddings and by content.")
            .Example("audit --data photos --test lfw --output leaks.csv")
            .Example("audit --data photos --test lfw --protocol lfw-view1-test --within --output leaks.csv")
            .Example("audit --model run --test lfw")
            .Group("training faces", Data, Model, Exclude, CommonOptions.Aligned)
            .Group("test faces", Test, Protocol)
            .Group("what matches", Teacher, Far, Threshold, Calibration, Within, DuplicateThreshold, CommonOptions.Models, CommonOptions.Provider)
            .Group("output", Output), Run, UsageError);

    private static string? UsageError(CommandResult result)
    {
        bool Given(Option option) => result.GetResult(option) is { Implicit: false };
        return Given(Data) == Given(Model) ? "give either the training faces (--data) or a run folder (--model)"
            : !Given(Test) && !Given(Within) ? "give test faces (--test), or look for duplicates among the training faces (--within)"
            : !Given(Output) && !Given(Model) ? "name the list to write: --output FILE"
            : Given(Threshold) && Given(Far) ? "--threshold stands in place of the one measured at --far: give one of them"
            : Given(DuplicateThreshold) && !Given(Within) ? "--duplicate-threshold belongs to --within"
            : (Given(Teacher) || Given(CommonOptions.Aligned) || Given(CommonOptions.Provider)) && OfStores(result)
                ? "--teacher, --aligned and --provider are for pictures, which are embedded; stores keep what their model gave: leave these options out"
            : !Given(Test) && (Given(Threshold) || Given(Far) || Given(Calibration) || Given(Protocol))
                ? "--threshold, --far, --calibration and --protocol belong to --test"
            : null;
    }

    // Of nothing else, so that no model is run.
    private static bool OfStores(CommandResult result) => result.GetValue(Model) is null
        && new[] { result.GetValue(Data)!, result.GetValue(Test)!, [.. new[] { result.GetValue(Calibration) }.OfType<string>()] }
            .SelectMany(given => given).All(given => File.Exists(Path.Combine(given, "store.json")));

    private static void Run(VerbContext context)
    {
        var parsed = context.Parsed;
        var request = new AuditRequest(parsed.GetValue(Data)!, parsed.GetValue(Test)!, parsed.GetValue(Teacher)!, parsed.GetValue(Output))
        {
            Run = parsed.GetValue(Model),
            Protocol = parsed.GetValue(Protocol)!,
            Far = parsed.GetValue(Far),
            Threshold = parsed.GetValue(Threshold),
            Calibration = parsed.GetValue(Calibration),
            Duplicates = parsed.GetValue(Within) ? parsed.GetValue(DuplicateThreshold) : null,
            Exclude = parsed.GetValue(Exclude),
            Aligned = parsed.GetValue(CommonOptions.Aligned),
            Provider = parsed.GetValue(CommonOptions.Provider)!,
        };
        var result = new AuditJob(parsed.Finder()).Run(request, context.Job);
        context.Result(result, console => AuditTable.Render(console, result));
    }
}
