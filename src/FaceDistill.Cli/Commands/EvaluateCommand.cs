using System.CommandLine;
using System.CommandLine.Parsing;
using FaceDistill.Assets;
using FaceDistill.Cli.Rendering;
using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Jobs;

namespace FaceDistill.Cli.Commands;

/// <summary><c>evaluate</c>: models or embeddings to accuracy at fixed false-accept rates.</summary>
internal static class EvaluateCommand
{
    private static readonly Option<string[]> Model = new Option<string[]>("--model")
    {
        Description = CommonOptions.AModel + "; give a teacher too to get retention.",
        DefaultValueFactory = _ => [],
        AllowMultipleArgumentsPerToken = true,
        HelpName = "MODEL",
    }.Completes("teacher:", Cards.Teachers);

    private static readonly Option<string[]> Embeddings = new("--embeddings")
    {
        Description = "Instead of a model: a store that 'embed' made, or a NumPy file, float32 [N, D], with --labels.",
        DefaultValueFactory = _ => [],
        AllowMultipleArgumentsPerToken = true,
        HelpName = "STORE|NPY",
    };

    private static readonly Option<string?> Labels = new("--labels")
    {
        Description = "For a NumPy file: a text file with one identity a line.",
        HelpName = "FILE",
    };
    private static readonly Option<string?> Data = new Option<string?>("--data")
    {
        Description = "The test faces (a folder, a file of many pictures, or a data set's name); also where LFW's protocol files are.",
        HelpName = "DIR|FILE|NAME",
    }.Completes("", Cards.Datasets);

    private static readonly Option<string> Protocol = new Option<string>("--protocol")
    {
        Description = "How pairs are chosen.",
        DefaultValueFactory = _ => Evaluator.AllPairs,
    }
        .OneOf([.. Evaluator.Protocols]);

    private static readonly Option<string> Score = new Option<string>("--score")
    {
        Description = "How two embeddings make a score; euclidean is minus their distance, not scaled to unit length.",
        DefaultValueFactory = _ => "cosine",
    }
        .OneOf([.. Enum.GetNames<ScoreKind>().Select(name => name.ToLowerInvariant())]);

    private static readonly Option<string[]> Fars = new("--far")
    {
        Description = "The false accept rates to tell beside 1e-4, for example 1e-3 1e-7; by default 1e-1 to 1e-6, and 1e-7 where there are pairs "
            + "enough. In identification, those of false alarms: 1e-2 and 1e-3.",
        DefaultValueFactory = _ => [],
        AllowMultipleArgumentsPerToken = true,
        HelpName = "RATE",
    };
    private static readonly Option<int> Resamples = new("--resamples")
    {
        Description = "Bootstrap resamples of the identities for the 95% intervals; 0 for none.",
        DefaultValueFactory = _ => new EvaluationOptions().Resamples,
    };
    private static readonly Option<int> Seed = new("--seed")
    {
        Description = "The seed of the resampling, of the people taken out of a gallery and of own BLUFR trials.",
        DefaultValueFactory = _ => new EvaluationOptions().Seed,
    };
    private static readonly Option<bool> NoMetrics = new("--no-metrics")
    {
        Description = "Leave out EER, AUC, d', minDCF and rank-1, which need a second look at all pairs.",
    };
    private static readonly Option<bool> NoAgreement = new("--no-agreement")
    {
        Description = "Leave out the agreement with the teacher and the search in its gallery, which scores twice as many pairs.",
    };

    private static readonly Option<bool> Flip = new("--flip")
    {
        Description = "Sum each model's embeddings of a face and of its mirror image, as face recognition's benchmarks do; twice the work.",
    };

