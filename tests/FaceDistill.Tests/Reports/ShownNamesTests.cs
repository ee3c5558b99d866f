using System.Text.RegularExpressions;
using System.Xml.Linq;
using FaceDistill.Benchmark;
using FaceDistill.Cli;
using FaceDistill.Datasets;
using FaceDistill.Evaluation.Agreement;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Tests.Cli;

namespace FaceDistill.Tests.Reports;

/// <summary>Names that would steer a terminal, break a table or a whole SVG, or be a formula: in every report, on the terminal, and read back.</summary>
public sealed partial class ShownNamesTests : IDisposable
{
    private const string Hostile = "=run\u001b[2J\n| a | b |\u202Egpj";
    private const string Shown = @"=run\u001B[2J\u000A| a | b |\u202Egpj";
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void An_evaluations_page_text_and_table_show_them()
    {
        EvaluationReports.Make(name: Hostile).Write(_folder.Path);
        Assert.Contains(Shown, Clean("report.html"), StringComparison.Ordinal);
        Assert.Contains(@"| =run\\u001B\[2J\\u000A\| a \| b \|\\u202Egpj |", Clean("report.md"), StringComparison.Ordinal);
        using var csv = new StreamReader(_folder["report.csv"]);
        string[] models = [.. Csv.Rows(csv, "report.csv").Skip(1).Select(row => row.Fields[1])];
        Assert.Contains(ShownText.Of(Hostile), models); // a formula is defused in the file, and read back
        Assert.Contains(",'=run", File.ReadAllText(_folder["report.csv"]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_benchmarks_plot_and_text_show_them()
    {
        var model = new BenchmarkModelJson(Hostile, Hostile, 1, 1, 1, new Latency(1, 2, 3), 4, 1) { Tar = 0.5, TarInterval95 = [0.4, 0.6] };
        BenchmarkReport.Write(new BenchmarkJson(Hostile, 1, "system", [model]) { Protocol = Hostile }, _folder.Path);
        XDocument.Parse(Clean("bench.svg"));
        Assert.Contains(Shown, Clean("bench.svg").Replace("&#xA;", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains(@"| =run\u001B[2J\u000A\| a \| b \|\u202Egpj |", Clean("bench.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void An_audits_list_excludes_the_pictures_that_it_names()
    {
        AuditPicture Picture(string path) => new("-people", path, "@ann");
        File.WriteAllText(_folder["list.csv"], AuditFinding.Text([.. new[] { "=1+1.jpg", "'=2.jpg", "plain.jpg" }
            .Select(path => new AuditFinding(AuditFindingKind.Person, Picture(path), Picture("+3.jpg"), -0.5, 1))]));
        Assert.Contains("person,'-people,'=1+1.jpg,'-people,'+3.jpg,'@ann,-0.5000,1", File.ReadAllText(_folder["list.csv"]), StringComparison.Ordinal);
        Assert.Equal([true, true, true, false], ExclusionList.Read(_folder["list.csv"])
            .In("-people", ["=1+1.jpg", "'=2.jpg", "plain.jpg", "1+1.jpg"]).Excluded);
    }

    [Fact]
    public void A_list_of_pairs_takes_what_was_written_for_a_spreadsheet()
    {
        File.WriteAllText(_folder["pairs.csv"], Csv.Text("a,b,same", [["=1.jpg", "-2.jpg", 1]]));
        Assert.Equal(new ImagePair("=1.jpg", "-2.jpg", true), Assert.Single(PairList.Read(_folder["pairs.csv"]).Pairs));
    }

    [UnixFact] // Windows has no such file names
    public async Task The_terminal_shows_them()
    {
        string name = Hostile + ".npy";
        int[] rows = [.. Enumerable.Range(0, 40)];
        float[] values = [.. rows.SelectMany(row => Enumerable.Range(0, 8).Select(i => (float)Math.Sin((row / 2 * 8) + i + (row % 2 * 0.1))))];
        NpyFile.Write(_folder[name], 8, values);
        File.WriteAllLines(_folder["labels.txt"], rows.Select(row => $"person {row / 2}"));
        string[] args = ["evaluate", "--embeddings", _folder[name], "--labels", _folder["labels.txt"], "--resamples", "0"];
        foreach (string[] more in new string[][] { [], ["--json"], ["--protocol", "nope\u001b[2J"], ["--reference", "\u202Enone"] })
        {
            var (output, error) = (new StringWriter(), new StringWriter());
            await CommandLine.RunAsync([.. args, .. more], output, error);
            // a title in italics
            string all = Style().Replace($"{output}{error}", "");
            Assert.DoesNotContain(all, c => (char.IsControl(c) && c != '\n') || c == '\u202E');
            Assert.Equal(more.Length < 2, output.ToString().Contains(@"\u001B[2J\u000A", StringComparison.Ordinal)
                || output.ToString().Contains(@"\u001B[2J\n", StringComparison.Ordinal));
        }
    }

    [GeneratedRegex(@"\u001b\[[0-9;]*m")]
    private static partial Regex Style(); // of Spectre.Console's own: a title in italics

    private string Clean(string file)
    {
        string text = File.ReadAllText(_folder[file]);
        Assert.DoesNotContain(text, c => (char.IsControl(c) && c != '\n') || c == '\u202E');
        return text;
    }
}
