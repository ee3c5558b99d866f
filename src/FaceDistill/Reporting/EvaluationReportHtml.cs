using FaceDistill.Evaluation;
using static FaceDistill.Reporting.ReportFormat;

namespace FaceDistill.Reporting;

/// <summary>An evaluation's report as one HTML file that needs no script and no network.</summary>
public static partial class EvaluationReportHtml
{
    private sealed record Section(string Id, string Title, HtmlText Body);

    /// <summary>The text of report.html.</summary>
    public static string Of(EvaluationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var sections = Sections(report);
        var links = HtmlText.Join(sections.Select(s => HtmlText.Of($"<li><a href=\"#{s.Id}\">{s.Title}</a></li>")));
        var bodies = HtmlText.Join(sections.Select(s => HtmlText.Of($"<section aria-labelledby=\"{s.Id}\"><h2 id=\"{s.Id}\" tabindex=\"-1\">{s.Title}</h2>\n{s.Body}</section>\n")));
        return HtmlText.Of($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
            <link rel="icon" href="data:,">
            <title>{report.Result.Protocol}: {string.Join(", ", report.Result.Models.Select(m => m.Name))}</title>
            <style>
            {new HtmlText(Style())}
            </style>
            </head>
            <body>
            <a class="skip" href="#main">Skip to the figures</a>
            <header>
            <p class="eyebrow">FaceDistill evaluation, {report.Result.Protocol}, {report.Made:yyyy-MM-dd}</p>
            <h1 id="verdict">{report.Verdict}</h1>
            <nav aria-label="Sections"><ul>{links}</ul></nav>
            </header>
            <main id="main" tabindex="-1">
            {bodies}</main>
            <footer>
            <p>The same figures for programs: <a href="report.json">report.json</a> (what evaluate --json prints), <a href="report.csv">report.csv</a> (one row a model and rate), <a href="report.md">report.md</a>.</p>
            </footer>
            </body>
            </html>

            """).Html;
    }

    /// <summary>What the report has, in its order; a part that the result lacks gives null.</summary>
    private static List<Section> Sections(EvaluationReport report)
    {
        Section?[] all =
        [
            Accuracy(report.Document),
            Metrics(report.Document),
            Comparisons(report.Document),
            Agreement(report.Document),
            CrossSearch(report.Document),
            Identification(report.Document),
            Blufr(report.Document),
            Curves(report),
            Histograms(report),
            Cost(report),
            Worst(report),
            Facts("configuration", "Configuration", "How the figures were made", report.Configuration()),
            Facts("environment", "Environment", "Where the figures were made", report.Machine()),
        ];
        return [.. all.OfType<Section>()];
    }

    private static string Style()
    {
        using var stream = typeof(EvaluationReportHtml).Assembly.GetManifestResourceStream("reporting/report.css")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static Section Facts(string id, string title, string caption, IReadOnlyList<(string Name, string Value)> facts) => new(id, title, Table(
        $"{id}-table", HtmlText.Of($"{caption}"), null,
        HtmlText.Join(facts.Select(fact => HtmlText.Of($"<tr><th scope=\"row\">{fact.Name}</th><td class=\"{(fact.Name == "Command" ? "text code" : "text")}\">{fact.Value}</td></tr>\n"))), "facts"));

    /// <summary>A table in a box of its own that scrolls, also by keyboard, where the page is narrower.</summary>
    private static HtmlText Table(string id, HtmlText caption, HtmlText? head, HtmlText rows, string kind = "figures") => HtmlText.Of($"""
        <div class="scroll" tabindex="0" role="region" aria-labelledby="{id}">
        <table class="{kind}"><caption id="{id}"><span>{caption}</span></caption>
        {(head is null ? HtmlText.Empty : HtmlText.Of($"<thead><tr>{head}</tr></thead>"))}
        <tbody>
        {rows}</tbody></table></div>

        """);

    private static HtmlText Heads(params string[] names) => HtmlText.Join(names.Select(name => HtmlText.Of($"<th scope=\"col\">{name}</th>")));

    private static HtmlText Legend(IEnumerable<(int Series, string Name)> entries, string paint = "stroke") => HtmlText.Of(
        $"<ul class=\"legend\">{HtmlText.Join(entries.Select(e => HtmlText.Of($"<li><svg class=\"key\" viewBox=\"0 0 28 8\" aria-hidden=\"true\"><path class=\"{SvgPlot.SeriesClass(e.Series, paint)}\" fill=\"none\" stroke-width=\"2.5\" d=\"M0 4H28\"/></svg>{e.Name}</li>")))}</ul>");

    private static string AtDeciding(ModelJson m) => $"{m.Name} {Percent(m.TarAtFar?.GetValueOrDefault(DecidingFar))}{Bracket(m.TarInterval95AtFar?.GetValueOrDefault(DecidingFar))}";
}
