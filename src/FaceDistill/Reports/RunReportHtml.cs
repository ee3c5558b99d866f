using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Reports.Pages;
using FaceDistill.Runs;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;
using static FaceDistill.Reports.Pages.HtmlPage;
using static FaceDistill.Reports.Pages.ReportFormat;

namespace FaceDistill.Reports;

/// <summary>A run's report as one HTML file that needs no script and no network: what was learnt, what it means, what was made, what to do next.</summary>
internal static class RunReportHtml
{
    /// <summary>The text of report.html.</summary>
    public static string Of(RunReportData report)
    {
        ArgumentNullException.ThrowIfNull(report);
        List<Section> sections =
        [
            .. report.Epochs.Count == 0 ? [] : Learnt(report),
            .. report.Evaluations.Select((e, i) => Accuracy(report, e, i)).OfType<Section>(),
            Made(report),
            new Section("next", "Next", HtmlText.Of($"<ol class=\"steps\">{HtmlText.Join(RunGuide.Next(report).Select(Step))}</ol>\n")),
            Facts("configuration", "Configuration", "How it was trained", Configuration(report)),
        ];
        return Page(
            $"{report.Run.Options.Student.Name}: a run of FaceDistill",
            InvariantText.Of($"FaceDistill, a student of {(report.Run.TeacherHash.Length > 0 ? report.Run.Teacher : "no teacher")}"
                + $"{(report.Run.Synthetic ? ", on drawn faces" : "")}, {report.Run.Started:yyyy-MM-dd}"),
            report.Epochs.Count == 0 ? RunReportMarkdown.Verdict(report) : RunGuide.Verdict(report), sections,
            HtmlText.Of($"The same figures for programs: <a href=\"report.json\">report.json</a>; every epoch: <a href=\"report.md\">report.md</a>."));
    }

    private static IEnumerable<Section> Learnt(RunReportData report)
    {
        string epochs = Count(report.Epochs.Count, "epoch");
        bool held = report.Epochs.Any(e => e.ValidationLoss is not null);
        (int, string)[] series = held || report.Epochs.Any(e => e.CentredCosine is not null) ? [(0, "training faces"), (1, "held-out faces")]
            : [(0, "training faces")];
        var figures = new List<HtmlText>
        {
            Figure(Curve(report.Epochs, "loss", "Loss", e => e.Loss, e => e.ValidationLoss),
                HtmlText.Of($"Loss by epoch: on the training faces{(held ? ", and on those held out" : "")}.")),
        };
        if (report.Epochs.Any(e => e.CentredCosine is not null))
        {
            figures.Add(Figure(Curve(report.Epochs, "agreement", "Centred cosine to the teacher", e => null, e => e.CentredCosine),
                HtmlText.Of($"Agreement with the teacher on held-out faces by epoch.")));
        }

        yield return new Section("learnt", "What was learnt", HtmlText.Of($"""
            {Tiles(RunGuide.Figures(report))}{Legend(series)}<div class="grid">
            {HtmlText.Join(figures)}</div>
            <p class="note">{epochs} in {ReportFormat.Time(report.TrainingSeconds)}{Chosen(report)}.</p>

            """));
    }

    private static string Chosen(RunReportData report) =>
        report.Best is { } best ? InvariantText.Of($"; the student of epoch {best.Epoch} is the best, by its {best.ChosenBy}") : "";

    private static HtmlText Curve(
        IReadOnlyList<EpochLog> log, string id, string name, Func<EpochLog, double?> training, Func<EpochLog, double?> held)
    {
        (int Series, List<(double X, double Y)> Points)[] curves =
        [
            .. new[] { (0, training), (1, held) }.Select(c => (c.Item1, log.Where(e => c.Item2(e) is not null)
                .Select(e => ((double)e.Epoch, c.Item2(e)!.Value)).ToList())).Where(c => c.Item2.Count > 0),
        ];
        double right = log[^1].Epoch, low = Math.Min(0, curves.Min(c => c.Points.Min(p => p.Y))),
            top = Math.Max(0.01, curves.Max(c => c.Points.Max(p => p.Y)) * 1.05);
        using var plot = new SvgPlot("Epoch", name);
        plot.Limits(Math.Min(1, right - 1), right + (0.015 * right), low, top); // room for the last dot
        plot.TicksX(SvgPlot.Nice(1, Math.Max(right, 2)).Where(v => v >= 1 && v == Math.Floor(v)).Select(v => (v, Number($"{v:0}"))));
        plot.TicksY(SvgPlot.Nice(low, top).Select(v => (v, Number($"{v:0.0###}"))));
        foreach (var (series, points) in curves)
        {
            plot.Curve(series, points);
            plot.Dot(series, points[^1].X, points[^1].Y, null); // one epoch is no line
        }

        return plot.Render(id, $"{name} by epoch: "
            + string.Join("; ", curves.Select(c => InvariantText.Of($"{(c.Series == 0 ? "training" : "held out")} ends at {c.Points[^1].Y:0.000}"))));
    }

