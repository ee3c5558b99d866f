using System.Text.Json.Nodes;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Reports;
using FaceDistill.Reports.Pages;

namespace FaceDistill.Tests.Reports;

/// <summary>report.html in a real browser.</summary>
public sealed class EvaluationReportPageTests : IDisposable
{
    private const int Tab = 9;
    private readonly TempFolder _folder = new();

    [ChromiumFact]
    public async Task The_page_opens_without_a_complaint_asks_for_nothing_and_says_what_the_document_says()
    {
        EvaluationReports.Make().Write(_folder.Path);
        await using var page = await Chromium.Open(_folder["report.html"], 1200, 900);
        Assert.Empty(page.Complaints);
        Assert.All(page.Requests, address => Assert.True(address.StartsWith("file:", StringComparison.Ordinal) || address == "data:,", address));
        Assert.Single(page.Requests, address => address.StartsWith("file:", StringComparison.Ordinal));
        var document = JsonNode.Parse(await File.ReadAllTextAsync(_folder["report.json"]))!;
        var cells = (await page.Evaluate(
            "Object.fromEntries([...document.querySelectorAll('[data-cell]')].map(c => [c.dataset.cell, c.textContent]))"))!.AsObject();
        int compared = 0;
        for (int m = 0; m < 2; m++)
        {
            var model = document["models"]![m]!;
            foreach (var (far, tar) in model["tarAtFar"]!.AsObject())
            {
                if (tar is null)
                {
                    Assert.Equal(FarTargets.TooFew(far, (long)model["impostorPairs"]!), (string?)cells[$"{m} tarAtFar {far}"]);
                    continue;
                }

                var range = model["tarInterval95AtFar"]![far]!;
                Assert.Equal(FormattableString.Invariant($"{100 * (double)tar:0.00}%"), (string?)cells[$"{m} tarAtFar {far}"]);
                Assert.Equal(FormattableString.Invariant($"{100 * (double)range[0]!:0.00}-{100 * (double)range[1]!:0.00}"),
                    (string?)cells[$"{m} tarInterval95AtFar {far}"]);
                Assert.Equal(FormattableString.Invariant($"{(long)model["falseAcceptsAtFar"]![far]!:#,0}"), (string?)cells[$"{m} falseAcceptsAtFar {far}"]);
                Assert.Equal(FormattableString.Invariant($"{(float)model["thresholdAtFar"]![far]!:0.0000}"), (string?)cells[$"{m} thresholdAtFar {far}"]);
                compared++;
            }

            Assert.Equal(FormattableString.Invariant($"{(long)model["impostorPairs"]!:#,0}"), (string?)cells[$"{m} impostorPairs"]);
            Assert.Equal(FormattableString.Invariant($"{100 * (double)model["eer"]!:0.00}%"), (string?)cells[$"{m} eer"]);
            Assert.Equal(FormattableString.Invariant($"{(float)model["worstFalseAccepts"]![3]!["score"]!:0.0000}"), (string?)cells[$"accepts{m} 3"]);
        }

        Assert.Equal(8, compared);
        Assert.Equal(EvaluationReports.Hostile, (string?)await page.Evaluate("document.querySelectorAll('#worst ~ h3')[1].textContent"));
    }

