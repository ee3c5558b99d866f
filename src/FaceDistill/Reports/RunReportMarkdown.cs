using FaceDistill.Training.Losses;
using System.Globalization;
using System.Text;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Agreement;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Reports.Pages;
using FaceDistill.Runs;
using FaceDistill.Students;

namespace FaceDistill.Reports;

/// <summary>A run's report as Markdown.</summary>
internal static class RunReportMarkdown
{
    /// <summary>The text of report.md.</summary>
    public static string Of(RunReportData report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var text = new StringBuilder();
        string how = report.Run.TeacherHash.Length > 0 ? $"distilled from {report.Run.Teacher}" : "trained by identities, without a teacher";
        Line(text, $"# {report.Run.Options.Student.Name} {how}");
        Line(text, $"{MarkdownText.Of(Verdict(report))}");
        if (report.Run.Synthetic)
        {
            Line(text, $"**The training faces are synthetic drawings: these figures describe drawings, not people, and say nothing about real faces.**");
        }

        if (report.Run.Origins?.FirstOrDefault(o => o.Research) is not null)
        {
            Line(text, $"**For research only: it started from {StudentOrigin.Short(report.Run.Origins)}.**");
        }

        Configuration(text, report);
        Cost(text, report);
        foreach (var evaluation in report.Evaluations)
        {
            Accuracy(text, evaluation);
        }

        Audit(text, report.Audit);
        Curve(text, report);
        Exports(text, report);
        return text.ToString();
    }

    internal static string Verdict(RunReportData report)
    {
        string state = report.Finished ? "Finished" : $"Stopped after {report.Epochs.Count} of {report.Run.Options.Run.Epochs} epochs";
        var own = report.Evaluations
            .SelectMany(e => e.Result.Models.Where(m => e.Student is null || m.Name == e.Student).Select(m => (Note: e, Model: m))).ToList();
        bool taught = report.Run.TeacherHash.Length > 0;
        string accuracy = own.FindLast(o => o.Model.RetentionAt1e4 is not null) is { Note: not null } kept
            ? $"{Reached(kept.Note, kept.Model)}, {Percent(kept.Model.RetentionAt1e4)} of the reference's"
            : own.Count == 0 ? taught ? "not evaluated against its teacher yet" : "not evaluated yet"
            : Reached(own[^1].Note, own[^1].Model) + (!taught || own[^1].Note.Result.Models.Any(m => m.Name == report.Run.Teacher) ? ""
                : "; not evaluated against its teacher yet");
        return $"{state}; {accuracy}.";
    }

    private static string Reached(RunEvaluation note, ModelResult model) => model.TarAtFar?.GetValueOrDefault("1e-4") is { } tar
        ? $"on {note.Data}, {model.Name} reaches TAR {Percent(tar)} at FAR 1e-4"
        : $"measured by {note.Result.Protocol} on {note.Data}, which gives no TAR at FAR 1e-4";

