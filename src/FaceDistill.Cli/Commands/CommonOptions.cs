using System.CommandLine;
using System.CommandLine.Parsing;
using FaceDistill.Assets;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Kernels;
using FaceDistill.Runs;

namespace FaceDistill.Cli.Commands;

/// <summary>Options that several verbs share.</summary>
internal static class CommonOptions
{
    /// <summary>What a model argument is.</summary>
    public const string AModel = "A run folder, an exported file (.onnx, .ort, .safetensors, .tflite, .ncnn.param) or teacher:CARD";

    public static readonly Option<bool> Verbose = new("--verbose") { Description = "Show the details of an error.", Recursive = true };

    public static readonly Option<bool> Json = new("--json")
    {
        Description = "Print one JSON document on standard output; everything else goes to standard error.",
        Recursive = true,
    };

    public static readonly Option<bool> Quiet = new("--quiet", "-q")
    {
        Description = "Say nothing on standard error but errors: no progress, no notes, no warnings.",
        Recursive = true,
    };

    public static readonly Option<bool> Wide = new("--wide") { Description = "Show all columns; where they do not fit, each row as a block of lines." };

    public static readonly Option<string[]> Models = new("--models")
    {
        Description = "Folders to look for model files in, before $FACEDISTILL_HOME/models and the cache.",
        DefaultValueFactory = _ => [],
        HelpName = "DIR",
    };

    public static readonly Option<string> Device = new Option<string>("--device") { Description = "Where torch computes.", DefaultValueFactory = _ => "auto" }
        .OneOf([.. TorchDevice.Names]);

    public static readonly Option<string> Provider = new Option<string>("--provider")
    {
        Description = "Where ONNX Runtime computes teachers, .onnx and .ort files; auto takes CUDA where it is built in and opens, else the CPU.",
        DefaultValueFactory = _ => OnnxProviders.Auto,
    }.OneOf([.. OnnxProviders.Names]);

    public static readonly Option<string?> Aligned = new Option<string?>("--aligned")
    {
        Description = "Say that the pictures are already aligned to this template although no alignment.json tells so.",
        HelpName = "TEMPLATE",
    }.OneOf([.. AlignmentTemplate.All.Select(t => t.Name)]);

    public static Option<string> Data(string description) =>
        new Option<string>("--data") { Description = description, Required = true, HelpName = "DIR|FILE|NAME" }.Completes("", Cards.Datasets);

    /// <summary>A part of the pictures.</summary>
    public static Option<string?> Shard(string description) =>
        new("--shard") { Description = description + "; auto takes Slurm's array or MPI's rank.", HelpName = "I/N|auto" };

    public static Option<string> Output(string description) => new("--output", "-o") { Description = description, Required = true, HelpName = "PATH" };

    public static AssetFinder Finder(this ParseResult parsed) => AssetFinder.FromEnvironment(parsed.GetValue(Models));

    /// <summary>Whether the user typed an option.</summary>
    public static bool Given(this ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>Whether the user typed an option.</summary>
    public static bool Given(this CommandResult result, Option option) => result.GetResult(option) is { Implicit: false };

    /// <summary>What is wrong where no model is computed by torch, or by ONNX Runtime; null where one is, or nothing of it is asked for.</summary>
    /// <param name="result">What was typed.</param>
    /// <param name="models">The models; null for the student that is taken where none is named, an .onnx file.</param>
    public static string? DeviceError(CommandResult result, params IReadOnlyCollection<string?> models) =>
        result.Given(Device) && !models.Any(m => m is not null && ModelArgument.IsTorch(m))
            ? "--device is for run folders and .safetensors files, which torch computes; where the models given are computed, --provider says"
        : result.Given(Provider) && result.GetValue(Provider) is not (OnnxProviders.Auto or OnnxProviders.Cpu)
            && !models.Any(m => m is null || ModelArgument.IsOnnx(m))
            ? "--provider is for teachers, .onnx and .ort files, which ONNX Runtime computes; where run folders and .safetensors files are, --device says"
            : null;
}