    [Fact]
    public void Where_the_pairs_are_too_few_it_says_so_and_shows_what_there_is_first()
    {
        var report = EvaluationReports.Make(people: 20); // 80 faces: 3,040 pairs of two people
        report = report with { Result = report.Result with { Warnings = ["this says little"] } };
        string page = EvaluationReportHtml.Of(report), enough = EvaluationReportHtml.Of(EvaluationReports.Make());
        Assert.Contains(">too few pairs <span class=\"sub\">(3,040 of 10,000)</span></td>", page, StringComparison.Ordinal);
        Assert.Contains("<th scope=\"col\" class=\"deciding\">FAR 1e-3</th>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("class=\"deciding\">FAR 1e-4", page, StringComparison.Ordinal);
        Assert.Contains("class=\"deciding\">FAR 1e-4", enough, StringComparison.Ordinal);
        Assert.Contains("straight lines. The vertical line is FAR 1e-4.", enough, StringComparison.Ordinal);
        Assert.DoesNotContain("straight lines. The vertical", page, StringComparison.Ordinal);
        // The heading is one sentence; what speaks against it stands below.
        Assert.Contains($"<h1 id=\"verdict\">{HtmlText.Of($"{EvaluationVerdict.Sentence(report.Result, 0)}")}</h1>", page, StringComparison.Ordinal);
        Assert.Contains("<p><strong>Warning:</strong> this says little.</p>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("role=\"note\"", enough, StringComparison.Ordinal);
        foreach (double[] asked in (double[][])[[1e-3], [1e-3, 1e-2]]) // 10,656 pairs would do for 1e-4, which nobody asked for
        {
            var result = EvaluationReports.Make(new EvaluationOptions { Fars = asked, Resamples = 0 }, people: 37).Result;
            Assert.Matches("^[^;]* at FAR 1e-3 over 10,656 impostor pairs", EvaluationVerdict.Sentence(result, 0));
        }

        string text = EvaluationReportMarkdown.Of(report);
        Assert.Contains("**Warning:** this says little.", text, StringComparison.Ordinal);
        Assert.Contains("| too few pairs (3,040 of 10,000) |", text, StringComparison.Ordinal);
        Assert.Contains("## Models compared", EvaluationReportMarkdown.Of(EvaluationReports.Make()), StringComparison.Ordinal);
        Assert.Equal(["0.5", "0.002", "2e-5"], new[] { 0.5, 0.00204, 2 / 100_001.0 }.Select(ReportFormat.PValue));
    }

    [Fact]
    public void The_configuration_says_what_was_measured_and_why_the_rest_was_not()
    {
        static (string Intervals, string Metrics) Said(EvaluationReport report) => (Value(report, "Intervals"), Value(report, "Metrics and curves"));
        static string Value(EvaluationReport report, string name) => report.Configuration().Single(fact => fact.Name == name).Value;
        var enough = EvaluationReports.Make();
        Assert.Equal(("95%, 100 bootstrap resamples of the people, seed 1", "yes"), Said(enough));
        Assert.Equal(("none: they need 10 people with two images or more", "yes"), Said(EvaluationReports.Make(people: 9)));
        Assert.Equal(("none (--resamples 0)", "left out (--no-metrics)"),
            Said(enough with { Options = new EvaluationOptions { Resamples = 0, Metrics = false } }));
        Assert.Equal(("none: lfw-10fold gives none", "none: lfw-10fold gives none"),
            Said(enough with { Result = new EvaluationResult("lfw-10fold", [new ModelResult("student", 10, 5, 5)]) }));
    }

    [ChromiumFact]
    public async Task The_check_for_complaints_can_fail()
    {
        EvaluationReports.Make().Write(_folder.Path);
        string html = await File.ReadAllTextAsync(_folder["report.html"]);
        await File.WriteAllTextAsync(
            _folder["refused.html"],
            html.Replace("</body>", "<script>nothing()</script><img src=\"https://invalid.invalid/x.png\" alt=\"\"></body>", StringComparison.Ordinal));
        await File.WriteAllTextAsync(
            _folder["error.html"], html.Replace("<meta http-equiv", "<meta name", StringComparison.Ordinal)
            .Replace("</body>", "<script>nothing()</script></body>", StringComparison.Ordinal));
        await using var refused = await Chromium.Open(_folder["refused.html"], 1200, 900);
        Assert.True(refused.Complaints.Count >= 2, string.Join('\n', refused.Complaints));
        await using var error = await Chromium.Open(_folder["error.html"], 1200, 900);
        Assert.Contains("nothing is not defined", Assert.Single(error.Complaints), StringComparison.Ordinal);
    }

