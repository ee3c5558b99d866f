using FaceDistill.Evaluation;
using static FaceDistill.Reporting.HtmlPage;
using static FaceDistill.Reporting.ReportFormat;

namespace FaceDistill.Reporting;

/// <summary>An evaluation's report as one HTML file that needs no script and no network.</summary>
public static partial class EvaluationReportHtml
{
    /// <summary>The text of report.html.</summary>
    public static string Of(EvaluationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return Page(
            $"{report.Result.Protocol}: {string.Join(", ", report.Result.Models.Select(m => m.Name))}",
            FormattableString.Invariant($"FaceDistill evaluation, {report.Result.Protocol}, {report.Made:yyyy-MM-dd}"), report.Verdict, Sections(report),
            HtmlText.Of($"The same figures for programs: <a href=\"report.json\">report.json</a> (what evaluate --json prints), <a href=\"report.csv\">report.csv</a> (one row a model and rate), <a href=\"report.md\">report.md</a>."));
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

    private static string AtDeciding(ModelJson m) => $"{m.Name} {Percent(m.TarAtFar?.GetValueOrDefault(DecidingFar))}{Bracket(m.TarInterval95AtFar?.GetValueOrDefault(DecidingFar))}";
}
