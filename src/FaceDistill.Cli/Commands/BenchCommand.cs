using System.CommandLine;
using System.CommandLine.Parsing;
using FaceDistill.Assets;
using FaceDistill.Cli.Rendering;
using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Jobs;

namespace FaceDistill.Cli.Commands;

/// <summary><c>bench</c>: models side by side, by time, cost and accuracy.</summary>
internal static class BenchCommand
{
    private static readonly Option<string[]> Model = new Option<string[]>("--model")
    {
        Description = "A run folder (measured as its fp32 export), any .onnx or .ort file, or teacher:CARD; speed-ups refer to the first teacher, else to "
            + "the first model.",
        Required = true,
        AllowMultipleArgumentsPerToken = true,
        HelpName = "MODEL",
    }.Completes("teacher:", Cards.Teachers);

    private static readonly Option<string[]> Evaluations = new("--evaluations")
    {
        Description = "What 'evaluate --json' printed, or its report.json: the accuracies of the same weights, whatever they are called, are taken from there.",
        DefaultValueFactory = _ => [],
        AllowMultipleArgumentsPerToken = true,
        HelpName = "FILE.json",
    };

    private static readonly Option<string?> Data = new("--data")
    {
        Description = "Measure the accuracies on these faces, as 'evaluate' does.",
        HelpName = "DIR|FILE|NAME",
    };

    private static readonly Option<string?> Protocol = new Option<string?>("--protocol")
    {
        Description = "The protocol of the accuracies; by default that of the first evaluation given, else all-pairs.",
    }
        .OneOf([.. Evaluator.AllPairsProtocols]);

    private static readonly Option<int> Rounds = new("--rounds")
    {
        Description = "How often each model has its turn; a turn is four timed runs.",
        DefaultValueFactory = _ => 50,
    };
    private static readonly Option<string?> Output = new("--output", "-o")
    {
        Description = "Write bench.html, .json, .csv, .md and, where accuracies are known, bench.svg (accuracy against latency) into this folder.",
        HelpName = "DIR",
    };

    public static Command Create() => VerbContext.Action(
        new Verb("bench", "Measure latency and throughput of models side by side, with size, cost and, where known, accuracy.")
            .Example("bench --model teacher:dlib-resnet --model student.onnx")
            .Example("bench --model teacher:dlib-resnet run --evaluations accuracy.json --output bench")
            .Example("bench --model teacher:dlib-resnet student.onnx --data lfw --protocol lfw-view1-test")
            .Group("models", Model, CommonOptions.Models, CommonOptions.Provider)
            .Group("accuracy", Evaluations, Data, Protocol, CommonOptions.Aligned, CommonOptions.Device)
            .Group("measuring and output", Rounds, Output, CommonOptions.Wide), Run, UsageError);

    private static string? UsageError(CommandResult result) =>
        result.Given(Protocol) && !result.Given(Data) && !result.Given(Evaluations)
            ? "--protocol is that of an accuracy: give --data to measure it or --evaluations FILE.json to take it from"
        : (result.Given(CommonOptions.Aligned) || result.Given(CommonOptions.Device)) && !result.Given(Data)
            ? "--aligned and --device belong to --data, on which accuracies are measured; times are those of ONNX Runtime (--provider)"
        : result.Given(CommonOptions.Device) ? CommonOptions.DeviceError(result, result.GetValue(Model) ?? []) : null; // --provider is for all: an export's too

    private static void Run(VerbContext context)
    {
        var parsed = context.Parsed;
        var finder = parsed.Finder();
        var data = parsed.GetValue(Data) is { } named ? DataFolder.Resolve(named, finder) : null;
        var request = new BenchmarkRequest(parsed.GetRequiredValue(Model), parsed.GetValue(Evaluations)!, parsed.GetValue(Protocol), data,
            parsed.GetValue(CommonOptions.Aligned), parsed.GetValue(CommonOptions.Device)!, parsed.GetValue(Rounds), parsed.GetValue(Output))
        {
            Provider = parsed.GetValue(CommonOptions.Provider)!,
        };
        var result = new BenchmarkJob(finder).Run(request, context.Job);
        context.Result(result, console => BenchTable.Render(console, result, parsed.GetValue(CommonOptions.Wide)));
    }
}
