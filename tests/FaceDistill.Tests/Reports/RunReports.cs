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

/// <summary>Run folders with what a report is made of.</summary>
internal static class RunReports
{
    public static readonly DistillOptions Options = new()
    {
        Student = new StudentOptions { Name = "mobilenet-v1:0.25@128" },
        Run = new TrainingRunOptions { Epochs = 2, BatchSize = 48, Seed = 77 },
    };

    public static readonly EpochLog[] Log = 
    [
        new(1, 0.912345, 0.81, 0.7654321, 0.1, 30) { ImagesPerSecond = 400 }, new(2, 0.5, null, null, 0.05, 60) { ImagesPerSecond = 410 },
    ];

    /// <summary>A run folder, exported, timed and measured, with its report.</summary>
    public static RunReportData Write(string folder, bool synthetic, bool finished, bool evaluated)
    {
        WriteRun(folder, synthetic, finished);
        File.WriteAllText(Path.Combine(folder, "student.onnx"), "a student");
        JsonFile.Write(Path.Combine(folder, RunReport.ExportFileName), new ExportOutcome(["student.onnx"], 3e-6, 0.999999, 12));
        JsonFile.Write(Path.Combine(folder, RunSpeed.FileName),
            new RunSpeed(FileHash.Sha256(Path.Combine(folder, "student.onnx")), "some-teacher", 0.25, 5, 20));
        if (evaluated)
        {
            RunEvaluations.Write(folder, new RunEvaluation("test", Evaluation(0.0629)));
        }

        return RunReport.Write(folder);
    }

    public static RunInfo WriteRun(string folder, bool synthetic, bool finished)
    {
        const string Hash = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        var info = new RunInfo(
            Options, "some-teacher", Hash, "/data/faces", "/data/aligned", 345, synthetic, RunEnvironment.Here("cpu"),
                new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc));
        Directory.CreateDirectory(folder);
        info.Write(folder);
        Assert.True(RunInfo.In(folder));
        var description = new StudentDescription(
            Options.Student.Name, Options.Student.Head, 128, FaceTensor.StudentContract(128, "dlib"), "some-teacher", Hash);
        using var model = new MobileNetV1(description.Architecture());
        using var optimizer = new AdamWState(model, 0.02);
        var state = finished ? new TrainingState(2, 0, 0, Log) : new TrainingState(1, 3, 0.7, Log[..1]);
        StudentCheckpoint.Write(
            Path.Combine(folder, StudentCheckpoint.FileName), new RunPosition(description, new TargetScaling(new float[128], 1), Options, state),
            new TrainedStudent(model) { Optimizer = optimizer });
        return info;
    }

    public static EvaluationResult Evaluation(double tar) => new("lfw-folds",
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
