using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Reports.Pages;
using static FaceDistill.Reports.Pages.HtmlPage;
using static FaceDistill.Reports.Pages.ReportFormat;

namespace FaceDistill.Reports;

/// <summary>The tables of an evaluation's report, in their sections; null where the result has nothing to put in.</summary>
internal static class ReportTables
{
    /// <summary>True accept rates and thresholds.</summary>
    public static Section? Accuracy(EvaluationResult result)
    {
        var fars = Fars(result);
        if (result.Models.All(m => m.Identification is not null || m.Blufr is not null))
        {
            return null; // their own sections say how many probes and pairs there were
        }

        var table = Rates(result, "accuracy-table");
        if (fars.Count == 0)
        {
            return new Section("accuracy", "Pairs scored", HtmlText.Of($"{table}{Missing(result)}"));
        }

        string deciding = DecidingOf(result);
        HtmlText Threshold(ModelResult m, int model, string far) => HtmlText.Of(
            $"<td data-cell=\"{model} thresholdAtFar {far}\"{Deciding(far == deciding)}>{Score(m.ThresholdAtFar?.GetValueOrDefault(far))}</td>");
        var thresholds = HtmlText.Join(result.Models.Select((m, i) => HtmlText.Of(
            $"<tr><th scope=\"row\">{m.Name}</th>{HtmlText.Join(fars.Select(far => Threshold(m, i, far)))}</tr>\n")));
        string score = (result.Score ?? ScoreKind.Cosine) == ScoreKind.Cosine ? "cosine" : "negated Euclidean distance";
        var head = HtmlText.Join([Heads("Model"), .. fars.Select(far => Head(far, deciding))]);
        var second = Table("threshold-table", HtmlText.Of($"Thresholds ({score}); a pair is accepted at or above"), head, thresholds);
        return new Section("accuracy", "Accuracy", HtmlText.Of($"{table}<p class=\"note\">Each cell: the share of genuine pairs accepted, its 95% interval "
            + $"where there is one, and how many impostor pairs lie at or above the threshold. The threshold is the smallest at which the measured FAR is not "
            + $"above the one named; with fewer impostor pairs than 1/FAR there is none.</p>\n{Missing(result)}{second}"));
    }

    /// <summary>The table of true accept rates.</summary>
    /// <param name="result">What was measured.</param>
    /// <param name="id">Unlike that of any other on the page.</param>
    /// <param name="cells">Sets the cells' names apart where a page has several such tables.</param>
    public static HtmlText Rates(EvaluationResult result, string id, int cells = 0)
    {
        var fars = Fars(result);
        string deciding = DecidingOf(result);
        int Number(int model) => (100 * cells) + model;
        var rows = HtmlText.Join(result.Models.Select((m, i) => HtmlText.Of(
            $"<tr><th scope=\"row\">{m.Name}<span class=\"sub\"><span data-cell=\"{Number(i)} genuinePairs\">{Count(m.GenuinePairs)}</span> genuine "
                + $"pairs</span><span class=\"sub\"><span data-cell=\"{Number(i)} impostorPairs\">{Count(m.ImpostorPairs)}</span> impostor "
                + $"pairs</span></th>{HtmlText.Join(fars.Select(far => Cell(m, Number(i), far, deciding)))}</tr>\n")));
        string what = fars.Count > 0 ? "True accept rate (TAR) at fixed false accept rates (FAR)" : "Pairs";
        return Table(id, HtmlText.Of($"{what} over {Count(result.Models[0].Images, "image")}"),
            HtmlText.Join([Heads("Model"), .. fars.Select(far => Head(far, deciding))]), rows);
    }

    // The rate whose column comes first on a narrow screen: 1e-4, or the smallest of which anything is known.
    private static string DecidingOf(EvaluationResult result) => EvaluationVerdict.Far(result) ?? DecidingFar;

    private static HtmlText Head(string far, string deciding) => HtmlPage.Head($"FAR {far}", far == deciding);

