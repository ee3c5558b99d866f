using System.Globalization;
using FaceDistill.Evaluation.Results;
using FaceDistill.Export;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Reports;
using FaceDistill.Runs;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;

namespace FaceDistill.Tests.Reports;

public sealed class RunReportTests : IDisposable
{
    private static readonly DistillOptions Options = new()
    {
        Student = new StudentOptions { Name = "mobilenet-v1:0.25@128" },
        Run = new TrainingRunOptions { Epochs = 2, BatchSize = 48, Seed = 77 },
    };

    private static readonly EpochLog[] Log = 
    [
        new(1, 0.912345, 0.81, 0.7654321, 0.1, 30) { ImagesPerSecond = 400 }, new(2, 0.5, null, null, 0.05, 60) { ImagesPerSecond = 410 },
    ];

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
        Assert.Equal(Log, read.Epochs);
        Assert.Equal(StudentCost.Of(new MobileNetV1Architecture(StudentSpec.Parse(Options.Student.Name), Options.Student.Head, 128)), read.Cost);
        Assert.Equal(PaperTable.Of(StudentSpec.Parse(Options.Student.Name)), read.Paper);
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
    public void A_folder_that_is_no_run_is_named() =>
        Assert.Contains(_folder.Path, Assert.Throws<FaceDistillException>(() => RunReport.Write(_folder.Path)).Message, StringComparison.Ordinal);

    private RunInfo WriteRun(bool synthetic, bool finished)
    {
        const string Hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        var info = new RunInfo(
            Options, "some-teacher", Hash, "/data/faces", "/data/aligned", 345, synthetic, RunEnvironment.Here("cpu"),
                new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc));
        info.Write(_folder.Path);
        Assert.True(RunInfo.In(_folder.Path));
        var description = new StudentDescription(
            Options.Student.Name, Options.Student.Head, 128, FaceTensor.StudentContract(128, "dlib"), "some-teacher", Hash);
        using var model = new MobileNetV1(description.Architecture());
        using var optimizer = new AdamWState(model, 0.02);
        var state = finished ? new TrainingState(2, 0, 0, Log) : new TrainingState(1, 3, 0.7, Log[..1]);
        StudentCheckpoint.Write(_folder[StudentCheckpoint.FileName], new RunPosition(description, new TargetScaling(new float[128], 1), Options, state),
            new TrainedStudent(model) { Optimizer = optimizer });
        return info;
    }

    private static EvaluationResult Evaluation(double tar) => new("lfw-folds",
    [
        new ModelResult("some-teacher", 100, 50, 90_000)
        {
            TarAtFar = new Dictionary<string, double?> { ["1e-4"] = 0.8, ["1e-6"] = null },
            FalseAcceptsAtFar = new Dictionary<string, long?> { ["1e-4"] = 9, ["1e-6"] = null },
        },
        new ModelResult("student", 100, 50, 90_000)
        {
            TarAtFar = new Dictionary<string, double?> { ["1e-4"] = tar, ["1e-6"] = null },
            FalseAcceptsAtFar = new Dictionary<string, long?> { ["1e-4"] = 9, ["1e-6"] = null },
            TenFoldAccuracy = 0.9876,
            TenFoldStandardError = 0.0012,
            RetentionAt1e4 = tar / 0.8,
        },
    ]);
}
