using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;

namespace FaceDistill.Reports.Pages;

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
    /// <param name="warnings">What speaks against the figures, in a box below the heading; null for nothing.</param>
    public static string Page(
        string title, string eyebrow, string verdict, IReadOnlyList<Section> sections, HtmlText footer, IReadOnlyList<string>? warnings = null)
    {
        var box = warnings is not { Count: > 0 } ? HtmlText.Empty : HtmlText.Of($"<div class=\"warnings\" role=\"note\">{HtmlText.Join(
            warnings.Select(w => HtmlText.Of($"<p><strong>Warning:</strong> {w}.</p>\n")))}</div>\n");
        var links = HtmlText.Join(sections.Select(s => HtmlText.Of($"<li><a href=\"#{s.Id}\">{s.Title}</a></li>")));
        var bodies = HtmlText.Join(
            sections.Select(s => HtmlText.Of($"<section aria-labelledby=\"{s.Id}\"><h2 id=\"{s.Id}\" tabindex=\"-1\">{s.Title}</h2>\n{s.Body}</section>\n")));
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
            {box}<nav aria-label="Sections"><ul>{links}</ul></nav>
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
        HtmlText.Join(facts.Select(
            fact => HtmlText.Of($"<tr><th scope=\"row\">{fact.Name}</th><td "
                + $"class=\"{(fact.Name == "Command" ? "text code" : "text")}\">{fact.Value}</td></tr>\n"))), "facts"));

    /// <summary>A table in a box of its own that scrolls, also by keyboard, where the page is narrower.</summary>
    public static HtmlText Table(string id, HtmlText caption, HtmlText? head, HtmlText rows, string kind = "figures") => HtmlText.Of($"""
        <div class="scroll" tabindex="0" role="region" aria-labelledby="{id}">
        <table class="{kind}" style="--columns: {Columns(head)}"><caption id="{id}"><span>{caption}</span></caption>
        {(head is null ? HtmlText.Empty : HtmlText.Of($"<thead><tr>{head}</tr></thead>"))}
        <tbody>
        {rows}</tbody></table></div>

        """);

    // Columns after the first: on a narrow screen the style puts the one that decides before the others.
    private static int Columns(HtmlText? head) => Math.Max(1, (head?.Html.Split("<th").Length ?? 0) - 2);

    /// <summary>The heads of columns.</summary>
    public static HtmlText Heads(params string[] names) => HtmlText.Join(names.Select(name => HtmlText.Of($"<th scope=\"col\">{name}</th>")));

    /// <summary>The head of a column; of one that decides, which comes first on a narrow screen.</summary>
    public static HtmlText Head(string name, bool decides) =>
        HtmlText.Of($"<th scope=\"col\"{new HtmlText(decides ? " class=\"deciding\"" : "")}>{name}</th>");

    /// <summary>A cell of a table; what stands in brackets at its end goes below.</summary>
    public static HtmlText Cell(string text, bool decides)
    {
        int bracket = text.EndsWith(')') ? text.LastIndexOf(" (", StringComparison.Ordinal) : -1;
        var kind = new HtmlText(decides ? " class=\"deciding\"" : "");
        return bracket < 0 ? HtmlText.Of($"<td{kind}><span class=\"main\">{text}</span></td>")
            : HtmlText.Of($"<td{kind}><span class=\"main\">{text[..bracket]}</span> <span class=\"sub\">{text[(bracket + 2)..^1]}</span></td>");
    }

    /// <summary>Which series has which colour.</summary>
    public static HtmlText Legend(IEnumerable<(int Series, string Name)> entries, string paint = "stroke")
    {
        HtmlText Key(int series) => HtmlText.Of($"<svg class=\"key\" viewBox=\"0 0 28 8\" aria-hidden=\"true\">"
            + $"<path class=\"{SvgPlot.SeriesClass(series, paint)}\" fill=\"none\" stroke-width=\"2.5\" d=\"M0 4H28\"/></svg>");
        return HtmlText.Of($"<ul class=\"legend\">{HtmlText.Join(entries.Select(e => HtmlText.Of($"<li>{Key(e.Series)}{e.Name}</li>")))}</ul>");
    }

    /// <summary>Figures that are to be seen first: what it is, the figure, and what it means.</summary>
    public static HtmlText Tiles(IEnumerable<(string Name, string Figure, string Means)> tiles) => HtmlText.Of(
        $"<dl class=\"tiles\">{HtmlText.Join(tiles.Select(t => HtmlText.Of($"<div><dt>{t.Name}</dt><dd><b>{t.Figure}</b> {t.Means}</dd></div>\n")))}</dl>\n");

    /// <summary>A plot with what it says.</summary>
    public static HtmlText Figure(HtmlText plot, HtmlText caption) => HtmlText.Of($"<figure>{plot}<figcaption>{caption}</figcaption></figure>\n");

    private static string Style()
    {
        using var stream = typeof(HtmlPage).Assembly.GetManifestResourceStream("reporting/report.css")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}

