using System.CommandLine;
using FaceDistill.Assets;
using FaceDistill.Kernels;

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

    public static readonly Option<string?> Aligned = new("--aligned")
    {
        Description = "Say that the pictures are already aligned to this template although no alignment.json tells so.",
        HelpName = "TEMPLATE",
    };

    public static Option<string> Data(string description) => new("--data") { Description = description, Required = true, HelpName = "DIR|NAME" };

    public static Option<string> Output(string description) => new("--output", "-o") { Description = description, Required = true, HelpName = "PATH" };

    public static AssetFinder Finder(this ParseResult parsed) => AssetFinder.FromEnvironment(parsed.GetValue(Models));
}
