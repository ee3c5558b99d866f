using System.CommandLine;
using System.CommandLine.Parsing;
using FaceDistill.Cli.Rendering;
using FaceDistill.Evaluation;
using FaceDistill.Export;
using FaceDistill.Export.Graphs;
using FaceDistill.Export.Int8;
using FaceDistill.Jobs;

namespace FaceDistill.Cli.Commands;

/// <summary><c>export</c>: a run's student to a file for other programs.</summary>
internal static class ExportCommand
{
    private static readonly Option<string> Model = new("--model") { Description = "The run folder.", Required = true, HelpName = "RUN" };
    private static readonly Option<string?> Format =
        new Option<string?>("--format") { Description = "The file format; without it, what the file's name ends in says." }.OneOf(
        [.. ExportFormat.All.Select(f => f.Name)]);
    private static readonly Option<string?> Output = new("--output", "-o")
    {
        Description = "The file; without it, student.onnx (or the format's own name) in the run folder.",
        HelpName = "FILE",
    };
    private static readonly Option<string?> Data = new("--data")
    {
        Description = "Faces to verify the export on, and to evaluate on; without it, those the student was trained on.",
        HelpName = "DIR|FILE|NAME",
    };
    private static readonly Option<string?> Calibration = new("--calibration")
    {
        Description = "For onnx-int8 and tflite-int8: training faces to measure its ranges on; without it, those the student was trained on.",
        HelpName = "DIR|FILE|NAME",
    };
    private static readonly Option<CalibrationMethod?> Ranges = new("--ranges")
    {
        Description = "For onnx-int8 and tflite-int8: how activation ranges are chosen; without it, the method with the smallest measured error.",
    };
    private static readonly Option<int> Float32Layers = new("--float32-layers")
    {
        Description = "For onnx-int8 and tflite-int8: the most layers that may stay in float32, each only where the error falls by a tenth.",
        DefaultValueFactory = _ => new Int8Options().MaxFloat32Layers,
    };
    private static readonly Option<bool> Preprocess = new("--preprocess")
    {
        Description = "Put the scaling into the graph: its input is the aligned picture, uint8 [batch, r, r, 3], RGB.",
    };
    private static readonly Option<bool> Normalize = new("--normalize")
    {
        Description = "Give embeddings of unit length; without it, in the teacher's own space.",
    };
    private static readonly Option<double?> MinCosine = new("--min-cosine")
    {
        Description = "The smallest cosine to TorchSharp's embedding allowed of any face; without it, the format's own.",
        HelpName = "X",
    };
    private static readonly Option<bool> Evaluate = new("--evaluate")
    {
        Description = "Measure TAR at 1e-4 of the student and of the file, and put both into the model card, the thresholds into the file.",
    };
    private static readonly Option<string> Protocol =
        new Option<string>("--protocol") { Description = "How --evaluate chooses pairs.",
        DefaultValueFactory = _ => Evaluator.AllPairsProtocols[0] }.OneOf([.. Evaluator.AllPairsProtocols]);
    private static readonly Option<double?> MaxLoss = new("--max-loss")
    {
        Description = "With --evaluate: the most TAR at 1e-4 that may be lost, percentage points.",
        HelpName = "POINTS",
    };

    public static Command Create() => VerbContext.Action(
        new Verb("export",
            "Write a student as ONNX, ORT, TFLite, NCNN or safetensors, verified against TorchSharp on faces before it is put in place, with its model card.")
            .Example("export --model run --output student.onnx")
            .Example("export --model run --output student.tflite")
            .Example("export --model run --output student.ncnn.param")
            .Example("export --model run --output student.int8.onnx --format onnx-int8 --evaluate --data lfw --protocol lfw-view1-test --max-loss 1")
            .Group("input", Model, Data, CommonOptions.Aligned, CommonOptions.Models, CommonOptions.Device)
            .Group("output", Output, Format, Preprocess, Normalize)
            .Group("8 bits", Calibration, Ranges, Float32Layers)
            .Group("what it must keep", MinCosine, Evaluate, Protocol, MaxLoss), Run, UsageError);

    private static string? UsageError(CommandResult result)
    {
        bool Given(Option option) => result.GetResult(option) is { Implicit: false };
        return Given(Evaluate) && !Given(Data) ? "--evaluate needs test faces: name their folder or data set with --data"
            : Given(MaxLoss) && !Given(Evaluate) ? "--max-loss needs --evaluate"
            : Given(Protocol) && !Given(Evaluate) ? "--protocol needs --evaluate"
            : (Given(Calibration) || Given(Ranges) || Given(Float32Layers)) && Meant(result)?.IsCalibrated != true
                ? "--calibration, --ranges and --float32-layers belong to --format onnx-int8 or tflite-int8"
            : Given(CommonOptions.Aligned) && !Given(Data) && !Given(Calibration)
                ? "--aligned is about the pictures of --data or --calibration: give one of them"
            : null;
    }

    private static ExportFormat? Meant(CommandResult result) => result.GetValue(Format) is { } named ? ExportFormat.All.FirstOrDefault(f => f.Name == named)
        : ExportFormat.Meant(result.GetValue(Output));

    private static void Run(VerbContext context)
    {
        var parsed = context.Parsed;
        string? output = parsed.GetValue(Output);
        var format = parsed.GetValue(Format) is { } named ? ExportFormat.Named(named) : ExportFormat.Of(output);
        var outcome = new ExportJob(parsed.Finder()).Run(
            new ExportRequest(parsed.GetRequiredValue(Model), format, output)
            {
                Processing = new GraphPrePostprocessing(parsed.GetValue(Preprocess), parsed.GetValue(Normalize)),
                Int8 = new Int8Options
                {
                    Method = parsed.GetValue(Ranges),
                    MaxFloat32Layers = parsed.GetValue(Float32Layers),
                },
                MinCosine = parsed.GetValue(MinCosine),
                Data = parsed.GetValue(Data),
                Calibration = parsed.GetValue(Calibration),
                Aligned = parsed.GetValue(CommonOptions.Aligned),
                Protocol = parsed.GetValue(Evaluate) ? parsed.GetValue(Protocol) : null,
                MaxLoss = parsed.GetValue(MaxLoss),
                Device = parsed.GetValue(CommonOptions.Device)!,
            },
            context.Job);
        context.Result(outcome, console => ExportSummary.Render(console, outcome));
    }
}
