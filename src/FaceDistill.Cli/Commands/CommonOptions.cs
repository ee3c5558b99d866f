using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using FaceDistill.Assets;
using FaceDistill.Faces;
using FaceDistill.Kernels;
using FaceDistill.Runs;

namespace FaceDistill.Cli.Commands;

/// <summary>Options that several verbs share.</summary>
internal static class CommonOptions
{
    public static readonly Option<bool> Verbose = new("--verbose") { Description = "Show the details of an error.", Recursive = true };

    public static readonly Option<bool> Json = new("--json")
    {
        Description = "Print one JSON document on standard output; everything else goes to standard error.",
        Recursive = true,
    };

    public static readonly Option<string[]> Models = new("--models")
    {
        Description = "Folders to look for model files in, before $FACEDISTILL_HOME/models and the cache.",
        DefaultValueFactory = _ => [],
        HelpName = "DIR",
    };

    public static readonly Option<string> Device = new Option<string>("--device") { Description = "Where torch computes.", DefaultValueFactory = _ => "auto" }
        .AcceptOnlyFromAmong([.. TorchDevice.Names]);

    public static readonly Option<string?> Aligned = new Option<string?>("--aligned")
    {
        Description = "Say that the pictures are already aligned to this template although no alignment.json tells so.",
        HelpName = "TEMPLATE",
    }.AcceptOnlyFromAmong([.. AlignmentTemplate.All.Select(t => t.Name)]);

    public static Option<string> Data(string description) => new("--data") { Description = description, Required = true, HelpName = "DIR|FILE|NAME" };

    public static Option<string> Output(string description) => new("--output", "-o") { Description = description, Required = true, HelpName = "PATH" };

    public static AssetFinder Finder(this ParseResult parsed) => AssetFinder.FromEnvironment(parsed.GetValue(Models));

    /// <summary>Whether the user typed an option.</summary>
    public static bool Given(this ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>Whether the user typed an option.</summary>
    public static bool Given(this CommandResult result, Option option) => result.GetResult(option) is { Implicit: false };

    /// <summary>What is wrong where no model is computed by torch; null where one is, or no device is asked for.</summary>
    public static string? DeviceError(CommandResult result, IEnumerable<string?> models) =>
        result.Given(Device) && !models.Any(m => m is not null && ModelArgument.IsTorch(m))
            ? "--device is for run folders and .safetensors files, which torch computes; ONNX Runtime computes the models given, on the CPU" : null;

    /// <summary>What is wrong with an option by itself, whatever the verb: a number where a name is wanted, an empty text, a folder that is not
    /// there.</summary>
    public static string? ValueError(OptionResult result)
    {
        var type = Nullable.GetUnderlyingType(result.Option.ValueType) ?? result.Option.ValueType;
        string[] names = type.IsEnum ? [.. Enum.GetNames(type).Select(JsonNamingPolicy.CamelCase.ConvertName)] : [];
        foreach (string value in result.Tokens.Select(t => t.Value))
        {
            string? wrong = value.Length == 0 ? "is empty"
                : type.IsEnum && !names.Contains(value, StringComparer.OrdinalIgnoreCase) ? $"'{value}' is none of {string.Join(", ", names)}"
                : result.Option == Models && !Directory.Exists(value) ? $"'{value}' is no folder"
                : null;
            if (wrong is not null)
            {
                return $"{result.Option.Name} {wrong}";
            }
        }

        return null;
    }
}