    private static readonly Option<string?> Reference = new("--reference")
    {
        Description = "The model that is the others' teacher, for retention and agreement: its argument as typed, or its name in the table; by default the "
            + "first teacher:CARD.",
        HelpName = "MODEL|NAME",
    };
    private static readonly Option<string?> PairFile = new("--pairs")
    {
        Description = "For 'pairs': your list, a CSV file with the header a,b,same; by default pairs.csv in the data folder.",
        HelpName = "FILE",
    };
    private static readonly Option<string?> Gallery = new("--gallery")
    {
        Description = "For 'identification': a file with one gallery image a line; by default the first image of each person.",
        HelpName = "FILE",
    };
    private static readonly Option<double?> Unknown = new("--unknown")
    {
        Description = "For 'identification': the share of the gallery's people taken out of it for the open-set search, at least 0 and below 1; by default "
            + "a half where everybody is in the gallery.",
        HelpName = "SHARE",
    };
    private static readonly Option<string?> Lists = new("--blufr-lists")
    {
        Description = "For 'blufr': the folder of the toolkit's gallery_set.txt and probe_set.txt; without them own trials are drawn.",
        HelpName = "DIR",
    };
    private static readonly Option<bool> DetectorScores = new("--detector-scores")
    {
        Description = "For IJB: each face of a template counts by its detector score, as in the field's scripts.",
    };
    private static readonly Option<string?> Report = new("--report")
    {
        Description = "Write report.html (one file, to look at), report.json, report.csv and report.md into this folder.",
        HelpName = "DIR",
    };
    private static readonly Option<bool> ReportFaces = new("--report-faces")
    {
        Description = "Put small pictures of the worst pairs' faces into report.html; without it only their paths.",
    };

    public static Command Create() => VerbContext.Action(
        new Verb("evaluate", "Measure accuracy (TAR) at fixed false-accept rates, with thresholds and pair counts.")
            .Example("evaluate --model run --data people")
            .Example("evaluate --model run teacher:dlib-resnet --data lfw --protocol lfw-view1-test --report report")
            .Example("evaluate --model student.onnx --data people --protocol pairs --pairs pairs.csv")
            .Example("evaluate --embeddings X.npy --labels Y.txt --wide")
            .Group("what is measured", Model, Reference, Flip, Embeddings, Labels, CommonOptions.Models, CommonOptions.Device,
                CommonOptions.Provider)
            .Group("test faces", Data, CommonOptions.Aligned)
            .Group("protocol", Protocol, PairFile, Gallery, Unknown, Lists, DetectorScores, Score)
            .Group("statistics", Fars, Resamples, Seed, NoMetrics, NoAgreement)
            .Group("output", Report, ReportFaces, CommonOptions.Wide), Run, UsageError);

    private static string? UsageError(CommandResult result)
    {
        bool Given(Option option) => result.GetResult(option) is { Implicit: false };
        return !Given(Model) && !Given(Embeddings) ? "give something to evaluate: --model MODEL with --data, or --embeddings STORE|FILE.npy"
            : Given(Model) && !Given(Data) ? "--model needs faces: name their folder or data set with --data"
            : Given(Labels) && !Given(Embeddings) ? "--labels belongs to --embeddings FILE.npy; a model's faces have their identities from their folders"
            : Given(CommonOptions.Aligned) && !Given(Model) ? "--aligned is about the pictures that a model embeds: give --model, or leave it out"
            : Given(Flip) && !Given(Model) ? "--flip is about models: give --model, or embed the store with --flip"
            : Misplaced(result) is { } option ? option
            : result.GetResult(Fars) is { Tokens.Count: > 0 } && result.GetValue(Fars)!.Select(far => InvariantNumber.Problem(far, typeof(double)))
                .FirstOrDefault(problem => problem is not null) is { } wrong
                ? $"{Fars.Name} {wrong}; several rates stand apart: {Fars.Name} 1e-3 1e-4"
            : Given(ReportFaces) && !Evaluator.NamesWorstPairs(result.GetValue(Protocol) ?? Evaluator.AllPairs)
                ? $"--report-faces shows the worst pairs, and {result.GetValue(Protocol)} names none"
            : Given(ReportFaces) && !Given(Report) ? "--report-faces needs a report: name its folder with --report"
            : CommonOptions.DeviceError(result, result.GetValue(Model) ?? []);
    }

