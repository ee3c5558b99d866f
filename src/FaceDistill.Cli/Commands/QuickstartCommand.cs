using System.CommandLine;
using FaceDistill.Cli.Rendering;
using FaceDistill.Jobs;
using FaceDistill.Kernels;
using Spectre.Console;

namespace FaceDistill.Cli.Commands;

/// <summary><c>quickstart</c>: every stage on synthetic faces, in minutes.</summary>
internal static class QuickstartCommand
{
    /// <summary>The verb.</summary>
    public const string Name = "quickstart";

    private static readonly Option<string> Output = new("--output", "-o")
    {
        Description = "The folder for faces, run and report; an interrupted quickstart goes on there.",
        DefaultValueFactory = _ => "run-quickstart",
        HelpName = "DIR",
    };

    private static readonly Option<int> Epochs = new("--epochs") { Description = "Passes over the faces.", DefaultValueFactory = _ => 30 };

    public static Command Create() => VerbContext.Action(
        new Verb(Name, "Distil, measure and export a small student on drawn faces, in a few minutes; nothing but the teacher is fetched.")
            .Example("quickstart")
            .Example("quickstart --epochs 5 --output trial")
            .Group("training", Epochs, CommonOptions.Models, CommonOptions.Device)
            .Group("output", Output), Run);

    private static void Run(VerbContext context)
    {
        HostMemory.KeepFreed();
        var report = new QuickstartJob(context.Parsed.Finder())
            .Run(context.Parsed.GetValue(Output)!, context.Parsed.GetValue(Epochs), context.Parsed.GetValue(CommonOptions.Device)!, context.Job);
        context.Result(report, console =>
        {
            console.WriteLine("These faces are drawings: the figures show that every stage works, and say nothing about real faces.");
            RunSummary.Render(console, report);
        });
    }
}