    private static HtmlText Deciding(bool decides) => decides ? new HtmlText(" class=\"deciding\"") : HtmlText.Empty;

    // What stands in brackets goes below.
    private static HtmlText None(string words) => words.Split(" (") is [var few, var counts]
        ? HtmlText.Of($"{few} <span class=\"sub\">({counts}</span>") : HtmlText.Of($"{words}");

    private static HtmlText Cell(ModelResult m, int model, string far, string deciding)
    {
        if (m.TarAtFar?.GetValueOrDefault(far) is not { } tar)
        {
            string kind = far == deciding ? "none deciding" : "none";
            return HtmlText.Of($"<td class=\"{kind}\" data-cell=\"{model} tarAtFar {far}\">{None(FarTargets.TooFew(far, m.ImpostorPairs))}</td>");
        }

        var interval = m.TarInterval95AtFar?.GetValueOrDefault(far);
        var range = interval is null
            ? HtmlText.Empty
            : HtmlText.Of($"<span class=\"sub\" data-cell=\"{model} tarInterval95AtFar {far}\">{Range(interval)}</span>");
        long accepts = m.FalseAcceptsAtFar?.GetValueOrDefault(far) ?? 0;
        return HtmlText.Of($"<td{Deciding(far == deciding)}><span class=\"main\" data-cell=\"{model} tarAtFar {far}\">{Percent(tar)}</span>{range}<span "
            + $"class=\"sub\"><span data-cell=\"{model} falseAcceptsAtFar {far}\">{Count(accepts)}</span> false accept{(accepts == 1 ? "" : "s")}</span></td>");
    }

    private static HtmlText Missing(EvaluationResult result) => HtmlText.Join(
    [
        .. IjbResult.Words(result.Models).Select(words => HtmlText.Of($"<p class=\"note\">{words}.</p>\n")),
        .. MissingWords(result).Select(words => HtmlText.Of($"<p class=\"note\">{words}.</p>\n")),
    ]);

    /// <summary>What is told besides the rates.</summary>
    public static Section? Metrics(EvaluationResult result)
    {
        var metrics = ReportFormat.Metrics(result);
        if (metrics.Count == 0)
        {
            return null;
        }

        HtmlText Cells(ModelResult m, int model) =>
            HtmlText.Join(metrics.Select(metric => HtmlText.Of($"<td data-cell=\"{model} {metric.Key}\">{metric.Text(m)}</td>")));
        var rows = HtmlText.Join(result.Models.Select((m, i) => HtmlText.Of($"<tr><th scope=\"row\">{m.Name}</th>{Cells(m, i)}</tr>\n")));
        string explained = string.Join(" ", metrics.Select(metric => Explained.GetValueOrDefault(metric.Key)).Where(text => text is not null));
        var table = Table("metrics-table", HtmlText.Of($"Figures besides the rates"), Heads(["Model", .. metrics.Select(metric => metric.Name)]), rows);
        return new Section("metrics", "Other figures", HtmlText.Of($"{table}<p class=\"note\">{explained}</p>\n"));
    }

    private static readonly Dictionary<string, string> Explained = new(StringComparer.Ordinal)
    {
        ["retentionAt1e-4"] = "Retention: TAR at FAR 1e-4 by that of the teacher, with its 95% interval.",
        ["tenFoldAccuracy"] = "10-fold accuracy: mean and standard error of ten folds, each with the threshold of the other nine.",
        ["eer"] = "EER: where false accept and false reject rate are equal.",
        ["auc"] = "AUC: the share of all couples of a genuine and an impostor pair in which the genuine one scores higher.",
        ["dPrime"] = "d': distance of the means of both kinds by their common deviation.",
        ["minDcf"] = "minDCF: least detection cost with a target prior of 0.01; 0 is perfect, 1 useless.",
        ["rank1"] = "Rank-1: faces whose nearest other face is of the same person.",
        ["multAdds"] = "Mult-adds: multiply-accumulates of one face.",
    };

