using FaceDistill.Cli.Commands;
using FaceDistill.Files;
using FaceDistill.Reports;
using FaceDistill.Tests.Reports;
using Spectre.Console;

namespace FaceDistill.Tests.Cli;

/// <summary>What the terminal shows at the end of a quickstart.</summary>
public sealed class QuickstartEndTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(60)]
    [InlineData(100)]
    [InlineData(160)]
    public void It_says_what_came_out_what_it_means_what_was_made_and_what_to_type_next(int width)
    {
        var report = RunReports.Write(_folder.Path, synthetic: true, finished: true, evaluated: true);
        using var output = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output), Ansi = AnsiSupport.No });
        console.Profile.Width = width;
        QuickstartEnd.Render(console, report);
        string text = output.ToString(), flat = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        string[] inOrder = ["It works: ", "Loss: 0.500", "Speed: 20.0 times", "TAR at FAR 1e-4: some-teacher 80.00%", "one in 10,000 pairs",
            "The faces are drawings.",
            "What real faces gave: ", "What was made: ", "report.html", "student.onnx ", "Next: "];
        int[] at = [.. inOrder.Select(words => flat.IndexOf(words, StringComparison.Ordinal))];
        Assert.DoesNotContain(-1, at);
        Assert.Equal(at.Order(), at);
        string[] lines = text.Split(output.NewLine);
        Assert.All(RunGuide.Next(report), next => Assert.Contains($"  {next.Command}", lines)); // in one piece
        Assert.All(lines.Where(l => !l.Contains(Hints.Command, StringComparison.Ordinal) && !l.Contains(_folder.Path, StringComparison.Ordinal)),
            line => Assert.InRange(line.Length, 0, width));
        Assert.All(lines, line => Assert.Equal(line.TrimEnd(), line));
    }
}
