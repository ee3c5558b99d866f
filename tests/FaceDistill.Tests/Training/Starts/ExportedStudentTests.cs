using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Export;
using FaceDistill.Formats;
using FaceDistill.Jobs;
using FaceDistill.Kernels;
using FaceDistill.Runs;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Starts;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Training.Starts;

public sealed class ExportedStudentTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly AssetFinder _finder = new([], [], CacheFolder.Root);

    public static TheoryData<string, double> Formats => new() { { "onnx", 1e-4 }, { "onnx-fp16", 0.05 }, { "onnx-int8", 0.5 } };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_student_made_of_its_file_gives_the_runs_embeddings_and_its_norms_have_the_moments_of_the_faces(string format, double most)
    {
        var exported = ExportedStudent.Read(Export(format));
        var faces = new StartFaces(run.Tiny.Training(), RunStudent.Open(run.Folder).Description.Contract with { Size = 96 }, seed: 1); // another resolution
        using var start = StudentStart.Of(exported, faces);
        var checkpoint = RunStudent.Open(run.Folder);
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var original = checkpoint.LoadModel();
        var input = cat(faces.At(64).Inputs().Batches.ToArray());
        var wanted = (original.forward(input) * checkpoint.Scaling.Scale) + tensor(checkpoint.Scaling.Mean);
        var made = start.Model.forward(input);
        double spread = (wanted - wanted.mean([0])).square().mean().sqrt().item<float>();
        double error = (wanted - made).square().mean().sqrt().item<float>();
        Assert.InRange(error / spread, 0, most);
        start.Model.train(); // the batch's own moments: all faces are one batch
        Assert.InRange((start.Model.forward(input) - made).abs().max().item<float>() / spread, 0, 0.05);
    }

    [Fact]
    public void Distill_starts_from_it_and_says_so_in_the_run_and_in_its_exports()
    {
        string file = Export("onnx-int8"), output = _folder["next"];
        var said = new List<string>();
        var options = TinyRun.Options with
        {
            Student = TinyRun.Options.Student with { Init = file },
            Run = TinyRun.Options.Run with { Epochs = 1 },
        };
        new DistillJob(new AssetFinder([], [], _folder["cache"])).Run(
            new DistillRequest(TinyTeacher.Write(_folder["teacher"]), [DataFolder.Of(run.Tiny.Faces.Dataset.Root)], null, options, output, false),
            new JobContext(said.Add));
        Assert.Contains(said, s => s.StartsWith($"weights of mobilenet-v1:0.25@64 from {file}, with its embedding layer", StringComparison.Ordinal));
        var origin = Assert.Single(RunStudent.Open(output).Origins);
        Assert.Equal(("mobilenet-v1:0.25@64", StudentOrigin.Student, file), (origin.Name, origin.Kind, origin.Source));
        Assert.True(TrainedFaces.Read(output)!.IsPartial, "the faces of the file's own training are unknown, and the list does not say so");
        using var trainer = run.Tiny.Trainer(_folder["other"], options);
        new DistillStart(_finder).Begin(trainer, file, ["somebody"], new JobContext(said.Add));
        Assert.StartsWith($"warning: whom the run of {file} held out is not known", said[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_a_start_is_refused_by_name()
    {
        string file = Export("onnx");
        string Refused(string path) => Assert.Throws<FaceDistillException>(() => ExportedStudent.Read(path)).Message;

        File.Copy(file, _folder["alone.onnx"]);
        Assert.Contains("alone.onnx has no alone.onnx.card.json beside it", Refused(_folder["alone.onnx"]), StringComparison.Ordinal);
        File.Copy(Export("onnx-fp16"), _folder["other.onnx"]);
        File.Copy(file + ".card.json", _folder["other.onnx.card.json"]);
        Assert.Contains("is the card of another file", Refused(_folder["other.onnx"]), StringComparison.Ordinal);
        File.WriteAllBytes(_folder["cut.onnx"], File.ReadAllBytes(file)[..^2000]);
        File.Copy(file + ".card.json", _folder["cut.onnx.card.json"]);
        Assert.StartsWith(_folder["cut.onnx"], Refused(_folder["cut.onnx"]), StringComparison.Ordinal);
        string card = File.ReadAllText(file + ".card.json");
        const string student = "\"student\": \"mobilenet-v1:0.25@64\"";
        File.WriteAllText(file + ".card.json", card.Replace(student, student.Replace("0.25", "0.5", StringComparison.Ordinal), StringComparison.Ordinal));
        Assert.EndsWith("it is not the student that its card says", Refused(file), StringComparison.Ordinal);
        File.WriteAllText(file + ".card.json", card.Replace("\"teacherSha256\"", "\"teacherHash\"", StringComparison.Ordinal));
        Assert.EndsWith("is no card that 'export' wrote: 'teacherSha256' is missing", Refused(file), StringComparison.Ordinal);

        File.WriteAllText(file + ".card.json", card);
        var wider = TinyRun.Options.Student with { Name = "mobilenet-v1:0.5@64", Init = file };
        Assert.Equal($"{file} is mobilenet-v1:0.25@64, narrower than mobilenet-v1:0.5@64; a start has the same or a greater width",
            Assert.Throws<FaceDistillException>(() => new DistillStart(_finder).Require(wider)).Message);
        Assert.Contains("there is no such run folder, checkpoint, exported .onnx file",
            Assert.Throws<FaceDistillException>(() => new DistillStart(_finder).Require(wider with { Init = _folder["none.onnx"] })).Message,
            StringComparison.Ordinal);
    }

    private string Export(string format)
    {
        string file = _folder[format + ".onnx"];
        new ExportJob(_finder).Run(
            new ExportRequest(run.Folder, ExportFormat.All.Single(f => f.Name == format), file) { Device = "cpu", MinCosine = 0.5 }, JobContext.None);
        return file;
    }
}