    private static void Configuration(StringBuilder text, RunReportData report)
    {
        var (run, options) = (report.Run, report.Run.Options);
        Line(text, $"## Configuration");
        Line(text, $"| what | value |\n|---|---|");
        Row(text, $"student", $"{options.Student.Name}, head {ShownText.Words(options.Student.Head)}, {report.Dimension} values");
        Row(text, $"teacher", $"{(run.TeacherHash.Length > 0 ? $"{run.Teacher} (SHA-256 {run.TeacherHash[..16]}...)" : "none: trained by identities")}");
        Row(text, $"started from", $"{StudentOrigin.Text(run.Origins ?? [])}");
        Row(text, $"loss", $"{options.Loss}");
        Row(text, $"faces", $"{run.Images} of {run.Data}, {options.HeldPart:P1} held out");
        if (run.HeldOut is { } people)
        {
            string teacher = people.TeacherTar is null
                ? ""
                : InvariantText.Of($"; the teacher reaches a TAR of {Percent(people.TeacherTar)} at FAR {FarTargets.Label(people.Far)}");
            Row(text, $"people held out",
                $"{people.People} with {people.Faces} faces, {people.GenuinePairs:N0} genuine and {people.ImpostorPairs:N0} impostor pairs{teacher}");
        }
        else if (options.HeldOut.People > 0)
        {
            Row(text, $"people held out", $"{options.HeldOut.People} with all their faces; their pairs are too few to choose an epoch by");
        }

        if (run.Excluded > 0)
        {
            Row(text, $"left out", $"{run.Excluded} pictures of an exclusion list ({RunInfo.ExcludedFileName})");
        }

        Row(text, $"training",
            $"{options.Run.Epochs} epochs, batch {options.Run.BatchSize}, {ShownText.Words(options.Optimizer.Kind)} {options.Optimizer.LearningRate}, warm-up "
                + $"{options.Optimizer.WarmupEpochs} epochs, "
                + $"{ShownText.Words(options.Optimizer.Schedule)}, weight decay {options.Optimizer.WeightDecay}, mirror "
                    + $"{(options.Targets.Mirror ? "yes" : "no")}, seed {options.Run.Seed}");
        Row(text, $"training time", $"{ReportFormat.Time(report.TrainingSeconds)}");
        Row(text, $"machine",
            $"{run.Environment.Cores} cores, {run.Environment.System}, {run.Environment.Framework}, device {run.Environment.Device}, FaceDistill "
                + $"{run.Environment.Version}");
        text.Append('\n');
    }

    private static void Cost(StringBuilder text, RunReportData report)
    {
        var paper = report.Paper;
        Line(text, $"## Cost");
        Line(text, $"| | M mult-adds | M parameters |\n|---|---|---|");
        Line(text, $"| counted | {report.Cost.MultAdds / 1e6:0.00} | {report.Cost.Parameters / 1e6:0.00} |");
        Line(text, $"| without head | {report.Cost.MultAddsBackbone / 1e6:0.00} | {report.Cost.ParametersBackbone / 1e6:0.00} |");
        if (paper is not null)
        {
            Line(text, $"| Table 14 of the MobileNets paper | {paper.MillionMultAdds} | {paper.MillionParameters} |");
        }

        if (report.Speed is { } speed)
        {
            Line(text, $"\n{speed.Speedup:0.0} times as fast as {speed.Teacher}: {speed.StudentMs:0.00} ms a face, the teacher {speed.TeacherMs:0.00} (the "
                + $"fastest of many runs, one thread).");
        }

        text.Append('\n');
    }

    private static void Accuracy(StringBuilder text, RunEvaluation evaluation)
    {
        Line(text, $"## Accuracy: {evaluation.Result.Protocol} on {MarkdownText.Of(evaluation.Data)}");
        foreach (string warning in evaluation.Result.Warnings ?? [])
        {
            Line(text, $"**Warning: {MarkdownText.Of(warning)}.**\n");
        }

        string[] fars = [.. evaluation.Result.Models.SelectMany(m => m.TarAtFar?.Keys ?? []).Distinct()];
        Line(text, $"| model | images | genuine pairs | impostor pairs |{string.Concat(fars.Select(f => $" TAR at {f} |"))} 10-fold | retention at 1e-4 |");
        Line(text, $"|---|---|---|---|{string.Concat(fars.Select(_ => "---|"))}---|---|");
        foreach (var m in evaluation.Result.Models)
        {
            string fold = m.TenFoldAccuracy is null ? "-" : $"{Percent(m.TenFoldAccuracy)} ± {Percent(m.TenFoldStandardError)}";
            Line(text, $"| {MarkdownText.Of(m.Name)} | {m.Images} | {m.GenuinePairs:N0} | {m.ImpostorPairs:N0} |"
                + $"{string.Concat(fars.Select(f => Tar(m, f)))} {fold} | {Percent(m.RetentionAt1e4)} |");
        }

        if (fars.Length > 0)
        {
            Line(text, $"\nA dash: the impostor pairs are too few for one false accept at that rate. In brackets: false accepts at the threshold.");
        }
        else if (evaluation.Result.Models.All(m => m.TenFoldAccuracy is null))
        {
            foreach (string words in EvaluationVerdict.Each(evaluation.Result, evaluation.Student)) // of what the table has no column for
            {
                Line(text, $"\n{words}");
            }
        }

        text.Append('\n');
    }