    /// <summary>An option of another protocol would silently do nothing.</summary>
    private static string? Misplaced(CommandResult result)
    {
        string protocol = result.GetValue(Protocol) ?? Evaluator.AllPairs;
        if (result.GetResult(DetectorScores) is { Implicit: false } && !Evaluator.IjbProtocols.Contains(protocol))
        {
            return $"{DetectorScores.Name} belongs to {string.Join(", ", Evaluator.IjbProtocols)}, not to {protocol}";
        }

        if (result.GetResult(Fars) is { Implicit: false } && (protocol is Evaluator.LfwTenFold or Evaluator.Blufr))
        {
            return $"{Fars.Name} does not belong to {protocol}, whose rates are its own";
        }

        bool resampled = Evaluator.AllPairsProtocols.Contains(protocol) || protocol is Evaluator.Ijbb or Evaluator.Ijbc;
        bool drawn = resampled || protocol == Evaluator.Identification || (protocol == Evaluator.Blufr && result.GetValue(Lists) is null);
        if (!resampled && result.GetResult(Resamples) is { Implicit: false } && result.GetValue(Resamples) > 0) // 0 asks for what is so
        {
            return $"{Resamples.Name} does not belong to {protocol}, which gives no intervals";
        }

        if (!drawn && result.GetResult(Seed) is { Implicit: false })
        {
            return $"{Seed.Name} does not belong to {protocol}, which draws nothing";
        }

        return new (Option Option, string Protocol)[] { (PairFile, Evaluator.Pairs), (Gallery, Evaluator.Identification), (Unknown, Evaluator.Identification),
            (Lists, Evaluator.Blufr) }
            .Where(rule => result.GetResult(rule.Option) is { Implicit: false } && rule.Protocol != protocol)
            .Select(rule => $"{rule.Option.Name} belongs to --protocol {rule.Protocol}, not to {protocol}").FirstOrDefault();
    }

    private static void Run(VerbContext context)
    {
        var parsed = context.Parsed;
        var finder = parsed.Finder();
        var data = parsed.GetValue(Data) is { } named ? DataFolder.Resolve(named, finder) : null;
        var request = new EvaluateRequest(
            parsed.GetValue(Protocol)!, parsed.GetValue(Model)!, data, parsed.GetValue(CommonOptions.Aligned), parsed.GetValue(CommonOptions.Device)!)
        {
            Embeddings = parsed.GetValue(Embeddings)!,
            Labels = parsed.GetValue(Labels),
            Options = new EvaluationOptions
            {
                Fars = parsed.GetValue(Fars) is { Length: > 0 } fars ? Array.ConvertAll(fars, InvariantNumber.Of) : null,
                Score = Enum.Parse<ScoreKind>(parsed.GetValue(Score)!, ignoreCase: true),
                Resamples = parsed.GetValue(Resamples),
                Seed = parsed.GetValue(Seed),
                Metrics = !parsed.GetValue(NoMetrics),
                PairFile = parsed.GetValue(PairFile),
                GalleryFile = parsed.GetValue(Gallery),
                UnknownShare = parsed.GetValue(Unknown),
                BlufrLists = parsed.GetValue(Lists),
                DetectorScores = parsed.GetValue(DetectorScores),
            },
            Reference = parsed.GetValue(Reference),
            Flip = parsed.GetValue(Flip),
            Provider = parsed.GetValue(CommonOptions.Provider)!,
            Agreement = !parsed.GetValue(NoAgreement),
            Report = parsed.GetValue(Report) is { } folder ? new ReportRequest(folder, parsed.GetValue(ReportFaces), Typed(parsed)) : null,
        };
        var result = new EvaluateJob(finder).Run(request, context.Job);
        context.Result(result, console => EvaluationTable.Render(console, result, parsed.GetValue(CommonOptions.Wide), request.Options.Fars is not null));
    }

    /// <summary>What was typed, so that it can be typed again in a shell.</summary>
    private static string Typed(ParseResult parsed) => Hints.Typed(parsed.Tokens.Select(token => token.Value));
}
