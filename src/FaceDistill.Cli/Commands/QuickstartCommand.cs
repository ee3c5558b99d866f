using System.CommandLine;
using FaceDistill.Cli.Rendering;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Jobs;
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
        var report = new QuickstartJob(context.Parsed.Finder())
            .Run(context.Parsed.GetValue(Output)!, context.Parsed.GetValue(Epochs), context.Parsed.GetValue(CommonOptions.Device)!, context.Job);
        context.Result(report, console => QuickstartEnd.Render(console, report));
    }
}

/// <summary>What a quickstart ends with: what came out, what it means, what was made, what to type next.</summary>
internal static class QuickstartEnd
{
    private const int LeastClause = 36; // narrower than this, a clause stands below its name
    private const string Name = "  ", Below = "      ";

    public static void Render(IAnsiConsole console, RunReportData report)
    {
        var (output, width) = (console.Profile.Out.Writer, console.Profile.Width);
        Paragraph(output, width, $"{RunGuide.Verdict(report)}.");
        output.WriteLine();
        Entries(output, width, [.. RunGuide.Figures(report).Select(f => ($"{f.Name}: {f.Figure}", f.Means))]);
        foreach (var evaluation in report.Evaluations.Where(e => e.Result.Models.Any(m => m.TarAtFar is not null)))
        {
            string far = EvaluationVerdict.Far(evaluation.Result) ?? ReportFormat.DecidingFar;
            string Reached(ModelResult m) => $"{m.Name} {ReportFormat.Percent(m.TarAtFar?.GetValueOrDefault(far))}"
                + ReportFormat.Bracket(m.TarInterval95AtFar?.GetValueOrDefault(far));
            Paragraph(output, width, $"TAR at FAR {far}: {string.Join("; ", evaluation.Result.Models.Select(Reached))}. {RunGuide.Tar(far)}");
        }

        foreach (string words in RunGuide.Meaning(report))
        {
            Paragraph(output, width, words);
        }

        Paragraph(output, width, "What was made:");
        Entries(output, width, RunGuide.Files(report));
        Paragraph(output, width, "Next:");
        foreach (var (command, what) in RunGuide.Next(report))
        {
            output.WriteLine(Name + ShownText.Of(command)); // never broken into lines: it is to be copied
            Lines(output, width, Below, what);
        }
    }

    private static void Entries(TextWriter output, int width, IReadOnlyList<(string Name, string Clause)> entries)
    {
        int name = Name.Length + entries.Max(e => e.Name.Length) + 2;
        foreach (var (words, clause) in entries)
        {
            if (name + LeastClause > width)
            {
                output.WriteLine(Name + ShownText.Of(words));
                Lines(output, width, Below, clause);
            }
            else
            {
                Lines(output, width, new string(' ', name), clause, (Name + ShownText.Of(words)).PadRight(name));
            }
        }
    }

    private static void Paragraph(TextWriter output, int width, string text)
    {
        output.WriteLine();
        Lines(output, width, "", text);
    }

    private static void Lines(TextWriter output, int width, string indent, string text, string? first = null)
    {
        foreach (string line in Screen.Wrap(ShownText.Of(text), width - indent.Length))
        {
            output.WriteLine((first ?? indent) + line);
            first = null;
        }
    }
}
