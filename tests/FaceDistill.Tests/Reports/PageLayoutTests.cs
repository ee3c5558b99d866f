using FaceDistill.Benchmark;
using FaceDistill.Files;
using FaceDistill.Reports;
using FaceDistill.Reports.Pages;
using FaceDistill.Table14;
using FaceDistill.Tests.Reports.Pages;
using FaceDistill.Tests.Table14;

namespace FaceDistill.Tests.Reports;

/// <summary>Every page that FaceDistill writes, on a phone, a phone held across and a desk.</summary>
public sealed class PageLayoutTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("91.14% (87.71-95.63)", "91.14%", "87.71-95.63")]
    [InlineData("mobilenet-v1:1.0@128 (research) from faceres (research)", "mobilenet-v1:1.0@128 (research) from faceres", "research")]
    public void The_last_brackets_of_a_cell_go_below(string text, string main, string below) => Assert.Equal(
        $"<td><span class=\"main\">{main}</span> <span class=\"sub\">{below}</span></td>", HtmlPage.Cell(text, false).Html);

    [ChromiumFact]
    public async Task Nothing_is_cut_overprinted_or_out_of_sight()
    {
        EvaluationReports.Make().Write(_folder["evaluation"]);
        EvaluationReports.Make(name: "mobilenet-v1:0.5@96 (student.onnx)").Write(_folder["evaluation-plain"]);
        RunReports.Write(_folder["run"], synthetic: true, finished: true, evaluated: true);
        string results = Path.Combine(RepositoryRoot.Path, "eval", "results", "table14", "table14.json");
        Table14Report.Write(JsonFile.Read<Table14Result>(results), _folder["table14"]);
        Table14Report.Write(Table14ReportTests.Crowd(), _folder["crowd"]);
        BenchmarkReport.Write(Bench(), _folder["bench"]);
        File.WriteAllText(_folder["plots.html"], HtmlPage.Page("plots", "plots", "Plots", [.. PlotLabelsTests.Crowds.Select(Plot)], HtmlText.Empty));
        string[] pages = ["evaluation/report.html", "evaluation-plain/report.html", "run/report.html", "table14/report.html", "crowd/report.html",
            "bench/bench.html", "plots.html"];
        await using var browser = await Chromium.Open(_folder[pages[0]], 390, 900);
        var faults = new List<string>();
        foreach (string page in pages)
        {
            await browser.Visit(_folder[page]);
            foreach (int width in PageLayout.Widths)
            {
                faults.AddRange((await PageLayout.Faults(browser, width)).Select(f => $"{page}, {f}"));
            }

            Keep(page);
        }

        Assert.Empty(browser.Complaints);
        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    [ChromiumFact]
    public async Task What_is_wrong_is_noticed()
    {
        string plot = Plot(new("one", [(0.5, 0.5)]), 0).Body.Html.Replace(
            "</svg>", "<text x=\"4\" y=\"18\">on it</text><text x=\"440\" y=\"100\" font-size=\"3\">outside</text></svg>", StringComparison.Ordinal);
        var cells = HtmlText.Of($"<tr><th scope=\"row\">a</th><td style=\"padding-left: 60rem\" class=\"deciding\">b</td></tr>");
        string wrong = HtmlPage.Page("wrong", "wrong", "Wrong", [new("wrong", "Wrong", HtmlText.Of($"""
            <div style="width: 3000px">too wide</div>
            <p style="width: 4rem; overflow: hidden; white-space: nowrap">a text that is longer than its box</p>
            {HtmlPage.Table("t", HtmlText.Of($"table"), HtmlPage.Heads("a", "b"), cells)}
            {new HtmlText(plot)}
            """))], HtmlText.Empty);
        File.WriteAllText(_folder["wrong.html"], wrong);
        await using var browser = await Chromium.Open(_folder["wrong.html"], 390, 900);
        string faults = string.Join('\n', await PageLayout.Faults(browser, 390));
        Assert.All(new[] { "the page is", "off the screen", "cut: P", "is out of sight", "overprints", "out of its plot" },
            what => Assert.Contains(what, faults, StringComparison.Ordinal));
    }

    private static HtmlPage.Section Plot(KeyValuePair<string, (double X, double Y)[]> crowd, int number)
    {
        using var plot = new SvgPlot("Million mult-adds (logarithmic)", "TAR at FAR 1e-4 (lfw-view1-test)");
        plot.Limits(0, 1, 0, 1);
        double[] ticks = [.. Enumerable.Range(0, 60).Select(i => i / 59.0)];
        plot.TicksX(ticks.Select(t => (t, FormattableString.Invariant($"{1000 * t:0}"))));
        plot.TicksY(ticks.Select(t => (t, FormattableString.Invariant($"{100 * t:0.00}%"))));
        plot.LineY(1, 0.5);
        foreach (var (x, y) in crowd.Value)
        {
            plot.Dot(0, x, y, (y - 0.1, y + 0.1));
            plot.Label(x, y, number % 2 == 0 ? "0.25@128*" : "mobilenet-v1:0.5@96 (student.int8.onnx)");
        }

        string id = FormattableString.Invariant($"p{number}");
        return new(id, crowd.Key,
            HtmlText.Of($"<div class=\"grid\">{HtmlPage.Figure(plot.Render($"plot{id}", crowd.Key), HtmlText.Of($"{crowd.Key}"))}</div>"));
    }

    private static BenchmarkJson Bench() => new("dlib-resnet", 2, "Debian GNU/Linux 12", [.. new[]
    {
        ("dlib-resnet", 3.46, 0.70), ("mobilenet-v1:0.5@96 (student.onnx)", 0.43, 0.346), ("mobilenet-v1:0.5@96 (student.int8.onnx)", 0.42, 0.341),
        ("faceplugin-512", 8.94, 0.967), ("a model of somebody else with a name that is longer than any plot is wide and then some more.onnx", 0.41, 0.3),
    }.Select(m => new BenchmarkModelJson(m.Item1, m.Item1, 3_542_291, 27_434_752, 889_888, new Latency(m.Item2, m.Item2 * 1.4, 200), 5633, 3.46 / m.Item2)
    {
        Tar = m.Item3,
        TarInterval95 = [m.Item3 - 0.12, Math.Min(1, m.Item3 + 0.13)],
    })]) { Protocol = "lfw-view1-test" };

    private void Keep(string page)
    {
        if (PageLayout.Kept is { } folder)
        {
            Directory.CreateDirectory(folder);
            File.Copy(_folder[page], Path.Combine(folder, page.Replace('/', '-')), overwrite: true);
        }
    }
}
