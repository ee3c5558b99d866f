using System.CommandLine;
using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using FaceDistill.Cli;
using FaceDistill.Evaluation.Results;
using FaceDistill.Export;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Reports;
using FaceDistill.Reports.Pages;
using FaceDistill.Runs;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;

namespace FaceDistill.Tests.Reports;

public sealed class RunReportTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_json_says_what_went_in()
    {
        var info = WriteRun(synthetic: false, finished: true);
        var export = new ExportOutcome(["student.onnx"], 3e-6, 0.999999, 12);
        JsonFile.Write(_folder[RunReport.ExportFileName], export);
        RunEvaluations.Write(_folder.Path, new RunEvaluation("lfw", Evaluation(0.75)));
        var report = RunReport.Write(_folder.Path);
        var read = JsonFile.Read<RunReportData>(_folder["report.json"]);
        Assert.Equal(JsonFile.Serialize(report), JsonFile.Serialize(read));
        Assert.Equal(info, read.Run);
        Assert.Equal((128, true, 90.0), (read.Dimension, read.Finished, read.TrainingSeconds));
        Assert.Equal(RunReports.Log, read.Epochs);
        Assert.Equal(StudentCost.Of(new MobileNetV1Architecture(StudentSpec.Parse(RunReports.Options.Student.Name), RunReports.Options.Student.Head, 128)),
            read.Cost);
        Assert.Equal(PaperTable.Of(StudentSpec.Parse(RunReports.Options.Student.Name)), read.Paper);
        Assert.Equal(JsonFile.Serialize(export), JsonFile.Serialize(read.Export));
        Assert.Equal("lfw", Assert.Single(read.Evaluations).Data);
        Assert.Equal(JsonFile.Serialize(Evaluation(0.75)), JsonFile.Serialize(read.Evaluations[0].Result));
    }

    [Fact]
    public void The_text_shows_the_figures()
    {
        WriteRun(synthetic: false, finished: true);
        RunEvaluations.Write(_folder.Path, new RunEvaluation("lfw", Evaluation(0.5)));
        RunEvaluations.Write(_folder.Path, new RunEvaluation("lfw", Evaluation(0.75))); // replaces the earlier one
        JsonFile.Write(_folder[RunReport.ExportFileName], new ExportOutcome(["student.onnx"], 3e-6, 0.999999, 12));
        RunReport.Write(_folder.Path);
        string text = File.ReadAllText(_folder["report.md"]);
        string[] figures =
        [
            "# mobilenet-v1:0.25@128 distilled from some-teacher", "Finished; on lfw, student reaches TAR 75.00% at FAR 1e-4, 93.75% of the reference's.",
            "SHA-256 0123456789abcdef...", "345 of /data/faces", "batch 48", "seed 77", "1.5 minutes",
            "| 1 | 0.9123 | 0.8100 | 0.7654 | 400 |", "| 2 | 0.5000 |  |  | 410 |", "75.00% (9)", "98.76% ± 0.12%", "`student.onnx`", "3.0e-6",
        ];
        Assert.All(figures, figure => Assert.Contains(figure, text, StringComparison.Ordinal));
        Assert.DoesNotContain("50.00%", text, StringComparison.Ordinal);
        Assert.DoesNotContain("synthetic", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Drawn_faces_a_stopped_run_and_what_is_missing_are_said()
    {
        WriteRun(synthetic: true, finished: false);
        RunReport.Write(_folder.Path);
        string text = File.ReadAllText(_folder["report.md"]);
        Assert.Contains("training faces are synthetic drawings", text, StringComparison.Ordinal);
        Assert.Contains("Stopped after 1 of 2 epochs; not evaluated against its teacher yet.", text, StringComparison.Ordinal);
        Assert.EndsWith("## Exported files\n\nnone\n\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_text_does_not_depend_on_the_user_s_language()
    {
        WriteRun(synthetic: false, finished: true);
        RunReport.Write(_folder.Path);
        string here = File.ReadAllText(_folder["report.md"]);
        var before = CultureInfo.CurrentCulture;
        var other = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (other.NumberFormat.NumberDecimalSeparator, other.NumberFormat.PercentDecimalSeparator) = (",", ",");
        try
        {
            CultureInfo.CurrentCulture = other;
            RunReport.Write(_folder.Path);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }

        Assert.Equal(here, File.ReadAllText(_folder["report.md"]));
    }

    [Fact]
    public void The_page_of_drawn_faces_shows_what_was_learnt_first_and_what_real_faces_gave_from_the_kept_results()
    {
        RunReports.Write(_folder.Path, synthetic: true, finished: true, evaluated: true);
        string page = File.ReadAllText(_folder["report.html"]);
        string[] inOrder = ["It works: ", ">Loss<", ">0.500<", ">Speed<", ">20.0 times<", "6.29%", "one in 10,000 pairs", "The faces are drawings.",
            "What real faces gave: ", "student.onnx", ">yunet<"];
        Assert.Equal(inOrder.Select(w => (w, true)), inOrder.Select(w => (w, page.Contains(w.TrimEnd(), StringComparison.Ordinal))));
        int[] at = [.. inOrder.Select(w => page.IndexOf(w.TrimEnd(), page.IndexOf("<main", StringComparison.Ordinal), StringComparison.Ordinal)).Skip(1)];
        Assert.Equal(at.Order(), at);
        Assert.DoesNotContain("http", page.Replace("http-equiv", "", StringComparison.Ordinal), StringComparison.Ordinal);

        // The figure is the card's, not the source's.
        var kept = Directory.GetFiles(Path.Combine(RepositoryRoot.Path, "eval", "results"), "student.onnx.card.json", SearchOption.AllDirectories)
            .Select(f => (Folder: Path.GetDirectoryName(f)!, Card: JsonNode.Parse(File.ReadAllText(f))!))
            .Select(k => (k.Folder, k.Card, Row: k.Card["accuracy"]!.AsArray().FirstOrDefault(
                a => (string?)a!["model"] == "this file" && !(bool)a["seen"]!)))
            .Where(k => k.Row is not null).Select(k => (k.Folder, k.Card, k.Row, Tar: (double)k.Row!["result"]!["tarAtFar"]!["1e-4"]!)).MaxBy(k => k.Tar);
        string place = Path.GetRelativePath(RepositoryRoot.Path, kept.Folder).Replace('\\', '/');
        var best = RealFaces.Best("nobody")!;
        Assert.Contains($"reaches a TAR of {ReportFormat.Percent(kept.Tar)} (95%: ", best.Sentence, StringComparison.Ordinal);
        Assert.EndsWith($"({place}).", best.Sentence, StringComparison.Ordinal);

        // The share is of what the teacher reaches in that test, not in another one that the card tells of.
        var rows = kept.Card["accuracy"]!.AsArray();
        var beside = rows.Single(a => (string?)a!["model"] == (string?)kept.Card["teacher"]!["name"]
            && ((string?)a["protocol"], (string?)a["facesId"]) == ((string?)kept.Row!["protocol"], (string?)kept.Row!["facesId"]))!;
        double teacher = (double)beside["result"]!["tarAtFar"]!["1e-4"]!;
        Assert.Contains($", {ReportFormat.Percent(kept.Tar / teacher)} of its teacher's {ReportFormat.Percent(teacher)}, over ", best.Sentence,
            StringComparison.Ordinal);
        rows.Remove(beside);
        Assert.DoesNotContain("its teacher's", new RealFaces(place, kept.Card).Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_a_protocol_gives_no_rates_the_student_s_figure_stands_before_the_teacher_s_and_a_warning_once()
    {
        WriteRun(synthetic: false, finished: true);
        ModelResult Folds(string name, double accuracy) => new(name, 100, 300, 300) { TenFoldAccuracy = accuracy, TenFoldStandardError = 0.0012 };
        ModelResult Trials(string name, double rate) => new(name, 100, 300, 300)
        {
            Blufr = new BlufrResult(name, "own trials", new TrialRate(rate, 0.01, rate - 0.01), new TrialRate(0.5, 0.01, 0.49), 0, []),
        };
        RunEvaluations.Write(_folder.Path, new RunEvaluation("lfw", new EvaluationResult("lfw-10fold", [Folds("some-teacher", 0.99), Folds("student", 0.97)])
        {
            Warnings = ["this says little"],
        }) { Student = "student" });
        RunEvaluations.Write(_folder.Path, new RunEvaluation("lfw", new EvaluationResult("blufr", [Trials("some-teacher", 0.9), Trials("student", 0.8)]))
        {
            Student = "student",
        });
        RunReport.Write(_folder.Path);
        string page = File.ReadAllText(_folder["report.html"]);
        foreach (string text in new[] { page, File.ReadAllText(_folder["report.md"]) })
        {
            Assert.InRange(text.IndexOf("student accepts 80.00% of genuine pairs at FAR 0.1%", StringComparison.Ordinal), 1,
                text.IndexOf("some-teacher accepts 90.00% of genuine pairs at FAR 0.1%", StringComparison.Ordinal));
        }

        Assert.InRange(page.IndexOf("student is right on 97.00%", StringComparison.Ordinal), 1,
            page.IndexOf("some-teacher is right on 99.00%", StringComparison.Ordinal));
        Assert.Equal(2, page.Split("this says little").Length);
    }

    [Fact]
    public void Another_student_of_the_same_evaluation_does_not_head_the_run_s_report()
    {
        WriteRun(synthetic: false, finished: true);
        var both = Evaluation(0.75);
        var other = both.Models[1] with { Name = "another", TarAtFar = new Dictionary<string, double?> { ["1e-4"] = 0.8 }, RetentionAt1e4 = 1 };
        RunEvaluations.Write(_folder.Path, new RunEvaluation("lfw", both with { Models = [.. both.Models, other] }) { Student = "student" });
        RunReport.Write(_folder.Path);
        Assert.Contains("Finished; on lfw, student reaches TAR 75.00% at FAR 1e-4, 93.75% of the reference's.", File.ReadAllText(_folder["report.md"]),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_speed_belongs_to_the_file_that_was_timed_and_a_run_of_photographs_makes_no_excuses()
    {
        Assert.Equal(20, RunReports.Write(_folder.Path, synthetic: false, finished: true, evaluated: true).Speed!.Speedup);
        string page = File.ReadAllText(_folder["report.html"]);
        Assert.DoesNotContain("drawings", page, StringComparison.Ordinal);
        Assert.Contains("<span>export</span>", page, StringComparison.Ordinal);
        File.WriteAllText(_folder["student.onnx"], "another student");
        Assert.Null(RunReport.Write(_folder.Path).Speed);
        Assert.DoesNotContain("20.0 times", File.ReadAllText(_folder["report.html"]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_learnt_nothing_or_was_stopped_does_not_say_that_it_works()
    {
        WriteRun(synthetic: true, finished: false);
        var report = RunReport.Write(_folder.Path);
        Assert.Contains("Stopped after 1 of 2 epochs", RunGuide.Verdict(report), StringComparison.Ordinal);
        report = report with { Finished = true, Epochs = [report.Epochs[0] with { Loss = 1.01, ValidationLoss = 1.02 }] };
        Assert.StartsWith("Every stage works; 1 epoch gave", RunGuide.Verdict(report), StringComparison.Ordinal);
    }

    [Fact]
    public void The_end_tells_the_figures_of_the_epoch_that_was_exported_and_what_chose_it()
    {
        WriteRun(synthetic: false, finished: true);
        var report = RunReport.Write(_folder.Path);
        Assert.Equal("epoch 2 of 2 exported: loss 0.500 (1 explains nothing)", RunGuide.Exported(report));
        report = report with { Epochs = [report.Epochs[0] with { CentredCosine = 0.2264 }, report.Epochs[1]], Best = new BestEpoch(1, 0.2264) };
        Assert.Equal("epoch 1 of 2 exported: loss 0.912 (1 explains nothing), held out 0.810, centred cosine 0.226; the centred cosine chose it: no people "
            + "were held out (too few are named, or none were wanted)", RunGuide.Exported(report));
        var first = report.Epochs[0] with { PeopleTar = 0.125, PeopleFar = 1e-3 };
        report = report with { Epochs = [first, report.Epochs[1]], Best = report.Best with { PeopleTar = 0.125, PeopleFar = 1e-3 } };
        Assert.EndsWith("centred cosine 0.226, TAR 12.50% at FAR 1e-3 on held-out people", RunGuide.Exported(report), StringComparison.Ordinal);
        report = report with { Epochs = [report.Epochs[0] with { ValidationLoss = 1.02 }, report.Epochs[1]] };
        Assert.Contains("it is no nearer to its teacher than the mean of all faces", RunGuide.Exported(report), StringComparison.Ordinal);
        Assert.Equal(["less than a second", "1 second", "3 seconds", "1.5 minutes", "1,000.0 minutes"],
            new[] { 0.4, 1, 3.2, 90, 60_000 }.Select(ReportFormat.Time));
    }

    [Fact]
    public void What_it_says_to_type_next_is_understood()
    {
        var root = (Command)typeof(CommandLine).GetMethod("Root", BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)!.Invoke(null, null)!;
        foreach (bool synthetic in new[] { true, false })
        {
            var report = RunReports.Write(_folder[$"a run {synthetic}"], synthetic, finished: true, evaluated: false);
            Assert.Equal(3, RunGuide.Next(report).Count);
            Assert.All(RunGuide.Next(report), next =>
            {
                Assert.StartsWith(Hints.Command + " ", next.Command, StringComparison.Ordinal);
                string line = next.Command[(Hints.Command.Length + 1)..].Replace('\'', '"');
                var parsed = root.Parse(line);
                Assert.True(parsed.Errors.Count == 0, $"{next.Command}: {string.Join("; ", parsed.Errors.Select(e => e.Message))}");
            });
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_it_says_to_type_next_names_the_teacher_as_it_was_typed(bool synthetic)
    {
        RunReports.WriteRun(_folder["run"], synthetic, finished: true);
        new Recipe { Teacher = "mine/w600k_r50.json", Options = RunReports.Options }.Write(_folder["run"]);
        var commands = RunGuide.Next(RunReport.Write(_folder["run"])).Select(n => n.Command).ToList();
        Assert.Contains(commands, c => c.Contains(" --model teacher:mine/w600k_r50.json", StringComparison.Ordinal));
        Assert.DoesNotContain(commands, c => c.Contains("some-teacher", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/moved/run/mine.onnx", KeepKind.Best)]
    [InlineData("/elsewhere/student.ncnn.param", KeepKind.Last)]
    public void What_was_made_are_all_exported_files_whatever_the_last_export_was(string last, KeepKind keep)
    {
        string run = _folder["run"];
        RunReports.Write(run, synthetic: false, finished: true, evaluated: false);
        File.WriteAllText(_folder["run/student.tflite"], "another");
        File.WriteAllText(_folder["run/mine.onnx"], "mine");
        JsonFile.Write(Path.Combine(run, RunReport.ExportFileName), new ExportOutcome([last], 3e-6, 0.999999, 12));
        var report = RunReport.Write(run);
        Assert.Equal(20, report.Speed?.Speedup); // of student.onnx, which is as it was
        report = report with { Run = report.Run with { Options = report.Run.Options with { HeldOut = new() { Keep = keep } } } };
        File.WriteAllText(_folder["run/student.best.safetensors"], "weights");
        var files = RunGuide.Files(report).ToDictionary(f => Path.GetFileName(f.Path), f => f.What);
        Assert.EndsWith("ONNX Runtime runs it", files["student.onnx"], StringComparison.Ordinal);
        Assert.EndsWith("LiteRT (TensorFlow Lite) runs it", files["student.tflite"], StringComparison.Ordinal);
        Assert.Contains(keep == KeepKind.Best ? "and exported" : "beside the last one's", files["student.best.safetensors"], StringComparison.Ordinal);
        Assert.Equal(last.Contains("mine", StringComparison.Ordinal), files.ContainsKey("mine.onnx")); // of another name, where it is the last
        Assert.DoesNotContain("student.ncnn.param", files.Keys);
    }

    [Fact]
    public void The_heading_tells_what_was_measured_with_and_without_a_teacher()
    {
        RunReports.WriteRun(_folder["run"], synthetic: false, finished: true);
        var report = RunReport.Write(_folder["run"]);
        RunReportData With(bool taught, params ModelResult[] models) => report with
        {
            Run = taught ? report.Run : report.Run with { TeacherHash = "" },
            Evaluations = models.Length == 0 ? [] : [new RunEvaluation("a|b", new EvaluationResult("all-pairs", models)) { Student = "student" }],
        };
        ModelResult Model(string name, double? tar) =>
            new(name, 1, 1, 1) { TarAtFar = tar is null ? null : new Dictionary<string, double?> { ["1e-4"] = tar } };
        Assert.Equal("Finished; not evaluated against its teacher yet.", RunReportMarkdown.Verdict(With(true)));
        Assert.Equal("Finished; not evaluated yet.", RunReportMarkdown.Verdict(With(false)));
        Assert.Equal("Finished; on a|b, student reaches TAR 50.00% at FAR 1e-4.", RunReportMarkdown.Verdict(With(false, Model("student", 0.5))));
        Assert.Equal("Finished; on a|b, student reaches TAR 50.00% at FAR 1e-4; not evaluated against its teacher yet.",
            RunReportMarkdown.Verdict(With(true, Model("student", 0.5))));
        Assert.Equal("Finished; measured by all-pairs on a|b, which gives no TAR at FAR 1e-4.",
            RunReportMarkdown.Verdict(With(true, Model("student", null), Model("some-teacher", null))));
        Assert.Contains("## Accuracy: all-pairs on a\\|b", RunReportMarkdown.Of(With(false, Model("student", 0.5))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_is_no_run_is_named() =>
        Assert.Contains(_folder.Path, Assert.Throws<FaceDistillException>(() => RunReport.Write(_folder.Path)).Message, StringComparison.Ordinal);

    private RunInfo WriteRun(bool synthetic, bool finished) => RunReports.WriteRun(_folder.Path, synthetic, finished);

    private static EvaluationResult Evaluation(double tar) => RunReports.Evaluation(tar);
}
