using FaceDistill.Evaluation;
using static FaceDistill.Reporting.HtmlPage;
using static FaceDistill.Reporting.ReportFormat;

namespace FaceDistill.Reporting;

/// <content>The pairs that a model gets most wrong.</content>
public static partial class EvaluationReportHtml
{
    private static Section? Worst(EvaluationReport report)
    {
        if (report.Result.Models.All(m => m.Worst is null))
        {
            return null;
        }

        string note = report.Faces is null ? "Faces are left out of this report; evaluate --report-faces puts small pictures in."
            : "The pictures are small copies of the aligned faces inside this file: share it only with those who may see them.";
        var models = report.Document.Models.Select((m, i) => Worst(report, m, i));
        return new Section("worst", "Worst pairs", HtmlText.Of($"<p class=\"note\">{note}</p>\n{HtmlText.Join(models)}"));
    }

    private static HtmlText Worst(EvaluationReport report, ModelJson m, int model)
    {
        if (m.WorstFalseAccepts is null || m.WorstFalseRejects is null)
        {
            return HtmlText.Empty;
        }

        using var faces = report.Faces?[model] is { } aligned ? new ReportFaces(aligned) : null;
        float? threshold = m.ThresholdAtFar?.GetValueOrDefault(DecidingFar);
        string accepted = threshold is null ? "" : $"; {Count(m.WorstFalseAccepts.Count(p => p.Score >= threshold))} of these lie at or above the threshold at FAR 1e-4, {Score(threshold)}";
        string rejected = threshold is null ? "" : $"; {Count(m.WorstFalseRejects.Count(p => p.Score < threshold))} of these lie below that threshold";
        string absent = report.Faces is not null && faces is null ? "The aligned faces of this model are not at hand, so its pairs are named only." : "";
        return HtmlText.Of($"""
            <h3>{m.Name}</h3>
            {(absent.Length > 0 ? HtmlText.Of($"<p class=\"note\">{absent}</p>") : HtmlText.Empty)}
            {Pairs($"accepts{model}", $"Two people, yet alike: the {Count(m.WorstFalseAccepts.Count, "impostor pair")} of the highest scores{accepted}", m.WorstFalseAccepts, faces)}
            {Pairs($"rejects{model}", $"One person, yet unlike: the {Count(m.WorstFalseRejects.Count, "genuine pair")} of the lowest scores{rejected}", m.WorstFalseRejects, faces)}

            """);
    }

    private static HtmlText Breakable(string path) => new(HtmlText.Of($"{path}").Html.Replace("/", "/<wbr>", StringComparison.Ordinal));

    private static HtmlText Pairs(string id, string caption, IReadOnlyList<ScoredPair> pairs, ReportFaces? faces)
    {
        HtmlText Face(string path, string identity)
        {
            var picture = faces?.DataUri(path) is { } uri ? HtmlText.Of($"<img src=\"{uri}\" width=\"{ReportFaces.Side}\" height=\"{ReportFaces.Side}\" alt=\"Face of {identity}\">") : HtmlText.Empty;
            return HtmlText.Of($"<td class=\"text\">{picture}<span class=\"path\">{Breakable(path)}</span>{(path.StartsWith(identity + "/", StringComparison.Ordinal) ? HtmlText.Empty : HtmlText.Of($"<span class=\"sub\">{identity}</span>"))}</td>");
        }

        var rows = HtmlText.Join(pairs.Select((pair, i) => HtmlText.Of(
            $"<tr><th scope=\"row\">{i + 1}</th><td data-cell=\"{id} {i}\">{Score(pair.Score)}</td>{Face(pair.A, pair.IdentityA)}{Face(pair.B, pair.IdentityB)}</tr>\n")));
        return Table($"{id}-table", HtmlText.Of($"{caption}"), Heads("No.", "Score", "One face", "Other face"), rows, faces is null ? "pairs" : "pairs faces");
    }
}