    /// <summary>Each two models.</summary>
    public static Section? Comparisons(EvaluationResult result)
    {
        if (result.Comparisons is not { Count: > 0 } comparisons)
        {
            return null;
        }

        var rows = HtmlText.Join(comparisons.Select(c => HtmlText.Of(
            $"<tr><th scope=\"row\">{c.A} less {c.B}</th><td>{100 * c.DifferenceAt1e4:+0.00;-0.00;0.00}</td><td>{100 * c.Interval95[0]:0.00} to "
                + $"{100 * c.Interval95[1]:0.00}</td><td>{PValue(c.PValue)}</td></tr>\n")));
        var table = Table("comparison-table", HtmlText.Of($"Differences of TAR at FAR 1e-4, in percentage points"),
            Heads("Models", "Difference", "95% interval", "p"), rows);
        return new Section("comparisons", "Models compared", HtmlText.Of($"{table}<p class=\"note\">Paired bootstrap over people: both models on the same "
            + $"resamples. p is two-sided, for no difference.</p>\n"));
    }

    /// <summary>How students agree with their teacher, image by image.</summary>
    public static Section? Agreement(EvaluationResult result)
    {
        if (result.Agreements is not { Count: > 0 } agreements)
        {
            return null;
        }

        static HtmlText Figures(CosineSpread c) =>
            Cells(Cosine(c.Mean), Cosine(c.Median), Cosine(c.Percentile5), Cosine(c.Minimum), Cosine(c.OtherImages));
        static HtmlText Image(ImageAgreement image, int n) => HtmlText.Of(
            $"<tr><th scope=\"row\">{n + 1}</th><td>{Cosine(image.Cosine)}</td><td class=\"text path\">{HtmlText.Path(image.Path)}</td></tr>\n");
        var rows = HtmlText.Join(agreements.Select(a => HtmlText.Of($"<tr><th scope=\"row\">{a.Student}</th>{Figures(a.Cosine)}</tr>\n")));
        var worst = HtmlText.Join(agreements.Select((a, i) => Table(
            $"agreement{i}-table", HtmlText.Of($"{a.Student}: the {Count(a.Worst.Count, "image")} that agree least"), Heads("No.", "Cosine", "Image"),
            HtmlText.Join(a.Worst.Select(Image)), "pairs")));
        var (teacher, images) = (agreements[0].Teacher, Count(agreements[0].Images, "image"));
        var table = Table("agreement-table", HtmlText.Of($"Cosine between the student's and {teacher}'s embedding of an image, over {images}"),
            Heads("Student", "Mean", "Median", "5th percentile", "Least", "Other image"), rows);
        return new Section("agreement", "Agreement with the teacher", HtmlText.Of($"{table}<p class=\"note\">Other image: the mean between embeddings of "
            + $"different images, which is agreement by chance.</p>\n{worst}"));
    }

    /// <summary>Students' probes in their teacher's gallery.</summary>
    public static Section? CrossSearch(EvaluationResult result)
    {
        var searches = (result.Agreements ?? []).SelectMany(a => a.Search ?? []).DistinctBy(s => (s.Gallery, s.Probe)).ToList();
        if (searches.Count == 0)
        {
            return null;
        }

        string[] fars = [.. searches.SelectMany(s => s.TarAtFar.Keys).Distinct()];
        string deciding = DecidingOf(result);
        HtmlText Rate(CrossSearchResult s, string far) => HtmlText.Of($"<td{Deciding(far == deciding)}>{None(s.Words(far, tar => Percent(tar)))}</td>");
        var rows = HtmlText.Join(searches.Select(s => HtmlText.Of(
            $"<tr><th scope=\"row\">{s.Gallery}</th><td class=\"text\">{s.Probe}</td>"
                + $"{HtmlText.Join(fars.Select(far => Rate(s, far)))}</tr>\n")));
        return new Section("cross", "One model's probes in another's gallery",
            Table("cross-table", HtmlText.Of($"True accept rate where one model embeds the gallery and another the probes"),
            HtmlText.Join([Heads("Gallery"), HtmlText.Of($"<th scope=\"col\" class=\"text\">Probes</th>"), .. fars.Select(far => Head(far, deciding))]), rows));
    }

