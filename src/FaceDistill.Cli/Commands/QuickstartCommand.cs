using System.CommandLine;
using FaceDistill.Cli.Rendering;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Jobs;
using FaceDistill.Kernels;
using FaceDistill.Reports;
using FaceDistill.Reports.Pages;
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
        context.Result(report, console => QuickstartEnd.Render(console, report));
    }
}

/// <summary>What a quickstart ends with: what came out, what it means, what was made, what to type next.</summary>
internal static class QuickstartEnd
{
    private const int LeastClause = 36; // narrower than this, a clause stands below its name

    public static void Render(IAnsiConsole console, RunReportData report)
    {
        void Blank() => console.Profile.Out.Writer.WriteLine();
        Blank();
        console.WriteLine($"{RunGuide.Verdict(report)}.");
        Blank();
        Entries(console, RunGuide.Figures(report).Select(f => ($"{f.Name}: {f.Figure}", f.Means)));
        foreach (var evaluation in report.Evaluations.Where(e => e.Result.Models.Any(m => m.TarAtFar is not null)))
        {
            string far = EvaluationVerdict.Far(evaluation.Result) ?? ReportFormat.DecidingFar;
            string Reached(ModelResult m) => $"{m.Name} {ReportFormat.Percent(m.TarAtFar?.GetValueOrDefault(far))}"
                + ReportFormat.Bracket(m.TarInterval95AtFar?.GetValueOrDefault(far));
            Blank();
            console.WriteLine($"TAR at FAR {far}: {string.Join("; ", evaluation.Result.Models.Select(Reached))}. {RunGuide.Tar(far)}");
        }

        foreach (string words in RunGuide.Meaning(report))
        {
            Blank();
            console.WriteLine(words);
        }

        Blank();
        console.WriteLine("What was made:");
        Entries(console, RunGuide.Files(report));
        Blank();
        console.WriteLine("Next:");
        foreach (var (command, what) in RunGuide.Next(report))
        {
            console.Profile.Out.Writer.WriteLine($"  {ShownText.Of(command)}"); // never broken into lines: it is to be copied
            console.Write(new Padder(new Text(ShownText.Of(what)), new Padding(6, 0, 0, 0)));
        }
    }

    private static void Entries(IAnsiConsole console, IEnumerable<(string Name, string Clause)> entries)
    {
        (string Name, string Clause)[] all = [.. entries];
        int name = all.Max(e => e.Name.Length);
        if (name + LeastClause > console.Profile.Width)
        {
            foreach (var (path, clause) in all)
            {
                console.Profile.Out.Writer.WriteLine($"  {ShownText.Of(path)}");
                console.Write(new Padder(new Text(ShownText.Of(clause)), new Padding(6, 0, 0, 0)));
            }

            return;
        }

        var grid = new Grid().AddColumn(new GridColumn().NoWrap().PadLeft(2).PadRight(2)).AddColumn(new GridColumn().PadLeft(0));
        foreach (var (path, clause) in all)
        {
            grid.AddRow(ShownOnTerminal.Cell(path), ShownOnTerminal.Cell(clause));
        }

        console.Write(grid);
    }
}