    [ChromiumFact]
    public async Task It_fits_a_phone_works_by_keyboard_and_prints()
    {
        EvaluationReports.Make().Write(_folder.Path);
        await using var page = await Chromium.Open(_folder["report.html"], 360, 740);
        Assert.Equal(360, (int)(await page.Evaluate("innerWidth"))!);
        Assert.Equal(0, (int)(await page.Evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))!);
        Assert.True((bool)(await page.Evaluate("[...document.querySelectorAll('.scroll')].some(b => b.scrollWidth > b.clientWidth)"))!,
            "no table is wide enough to try the boxes");

        var reached = new List<string>();
        for (int i = 0; i < 40; i++)
        {
            await page.Press("Tab", Tab);
            reached.Add((string)(await page.Evaluate("(e => (e.getAttribute('href') ?? e.getAttribute('aria-labelledby') ?? '') + ' ' + "
                + "(getComputedStyle(e).outlineStyle === 'solid' && parseFloat(getComputedStyle(e).outlineWidth) >= 2))(document.activeElement)"))!);
        }

        Assert.Equal("#main true", reached[0]);
        Assert.All(new[] { "#accuracy true", "#worst true", "accuracy-table true", "accepts0-table true", "report.json true" },
            wanted => Assert.Contains(wanted, reached));
        byte[] pdf = await page.Print();
        Assert.True(pdf.AsSpan().StartsWith("%PDF-"u8));
        Assert.True(pdf.Length > 20_000, $"{pdf.Length} bytes");
        await page.Send("Emulation.setEmulatedMedia", new { media = "print", features = new[] { new { name = "prefers-color-scheme", value = "dark" } } });
        Assert.Equal("rgb(255, 255, 255)", (string?)await page.Evaluate("getComputedStyle(document.body).backgroundColor"));
        await page.Send("Emulation.setEmulatedMedia", new { media = "screen", features = new[] { new { name = "prefers-color-scheme", value = "dark" } } });
        Assert.Equal("rgb(20, 21, 24)", (string?)await page.Evaluate("getComputedStyle(document.body).backgroundColor"));
    }

    [ChromiumFact]
    public async Task Everything_has_a_name_for_those_who_do_not_see_it()
    {
        EvaluationReports.Make().Write(_folder.Path);
        await using var page = await Chromium.Open(_folder["report.html"], 1200, 900);
        Assert.Equal("[]", (await page.Evaluate("[...document.querySelectorAll('table')].filter(t => !t.caption?.textContent.trim()).map(t => "
            + "t.outerHTML.slice(0, 80))"))!.ToJsonString());
        Assert.Equal("[]", (await page.Evaluate("[...document.querySelectorAll('th')].filter(t => !t.scope).map(t => t.textContent)"))!.ToJsonString());
        Assert.Equal("[]", (await page.Evaluate("[...document.querySelectorAll('svg:not([aria-hidden]),img')].filter(i => !(i.getAttribute('aria-label') ?? "
            + "i.alt)).map(i => i.outerHTML.slice(0, 80))"))!.ToJsonString());
        string roc = (string)(await page.Evaluate("document.querySelector('svg[aria-label^=ROC]').getAttribute('aria-label')"))!;
        Assert.Contains(ReportFormat.Percent(
            JsonFile.Read<FaceDistill.Evaluation.Results.EvaluationResult>(_folder["report.json"]).Models[0].TarAtFar!["1e-4"]),
            roc, StringComparison.Ordinal);
        Assert.Equal("[]", (await page.Evaluate("(ids => ids.filter((id, i) => ids.indexOf(id) !== i))([...document.querySelectorAll('[id]')].map(e => "
            + "e.id))"))!.ToJsonString());
        int text = (int)(await page.Evaluate("document.querySelectorAll('.plot text').length"))!;
        Assert.InRange(text, 30, 200);
    }

    public void Dispose() => _folder.Dispose();
}