/// <summary>Text that is HTML already and is not escaped again.</summary>
/// <param name="Html">The markup.</param>
internal readonly record struct HtmlText(string Html)
{
    /// <summary>Nothing.</summary>
    public static HtmlText Empty { get; } = new("");

    /// <summary>Makes markup from a template: its holes are escaped unless they are <see cref="HtmlText"/>, so that a path or a
    /// name can never become markup.</summary>
    public static HtmlText Of(HtmlTemplate template) => new(template.ToString());

    /// <summary>Joins pieces.</summary>
    public static HtmlText Join(IEnumerable<HtmlText> pieces) => new(string.Concat(pieces.Select(piece => piece.Html)));

    /// <summary>A path that may break after each '/'.</summary>
    public static HtmlText Path(string path) => new(Of($"{path}").Html.Replace("/", "/<wbr>", StringComparison.Ordinal));

    /// <summary>The markup.</summary>
    public override string ToString() => Html ?? "";
}

/// <summary>An interpolated string, or several joined by +, whose holes are escaped unless they are <see cref="HtmlText"/>; numbers are in the invariant
/// culture.</summary>
[InterpolatedStringHandler]
internal ref struct HtmlTemplate(int literalLength, int formattedCount)
{
    private readonly StringBuilder _html = new(literalLength + (16 * formattedCount));

    public readonly void AppendLiteral(string value) => _html.Append(value);

    public readonly void AppendFormatted<T>(T value, string? format = null) => _html.Append(value switch
    {
        null => "",
        HtmlText html => html.ToString(),
        IFormattable number => WebUtility.HtmlEncode(number.ToString(format, CultureInfo.InvariantCulture)),
        _ => WebUtility.HtmlEncode(ShownText.Of(value.ToString())),
    });

    public override readonly string ToString() => _html.ToString();
}

/// <summary>How figures stand in an evaluation's report; the same in each of its files for people.</summary>
internal static class ReportFormat
{
    /// <summary>The rate that decides in FaceDistill, as in JSON keys.</summary>
    public static readonly string DecidingFar = FarTargets.Label(EvaluationResult.RetentionFar);

    /// <summary>A fraction as a percentage with two decimals; "-" for none.</summary>
    public static string Percent(double? part) => part is { } value ? InvariantText.Of($"{100 * value:0.00}%") : "-";

    /// <summary>An interval of fractions in percent, without the sign; empty for none.</summary>
    public static string Range(IReadOnlyList<double>? interval) =>
        interval is [var low, var high] ? InvariantText.Of($"{100 * low:0.00}-{100 * high:0.00}") : "";

    /// <summary>" (95%: low-high)", or nothing.</summary>
    public static string Bracket(IReadOnlyList<double>? interval) => interval is null ? "" : $" (95%: {Range(interval)})";

    /// <summary>A count in groups of three digits.</summary>
    public static string Count(long count) => InvariantText.Of($"{count:#,0}");

    /// <summary>A count with its noun, which takes an s unless the count is one.</summary>
    public static string Count(long count, string noun) => Count(count, noun, noun + "s");

    /// <summary>A count with its noun, whose plural is another word.</summary>
    public static string Count(long count, string one, string several) => $"{Count(count)} {(count == 1 ? one : several)}";

