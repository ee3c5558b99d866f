using FaceDistill.Datasets;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Reports.Pages;
using OpenCvSharp;
using static FaceDistill.Reports.Pages.HtmlPage;
using static FaceDistill.Reports.Pages.ReportFormat;

namespace FaceDistill.Reports;

/// <summary>An evaluation's report as one HTML file that needs no script and no network.</summary>
internal static class EvaluationReportHtml
{
    /// <summary>The text of report.html.</summary>
    public static string Of(EvaluationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return Page(
            $"{report.Result.Protocol}: {string.Join(", ", report.Result.Models.Select(m => m.Name))}",
            InvariantText.Of($"FaceDistill evaluation, {report.Result.Protocol}, {report.Made:yyyy-MM-dd}"), report.Verdict, Sections(report),
            footer: HtmlText.Of($"The same figures for programs: <a href=\"report.json\">report.json</a> (what evaluate --json prints), <a "
                + $"href=\"report.csv\">report.csv</a> (one row a model and rate), <a href=\"report.md\">report.md</a>."), warnings: report.Result.Warnings);
    }

    /// <summary>What the report has, in its order; a part that the result lacks gives null.</summary>
    private static List<Section> Sections(EvaluationReport report)
    {
        Section?[] all =
        [
            ReportTables.Accuracy(report.Result),
            ReportTables.Metrics(report.Result),
            ReportTables.Comparisons(report.Result),
            ReportTables.Agreement(report.Result),
            ReportTables.CrossSearch(report.Result),
            ReportTables.Identification(report.Result),
            ReportTables.Blufr(report.Result),
            ReportPlots.Curves(report),
            ReportPlots.Histograms(report),
            ReportPlots.Cost(report),
            Worst(report),
            Facts("configuration", "Configuration", "How the figures were made", report.Configuration()),
            Facts("environment", "Environment", "Where the figures were made", report.Machine()),
        ];
        return [.. all.OfType<Section>()];
    }

    private static Section? Worst(EvaluationReport report)
    {
        if (report.Result.Models.All(m => m.WorstFalseAccepts is null))
        {
            return null;
        }

        string note = report.Faces is null ? "Faces are left out of this report; evaluate --report-faces puts small pictures in."
            : "The pictures are small copies of the aligned faces inside this file: share it only with those who may see them.";
        var models = report.Result.Models.Select((m, i) => Worst(report, m, i));
        return new Section("worst", "Worst pairs", HtmlText.Of($"<p class=\"note\">{note}</p>\n{HtmlText.Join(models)}"));
    }

    private static HtmlText Worst(EvaluationReport report, ModelResult m, int model)
    {
        if (m.WorstFalseAccepts is null || m.WorstFalseRejects is null)
        {
            return HtmlText.Empty;
        }

        using var faces = report.Faces?[model] is { } aligned ? new ReportFaces(aligned) : null;
        float? threshold = m.ThresholdAtFar?.GetValueOrDefault(DecidingFar);
        string accepted = threshold is null ? ""
            : $"; {Count(m.WorstFalseAccepts.Count(p => p.Score >= threshold))} of these lie at or above the threshold at FAR 1e-4, {Score(threshold)}";
        string rejected = threshold is null ? "" : $"; {Count(m.WorstFalseRejects.Count(p => p.Score < threshold))} of these lie below that threshold";
        string absent = report.Faces is not null && faces is null ? "The aligned faces of this model are not at hand, so its pairs are named only." : "";
        string alike = $"Two people, yet alike: the {Count(m.WorstFalseAccepts.Count, "impostor pair")} of the highest scores{accepted}";
        string unlike = $"One person, yet unlike: the {Count(m.WorstFalseRejects.Count, "genuine pair")} of the lowest scores{rejected}";
        return HtmlText.Of($"""
            <h3>{m.Name}</h3>
            {(absent.Length > 0 ? HtmlText.Of($"<p class=\"note\">{absent}</p>") : HtmlText.Empty)}
            {Pairs($"accepts{model}", alike, m.WorstFalseAccepts, faces)}
            {Pairs($"rejects{model}", unlike, m.WorstFalseRejects, faces)}

            """);
    }

    private static HtmlText Pairs(string id, string caption, IReadOnlyList<ScoredPair> pairs, ReportFaces? faces)
    {
        HtmlText Face(string path, string identity)
        {
            var picture = faces?.DataUri(path) is { } uri
                ? HtmlText.Of($"<img src=\"{uri}\" width=\"{ReportFaces.Side}\" height=\"{ReportFaces.Side}\" alt=\"Face of {identity}\">")
                : HtmlText.Empty;
            bool said = path.StartsWith(identity + "/", StringComparison.Ordinal);
            var who = said ? HtmlText.Empty : HtmlText.Of($"<span class=\"sub\">{identity}</span>");
            return HtmlText.Of($"<td class=\"text\">{picture}<span class=\"path\">{HtmlText.Path(path)}</span>{who}</td>");
        }

        var rows = HtmlText.Join(pairs.Select((pair, i) => HtmlText.Of(
            $"<tr><th scope=\"row\">{i + 1}</th><td data-cell=\"{id} {i}\">{Score(pair.Score)}</td>{Face(pair.A, pair.IdentityA)}"
                + $"{Face(pair.B, pair.IdentityB)}</tr>\n")));
        var heads = Heads("No.", "Score", "One face", "Other face");
        return Table($"{id}-table", HtmlText.Of($"{caption}"), heads, rows, faces is null ? "pairs" : "pairs faces");
    }
}

/// <summary>Small copies of aligned faces, to stand inside a report.</summary>
internal sealed class ReportFaces : IDisposable
{
    /// <summary>The side of a picture, pixels.</summary>
    public const int Side = 80;

    private const int JpegQuality = 80;
    private readonly AlignedFaces _faces;
    private readonly Dictionary<string, int> _rows;
    private readonly Dictionary<string, string> _made = new(StringComparer.Ordinal);

    /// <param name="faces">The aligned faces.</param>
    public ReportFaces(AlignedFaces faces)
    {
        _faces = faces;
        _rows = faces.Dataset.Images.Select((image, row) => (image.Path, row)).ToDictionary(e => e.Path, e => e.row, StringComparer.Ordinal);
    }

    /// <summary>A face as a JPEG in a data: address; null where there is no face of that path.</summary>
    /// <exception cref="FaceDistillException">The picture is damaged.</exception>
    public string? DataUri(string path)
    {
        if (_made.TryGetValue(path, out string? made) || !_rows.TryGetValue(path, out int row))
        {
            return made;
        }

        using var picture = _faces.ReadView(row, Side);
        return _made[path] = "data:image/jpeg;base64,"
            + Convert.ToBase64String(picture.ImEncode(".jpg", new ImageEncodingParam(ImwriteFlags.JpegQuality, JpegQuality)));
    }

    /// <summary>Forgets the pictures.</summary>
    public void Dispose() => _made.Clear();
}