    private static Section? Accuracy(RunReportData report, RunEvaluation evaluation, int index)
    {
        var result = evaluation.Result;
        string id = InvariantText.Of($"accuracy{index}"), title = $"Accuracy: {result.Protocol} on {evaluation.Data}";
        var meaning = HtmlText.Join(RunGuide.Meaning(report).Select(words => HtmlText.Of($"<p>{words}</p>\n")));
        var warnings = HtmlText.Join((result.Warnings ?? []).Select(w => HtmlText.Of($"<p><strong>Warning: {w}.</strong></p>\n")));
        if (Fars(result).Count == 0)
        {
            var figures = HtmlText.Join(EvaluationVerdict.Each(result, evaluation.Student).Select(words => HtmlText.Of($"<p>{words}</p>\n")));
            return new Section(id, title, HtmlText.Of($"{warnings}{figures}{meaning}"));
        }

        bool folds = result.Models.Any(m => m.TenFoldAccuracy is not null); // of pairs10 the usual figure, for which rates have no column
        var tenFold = HtmlText.Join(
            folds ? EvaluationVerdict.Each(result, evaluation.Student).Select(words => HtmlText.Of($"<p>{words}</p>\n")) : []);
        string below = result.Models.Any(m => m.TarInterval95AtFar is { Count: > 0 }) ? " Below it the 95% interval." : "";
        return new Section(id, title, HtmlText.Of(
            $"{warnings}{tenFold}{ReportTables.Rates(result, $"{id}-table", index)}<p class=\"note\">"
                + $"{RunGuide.Tar(EvaluationVerdict.Far(result) ?? DecidingFar)}{below}</p>\n{meaning}"));
    }

    private static Section Made(RunReportData report) => new("files", "What was made", Table(
        "files-table", HtmlText.Of($"The files, and what each is"), null,
        HtmlText.Join(RunGuide.Files(report).Select(f =>
            HtmlText.Of($"<tr><th scope=\"row\" class=\"code\">{HtmlText.Path(f.Path)}</th><td class=\"text\">{f.What}</td></tr>\n"))), "facts files"));

    private static HtmlText Step((string Command, string What) step) => HtmlText.Of(
        $"<li>{step.What}<code>{new HtmlText(string.Join(' ', step.Command.Split(' ').Select(a => HtmlText.Of($"<span>{a}</span>").Html)))}</code></li>\n");

    private static IReadOnlyList<(string Name, string Value)> Configuration(RunReportData report)
    {
        var (run, options) = (report.Run, report.Run.Options);
        return
        [
            ("Student", InvariantText.Of(
                $"{options.Student.Name}, {report.Cost.MultAdds / 1e6:0.0} M mult-adds, {report.Cost.Parameters / 1e6:0.00} M parameters")),
            ("Teacher", run.TeacherHash.Length > 0 ? run.Teacher : "none: trained by identities"),
            ("Started from", StudentOrigin.Text(run.Origins ?? [])),
            ("Faces", InvariantText.Of($"{Count(run.Images)} of {run.Data}, {100 * options.HeldPart:0.#}% held out")),
            ("Training", InvariantText.Of(
                $"{Count(options.Run.Epochs, "epoch")}, batch {options.Run.BatchSize}, {ShownText.Words(options.Optimizer.Kind)}, seed {options.Run.Seed}")),
            ("Machine", $"{run.Environment.System}, {Count(run.Environment.Cores, "core")}, device {run.Environment.Device}"),
            ("FaceDistill", run.Environment.Version),
        ];
    }

    private static string Number(InvariantText text) => text.ToString();
}
