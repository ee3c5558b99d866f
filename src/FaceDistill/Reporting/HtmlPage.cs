namespace FaceDistill.Reporting;

/// <summary>The parts that the HTML reports are made of: pages that need no script and no network, and their sections, tables and figures.</summary>
internal static class HtmlPage
{
    /// <summary>A part of a page.</summary>
    /// <param name="Id">Unlike that of any other on the page.</param>
    /// <param name="Title">Its heading.</param>
    /// <param name="Body">What stands below.</param>
    public sealed record Section(string Id, string Title, HtmlText Body);

    /// <summary>The text of a page.</summary>
    /// <param name="title">What the browser shows.</param>
    /// <param name="eyebrow">What kind of report, and of when.</param>
    /// <param name="verdict">What the report says, in a sentence: the heading.</param>
    /// <param name="sections">The page's parts.</param>
    /// <param name="footer">What stands at the end.</param>
    public static string Page(string title, string eyebrow, string verdict, IReadOnlyList<Section> sections, HtmlText footer)
    {
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
            <title>{title}</title>
            <style>
            {new HtmlText(Style())}
            </style>
            </head>
            <body>
            <a class="skip" href="#main">Skip to the figures</a>
            <header>
            <p class="eyebrow">{eyebrow}</p>
            <h1 id="verdict">{verdict}</h1>
            <nav aria-label="Sections"><ul>{links}</ul></nav>
            </header>
            <main id="main" tabindex="-1">
            {bodies}</main>
            <footer>
            <p>{footer}</p>
            </footer>
            </body>
            </html>

            """).Html;
    }

    /// <summary>A section of names and values.</summary>
    public static Section Facts(string id, string title, string caption, IReadOnlyList<(string Name, string Value)> facts) => new(id, title, Table(
        $"{id}-table", HtmlText.Of($"{caption}"), null,
        HtmlText.Join(facts.Select(fact => HtmlText.Of($"<tr><th scope=\"row\">{fact.Name}</th><td class=\"{(fact.Name == "Command" ? "text code" : "text")}\">{fact.Value}</td></tr>\n"))), "facts"));

    /// <summary>A table in a box of its own that scrolls, also by keyboard, where the page is narrower.</summary>
    public static HtmlText Table(string id, HtmlText caption, HtmlText? head, HtmlText rows, string kind = "figures") => HtmlText.Of($"""
        <div class="scroll" tabindex="0" role="region" aria-labelledby="{id}">
        <table class="{kind}"><caption id="{id}"><span>{caption}</span></caption>
        {(head is null ? HtmlText.Empty : HtmlText.Of($"<thead><tr>{head}</tr></thead>"))}
        <tbody>
        {rows}</tbody></table></div>

        """);

    /// <summary>The heads of columns.</summary>
    public static HtmlText Heads(params string[] names) => HtmlText.Join(names.Select(name => HtmlText.Of($"<th scope=\"col\">{name}</th>")));

    /// <summary>Which series has which colour.</summary>
    public static HtmlText Legend(IEnumerable<(int Series, string Name)> entries, string paint = "stroke") => HtmlText.Of(
        $"<ul class=\"legend\">{HtmlText.Join(entries.Select(e => HtmlText.Of($"<li><svg class=\"key\" viewBox=\"0 0 28 8\" aria-hidden=\"true\"><path class=\"{SvgPlot.SeriesClass(e.Series, paint)}\" fill=\"none\" stroke-width=\"2.5\" d=\"M0 4H28\"/></svg>{e.Name}</li>")))}</ul>");

    /// <summary>A plot with what it says.</summary>
    public static HtmlText Figure(HtmlText plot, HtmlText caption) => HtmlText.Of($"<figure>{plot}<figcaption>{caption}</figcaption></figure>\n");

    private static string Style()
    {
        using var stream = typeof(HtmlPage).Assembly.GetManifestResourceStream("reporting/report.css")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
