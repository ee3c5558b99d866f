using FaceDistill.Evaluation;
using static FaceDistill.Reporting.HtmlPage;
using static FaceDistill.Reporting.ReportFormat;

namespace FaceDistill.Reporting;

/// <content>Searches, and how students agree with their teacher.</content>
public static partial class EvaluationReportHtml
{
    private static Section? Agreement(EvaluationJson result)
    {
        if (result.Agreements is not { Count: > 0 } agreements)
        {
            return null;
        }

        var rows = HtmlText.Join(agreements.Select(a => HtmlText.Of(
            $"<tr><th scope=\"row\">{a.Student}</th>{Cells(Cosine(a.Cosine.Mean), Cosine(a.Cosine.Median), Cosine(a.Cosine.Percentile5), Cosine(a.Cosine.Minimum), Cosine(a.Cosine.OtherImages))}</tr>\n")));
        var worst = HtmlText.Join(agreements.Select((a, i) => Table($"agreement{i}-table", HtmlText.Of($"{a.Student}: the {Count(a.Worst.Count, "image")} that agree least"), Heads("No.", "Cosine", "Image"),
            HtmlText.Join(a.Worst.Select((image, n) => HtmlText.Of($"<tr><th scope=\"row\">{n + 1}</th><td>{Cosine(image.Cosine)}</td><td class=\"text path\">{Breakable(image.Path)}</td></tr>\n"))), "pairs")));
        return new Section("agreement", "Agreement with the teacher", HtmlText.Of($"""
            {Table("agreement-table", HtmlText.Of($"Cosine between the student's and {agreements[0].Teacher}'s embedding of an image, over {Count(agreements[0].Images, "image")}"), Heads("Student", "Mean", "Median", "5th percentile", "Least", "Other image"), rows)}<p class="note">Other image: the mean between embeddings of different images, which is agreement by chance.</p>
            {worst}
            """));
    }

    private static Section? CrossSearch(EvaluationJson result)
    {
        var searches = (result.Agreements ?? []).SelectMany(a => a.Search ?? []).DistinctBy(s => (s.Gallery, s.Probe)).ToList();
        if (searches.Count == 0)
        {
            return null;
        }

        string[] fars = [.. searches.SelectMany(s => s.TarAtFar.Keys).Distinct()];
        var rows = HtmlText.Join(searches.Select(s => HtmlText.Of(
            $"<tr><th scope=\"row\">{s.Gallery}</th><td class=\"text\">{s.Probe}</td>{HtmlText.Join(fars.Select(far => HtmlText.Of($"<td{Deciding(far)}>{Percent(s.TarAtFar.GetValueOrDefault(far))}</td>")))}</tr>\n")));
        return new Section("cross", "One model's probes in another's gallery", Table("cross-table", HtmlText.Of($"True accept rate where one model embeds the gallery and another the probes"),
            HtmlText.Join([Heads("Gallery", "Probes"), .. fars.Select(far => HtmlText.Of($"<th scope=\"col\"{Deciding(far)}>FAR {far}</th>"))]), rows));
    }

    private static Section? Identification(EvaluationJson result)
    {
        var models = result.Models.Where(m => m.Identification is not null).Select(m => (m.Name, Search: m.Identification!)).ToList();
        if (models.Count == 0)
        {
            return null;
        }

        string[] fars = [.. models.SelectMany(m => m.Search.OpenSet.DirAtFar.Keys).Distinct()];
        var rows = HtmlText.Join(models.Select(m => HtmlText.Of(
            $"<tr><th scope=\"row\">{m.Name}</th>{Cells(Percent(m.Search.Rank1), Percent(m.Search.Rank5))}{HtmlText.Join(fars.Select(far => Cells(Percent(m.Search.OpenSet.DirAtFar.GetValueOrDefault(far)))))}</tr>\n")));
        var (closed, open) = (models[0].Search, models[0].Search.OpenSet);
        return new Section("identification", "Identification", HtmlText.Of($"""
            {Table("identification-table", HtmlText.Of($"Gallery of {Count(closed.GalleryIdentities)} people, {Count(closed.Probes, "probe")}"), Heads(["Model", "Rank-1", "Rank-5", .. fars.Select(far => $"DIR at FAR {far}")]), rows)}<p class="note">DIR: known probes whose own person comes first and at or above the threshold, in a gallery of {Count(open.GalleryIdentities)} people with {Count(open.KnownProbes, "known probe")} and {Count(open.UnknownProbes, "unknown one")}.</p>

            """));
    }

    private static Section? Blufr(EvaluationJson result)
    {
        var models = result.Models.Where(m => m.Blufr is not null).Select(m => (m.Name, Blufr: m.Blufr!)).ToList();
        if (models.Count == 0)
        {
            return null;
        }

        static string[] Rate(TrialRateJson rate) => [Percent(rate.Mean), Percent(rate.StandardDeviation), Percent(rate.MeanMinusDeviation)];
        var rows = HtmlText.Join(models.Select(m => HtmlText.Of(
            $"<tr><th scope=\"row\">{m.Name}</th>{Cells([.. Rate(m.Blufr.VerificationRate), .. Rate(m.Blufr.IdentificationRate)])}</tr>\n")));
        return new Section("blufr", "BLUFR", Table("blufr-table",
            HtmlText.Of($"{models[0].Blufr.Trials}, {Count(models[0].Blufr.PerTrial.Count, "trial")}: verification rate (VR) at FAR 0.1%; detection and identification rate (DIR) at rank 1, FAR 1%"),
            Heads("Model", "VR mean", "VR deviation", "VR mean less deviation", "DIR mean", "DIR deviation", "DIR mean less deviation"), rows));
    }

    private static HtmlText Cells(params string[] values) => HtmlText.Join(values.Select(value => HtmlText.Of($"<td>{value}</td>")));

    private static string Cosine(double? value) => value is { } cosine ? FormattableString.Invariant($"{cosine:0.0000}") : "-";
}