    /// <summary>A time in whole seconds below a minute, else in minutes.</summary>
    public static string Time(double seconds) => seconds < 1 ? "less than a second"
        : seconds < 60 ? Count((long)Math.Round(seconds), "second") : InvariantText.Of($"{seconds / 60:#,0.0} minutes");

    /// <summary>The p-value of a test: four decimals, and below a thousandth one digit, so that none reads 0.</summary>
    public static string PValue(double p) => p >= 1e-3 ? InvariantText.Of($"{p:0.####}") : InvariantText.Of($"{p:0e-0}");

    /// <summary>A score with four decimals; "-" for none.</summary>
    public static string Score(float? score) => score is { } value ? InvariantText.Of($"{value:0.0000}") : "-";

    /// <summary>The metrics besides those by rate: name, what it is, how it reads; without those that no model has.</summary>
    public static IReadOnlyList<(string Key, string Name, Func<ModelResult, string> Text)> Metrics(EvaluationResult result)
    {
        (string Key, string Name, Func<ModelResult, double?> Value, Func<ModelResult, string> Text)[] all =
        [
            ("retentionAt1e-4", "Retention at 1e-4", m => m.RetentionAt1e4,
                m => Percent(m.RetentionAt1e4) + (m.RetentionInterval95At1e4 is null ? "" : $" ({Range(m.RetentionInterval95At1e4)})")),
            ("tenFoldAccuracy", "10-fold accuracy", m => m.TenFoldAccuracy, m => m.TenFoldAccuracy is null ? "-"
                : $"{Percent(m.TenFoldAccuracy)} ± {Percent(m.TenFoldStandardError)}"),
            ("eer", "EER", m => m.Eer, m => Percent(m.Eer)),
            ("auc", "AUC", m => m.Auc, m => Number(m.Auc, "0.000000")),
            ("dPrime", "d'", m => m.DPrime, m => Number(m.DPrime, "0.000")),
            ("minDcf", "minDCF", m => m.MinDcf, m => Number(m.MinDcf, "0.0000")),
            ("rank1", "Rank-1", m => m.Rank1, m => Percent(m.Rank1)),
            ("multAdds", "M mult-adds", m => m.MultAdds, m => Number(m.MultAdds / 1e6, "0.0")),
            ("parameters", "M parameters", m => m.Parameters, m => Number(m.Parameters / 1e6, "0.00")),
        ];
        return [.. all.Where(metric => result.Models.Any(m => metric.Value(m) is not null)).Select(metric => (metric.Key, metric.Name, metric.Text))];
    }

    /// <summary>What of the pictures was not measured, or chosen among several faces: a sentence each, without its point.</summary>
    public static IEnumerable<string> MissingWords(EvaluationResult result) =>
    [
        .. result.Models.Select(m => m.SeveralFaces).Where(count => count > 0).Distinct().Select(count =>
            $"{Count(count!.Value, "photo")} show{(count == 1 ? "s" : "")} several faces; of each the large one nearest the middle was measured"),
        .. result.Models.Where(m => m.MissingImages > 0 || m.SkippedPairs > 0)
            .GroupBy(m => $"Of the protocol, {Count(m.MissingImages ?? 0, "image")} "
                + $"missing{(m.SkippedPairs > 0 ? $" and {Count(m.SkippedPairs.Value, "pair")} left out" : "")}")
            .Select(same => $"{same.Key}: {string.Join(", ", same.Select(m => m.Name))}"),
        .. result.Models.Select(m => m.RepeatedPairs).Where(count => count is not null).Distinct().Select(count =>
            $"{Count(count!.Value, "pair of the list stands", "pairs of the list stand")} there before, in this order or the other, and "
                + $"count{(count == 1 ? "s" : "")} once more: intervals and standard errors are too narrow; keep one of each"),
    ];

    /// <summary>All rates that some model was asked for, in their order.</summary>
    public static IReadOnlyList<string> Fars(EvaluationResult result) => [.. result.Models.SelectMany(m => m.TarAtFar?.Keys ?? []).Distinct()];

    private static string Number(double? value, string format) => value?.ToString(format, System.Globalization.CultureInfo.InvariantCulture) ?? "-";
}