    /// <summary>Probes searched in a gallery.</summary>
    public static Section? Identification(EvaluationResult result)
    {
        var models = result.Models.Where(m => m.Identification is not null).Select(m => (m.Name, Search: m.Identification!)).ToList();
        if (models.Count == 0)
        {
            return null;
        }

        string[] Ranks(IdentificationResult i) => [Percent(i.Rank1), Percent(i.Rank5), .. i.Rank10 is { } rank10 ? [Percent(rank10)] : Array.Empty<string>()];
        static HtmlText Dir(OpenSetResult open, string far) => open.DirAtFar.GetValueOrDefault(far) is not { } dir ? Cells("-") : HtmlText.Of(
            $"<td><span class=\"main\">{Percent(dir)}</span><span class=\"sub\">from {Score(open.ThresholdAtFar.GetValueOrDefault(far))} on, "
                + $"{Count(open.FalseAlarmsAtFar.GetValueOrDefault(far) ?? 0, "false alarm")}</span></td>");
        bool ten = models.Any(m => m.Search.Rank10 is not null);
        string[] fars = [.. models.SelectMany(m => m.Search.OpenSet.DirAtFar.Keys).Distinct()];
        var rows = HtmlText.Join(models.Select(m => HtmlText.Of(
            $"<tr><th scope=\"row\">{m.Name}</th>{Cells(Ranks(m.Search))}{HtmlText.Join(fars.Select(far => Dir(m.Search.OpenSet, far)))}</tr>\n")));
        var (closed, open) = (models[0].Search, models[0].Search.OpenSet);
        var table = Table("identification-table", HtmlText.Of($"Gallery of {Count(closed.GalleryIdentities)} people, {Count(closed.Probes, "probe")}"),
            Heads(["Model", "Rank-1", "Rank-5", .. ten ? ["Rank-10"] : Array.Empty<string>(), .. fars.Select(far => $"DIR at FAR {far}")]), rows);
        return new Section("identification", "Identification", HtmlText.Of($"{table}<p class=\"note\">DIR: known probes whose own person comes first and at or "
            + $"above the threshold, in a gallery of {Count(open.GalleryIdentities)} people with {Count(open.KnownProbes, "known probe")} and "
            + $"{Count(open.UnknownProbes, "unknown one")}.</p>\n{Missing(result)}"));
    }

    /// <summary>BLUFR's trials.</summary>
    public static Section? Blufr(EvaluationResult result)
    {
        var models = result.Models.Where(m => m.Blufr is not null).Select(m => (m.Name, Blufr: m.Blufr!)).ToList();
        if (models.Count == 0)
        {
            return null;
        }

        static string[] Rate(TrialRate rate) => [Percent(rate.Mean), Percent(rate.StandardDeviation), Percent(rate.MeanMinusDeviation)];
        var rows = HtmlText.Join(models.Select(m => HtmlText.Of(
            $"<tr><th scope=\"row\">{m.Name}</th>{Cells([.. Rate(m.Blufr.VerificationRate), .. Rate(m.Blufr.IdentificationRate)])}</tr>\n")));
        var table = Table("blufr-table",
            HtmlText.Of($"{models[0].Blufr.Trials}, {Count(models[0].Blufr.PerTrial.Count, "trial")}: verification rate (VR) at FAR 0.1%; detection and "
                + $"identification rate (DIR) at rank 1, FAR 1%"),
            Heads("Model", "VR mean", "VR deviation", "VR mean less deviation", "DIR mean", "DIR deviation", "DIR mean less deviation"), rows);
        return new Section("blufr", "BLUFR", HtmlText.Of($"{table}{Missing(result)}"));
    }

    private static HtmlText Cells(params string[] values) => HtmlText.Join(values.Select(value => HtmlText.Of($"<td>{value}</td>")));

    private static string Cosine(double? value) => value is { } cosine ? InvariantText.Of($"{cosine:0.0000}") : "-";
}
