using System.CommandLine;
using FaceDistill.Datasets;
using FaceDistill.Pipeline;
using Spectre.Console;

namespace FaceDistill.Cli.Commands;

/// <summary><c>export</c>: a run's student to a file for other programs.</summary>
internal static class ExportCommand
{
    private static readonly Option<string> Model = new("--model") { Description = "The run folder.", Required = true, HelpName = "RUN" };
    private static readonly Option<string> Format = new Option<string>("--format") { Description = "The file format.", DefaultValueFactory = _ => "onnx" }.AcceptOnlyFromAmong("onnx");
    private static readonly Option<string?> Output = new("--output", "-o") { Description = "The file; without it, student.onnx in the run folder.", HelpName = "FILE" };
    private static readonly Option<string?> Data = new("--data") { Description = "Faces to verify the export on; without it, those the student was trained on.", HelpName = "DIR|NAME" };

    public static Command Create() => VerbContext.Action(
        new Command("export", "Write a student as ONNX, verified against TorchSharp on real faces before it is put in place.")
        {
            Model, Format, Output, Data, CommonOptions.Aligned, CommonOptions.Models, CommonOptions.Device,
        }, Run);

    private static void Run(VerbContext context)
    {
        var parsed = context.Parsed;
        var job = new ExportJob(parsed.Finder(), context.Say);
        var outcome = job.Run(parsed.GetRequiredValue(Model), parsed.GetValue(Output), parsed.GetValue(Data), parsed.GetValue(CommonOptions.Aligned), parsed.GetValue(CommonOptions.Device)!, context.Progress, context.Cancel);
        context.Result(new { files = outcome.Files, maxAbsDifference = outcome.MaxAbsDifference, minCosine = outcome.MinCosine, faces = outcome.Faces }, console =>
        {
            foreach (string file in outcome.Files)
            {
                console.WriteLine(file);
            }

            console.WriteLine(FormattableString.Invariant(
                $"agrees with TorchSharp on {outcome.Faces} faces: largest difference {outcome.MaxAbsDifference:0.0e+0}, smallest cosine {outcome.MinCosine:0.000000}"));
        });
    }
}
