using FaceDistill.Assets;
using FaceDistill.Export;
using FaceDistill.Formats;
using FaceDistill.Pipeline;
using FaceDistill.Reporting;

namespace FaceDistill.Tests.Pipeline;

public sealed class ExportJobTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TempFolder _folder = new();

    [Fact]
    public void The_export_is_verified_on_the_training_faces_and_noted()
    {
        string copy = run.CopyTo(_folder["run"]);
        var outcome = Job().Run(copy, null, null, null, "cpu", null, default);
        Assert.Equal([Path.Combine(copy, DistillJob.ExportName)], outcome.Files);
        Assert.Equal(32, outcome.Faces);
        Assert.InRange(outcome.MaxAbsDifference, 0, StudentExporter.Tolerance);
        Assert.Equal(JsonFile.Serialize(outcome), JsonFile.Serialize(JsonFile.Read<ExportOutcome>(_folder[$"run/{RunReport.ExportFileName}"])));
        Assert.Contains("student.onnx", File.ReadAllText(_folder["run/report.md"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Faces_that_are_gone_can_be_replaced_with_others()
    {
        string copy = run.CopyTo(_folder["run"]);
        (run.Info with { Aligned = _folder["gone"] }).Write(copy);
        var error = Assert.Throws<FaceDistillException>(() => Job().Run(copy, null, null, null, "cpu", null, default));
        Assert.Contains("--data", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder[$"run/{DistillJob.ExportName}"]));
        Assert.NotEmpty(Job().Run(copy, _folder["x.onnx"], run.Tiny.Faces.Dataset.Root, null, "cpu", null, default).Files);
        Assert.True(File.Exists(_folder["x.onnx"]));
    }

    [Fact]
    public void A_folder_that_is_no_run_is_refused() =>
        Assert.Contains("facedistill distill", Assert.Throws<FaceDistillException>(() => Job().Run(_folder.Path, null, null, null, "cpu", null, default)).Message, StringComparison.Ordinal);

    public void Dispose() => _folder.Dispose();

    private ExportJob Job() => new(new AssetFinder([], [], [], _folder["cache"]), null);
}