    private static string Tar(ModelResult model, string far)
    {
        double? tar = model.TarAtFar?.GetValueOrDefault(far);
        return tar is null ? " - |" : $" {Percent(tar)} ({model.FalseAcceptsAtFar?.GetValueOrDefault(far)?.ToString(CultureInfo.InvariantCulture)}) |";
    }

    private static void Audit(StringBuilder text, AuditSummary? audit)
    {
        if (audit is null)
        {
            return;
        }

        Line(text, $"## Audit of the training faces");
        foreach (var test in audit.Tests)
        {
            Line(text, $"{test.Outcome()}. The {test.Words(audit.Teacher)}.");
            Line(text, $"| training data | faces | faces that match | test people | pairs that match | expected by chance | same files "
                + $"|\n|---|---|---|---|---|---|---|");
            foreach (var c in test.Counts)
            {
                string chance = c.ExpectedPairs is { } expected
                    ? InvariantText.Of($"{expected:0.0}")
                    : "-", files = c.SameFiles is { } same
                    ? InvariantText.Of($"{same}")
                    : "-";
                Line(text, $"| {MarkdownText.Of(c.Data)} | {c.Faces} | {c.Matches} | {c.People} | {c.MatchedPairs:N0} | {chance} | {files} |");
            }

            text.Append('\n');
        }

        if (audit.DuplicateThreshold is { } threshold)
        {
            Line(text, $"Duplicates among them: {audit.Duplicates.Sum(d => d.SameFiles ?? 0)} same files, {audit.Duplicates.Sum(d => d.Near)} faces to drop "
                + $"of {audit.DuplicatePairs:N0} pairs with a cosine of at least {threshold}.");
        }

        Line(text, $"{audit.Listed} pictures are listed in {Path.GetFileName(audit.List)}.");
    }

    private static void Curve(StringBuilder text, RunReportData report)
    {
        Line(text, $"## Loss");
        var loss = report.Run.Options.Loss;
        string what = loss == new LossOptions() ? "The part of the variance of the teacher's embeddings that the student does not explain" : $"{loss}";
        Line(text, $"{what}{(loss.IsDistilled ? "; the cosine is between student and teacher on held-out faces" : "")}.\n");
        double? far = report.Epochs.Select(e => e.PeopleFar).FirstOrDefault(f => f is not null);
        var (head, line) = far is null ? ("", "") : ($" held-out people's TAR at {FarTargets.Label(far.Value)} |", "---|");
        Line(text, $"| epoch | loss | held-out loss | held-out cosine | images/s |{head}\n|---|---|---|---|---|{line}");
        foreach (var e in report.Epochs)
        {
            Line(text, $"| {e.Epoch} | {e.Loss:0.0000} | {e.ValidationLoss:0.0000} | {e.ValidationCosine:0.0000} | {e.ImagesPerSecond:0} "
                + $"|{(far is null ? "" : $" {Percent(e.PeopleTar)} |")}");
        }

        if (report.Best is { } best)
        {
            Line(text, $"\nBest epoch: {best.Epoch}, by its {best.ChosenBy}.");
        }

        text.Append('\n');
    }

    private static void Exports(StringBuilder text, RunReportData report)
    {
        Line(text, $"## Exported files");
        if (report.Export is null)
        {
            Line(text, $"none");
            return;
        }

        Line(text, $"- `{report.Export.Files[0]}`: on {report.Export.Faces} faces at most {report.Export.MaxAbsDifference:0.0e+0} from TorchSharp's "
            + $"embeddings");
    }

    private static void Row(StringBuilder text, InvariantText name, InvariantText value) =>
        Line(text, $"| {name.ToString()} | {MarkdownText.Of(value.ToString())} |");

    private static void Line(StringBuilder text, ShownTemplate line)
    {
        string made = line.ToString();
        text.Append(made).Append('\n');
        if (!made.StartsWith('|') && !made.StartsWith('-'))
        {
            text.Append('\n');
        }
    }

    private static string Percent(double? part) => part is null ? "-" : InvariantText.Of($"{100 * part:0.00}%");
}
