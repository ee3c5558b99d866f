using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Export;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Jobs;
using FaceDistill.Kernels;
using FaceDistill.Runs;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Options;
using FaceDistill.Training.Starts;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Training.Starts;

public sealed class ExportedStudentTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly AssetFinder _finder = new([], [], CacheFolder.Root);

    public static TheoryData<string, HeadKind, double> Formats => new()
    {
        { "onnx", HeadKind.Gap, 1e-4 }, { "onnx-fp16", HeadKind.Gap, 0.05 }, { "onnx-int8", HeadKind.Gap, 0.5 },
        { "onnx", HeadKind.Gdc, 1e-4 }, { "onnx-fp16", HeadKind.Gdc, 0.05 },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_student_made_of_its_file_gives_the_runs_embeddings_and_its_norms_have_the_moments_of_the_faces(
        string format, HeadKind head, double most)
    {
        string folder = head == HeadKind.Gap ? run.Folder : OfHead(head);
        var exported = ExportedStudent.Read(Export(format, folder));
        Assert.Equal(head, exported.Architecture.Head);
        var faces = new StartFaces(run.Tiny.Training(), RunStudent.Open(folder).Description.Contract with { Size = 96 }, seed: 1); // another resolution
        using var start = StudentStart.Of(exported, faces);
        var checkpoint = RunStudent.Open(folder);
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
            HeldOut = TinyRun.Options.HeldOut with { People = 4 },
        };
        new DistillJob(new AssetFinder([], [], _folder["cache"])).Run(
            new DistillRequest(TinyTeacher.Write(_folder["teacher"]), [DataFolder.Of(run.Tiny.Faces.Dataset.Root)], null, options, output, false),
            new JobContext(said.Add));
        Assert.Contains(said, s => s.StartsWith($"weights of mobilenet-v1:0.25@64 from {file}, with its embedding layer", StringComparison.Ordinal));
        var origin = Assert.Single(RunStudent.Open(output).Origins);
        Assert.Equal(("mobilenet-v1:0.25@64", StudentOrigin.Student, file), (origin.Name, origin.Kind, origin.Source));
        Assert.True(TrainedFaces.Read(output)!.IsPartial, "the faces of the file's own training are unknown, and the list does not say so");
        Assert.Equal(FileHash.Sha256(file), RunInfo.Read(output).StartHash);
        Assert.Equal(Path.GetFileName(file), Assert.Single(ExportedStudent.Read(Export("onnx", output)).Origins.Skip(1)).Source);
        foreach (string source in new[] { file, output }) // the run that began with the file knows no more of it
        {
            using var trainer = run.Tiny.Trainer(_folder["other"], options);
            new DistillStart(_finder).Begin(trainer, source, run.Tiny.Training(people: 4), measured: true, new JobContext(said.Add));
            Assert.StartsWith($"warning: whom the run of {source}, or one before it, held out is not known", said[^1], StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_run_goes_on_only_with_the_start_that_it_began_with_wherever_that_lies_now()
    {
        string file = Export("onnx"), half = Export("onnx-fp16"), begun = run.CopyTo(_folder["begun"]), moved = _folder["moved.onnx"];
        File.Copy(file, moved);
        var options = TrainedRun.Options with { Student = TrainedRun.Options.Student with { Init = file } };
        (RunInfo.Read(begun) with { Options = options, StartHash = FileHash.Sha256(file) }).Write(begun);
        DistillOptions With(string? init) => options with { Student = options.Student with { Init = init } };
        var start = new DistillStart(_finder);
        string Refused(string init) => Assert.Throws<FaceDistillException>(() => start.Required(With(init), begun)).Message;

        Assert.Equal(file, start.Required(With(moved), begun).Student.Init); // its checkpoint goes on with what it began with
        Assert.Null(start.Required(With(null), begun).Student.Init);
        Assert.Equal($"{begun} holds a student that started from {file}, not from {half}; resume without --init, or choose another --output", Refused(half));
        Assert.Contains($"not from {_folder["none.onnx"]}, which is not there; resume", Refused(_folder["none.onnx"]), StringComparison.Ordinal);
        Assert.Contains("not from faceres;", Refused("faceres"), StringComparison.Ordinal);
        Assert.Contains($"not from {run.Folder};", Refused(run.Folder), StringComparison.Ordinal);
        File.Copy(half, file, overwrite: true);
        Assert.Contains($"started from other contents of {file} (SHA-256 ",
            Assert.Throws<FaceDistillException>(() => DistillStart.RequireSame(begun, file, "")).Message, StringComparison.Ordinal);
        File.Delete(file);
        Assert.Equal(file, start.Required(options, begun).Student.Init); // --resume alone, the start being gone

        (RunInfo.Read(begun) with { Options = With(run.Folder), StartHash = null }).Write(begun);
        Assert.Equal(run.Folder, start.Required(With(Path.Combine(run.Folder, StudentCheckpoint.FileName)), begun).Student.Init);
        Assert.Contains($"started from {run.Folder}, not from {moved};", Refused(moved), StringComparison.Ordinal);
        Assert.Contains("not from elsewhere;", Refused("elsewhere"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_where_the_file_lies_is_not_taken_for_its_run()
    {
        string other = run.CopyTo(_folder["another"]), file = Path.Combine(other, "start.onnx"); // whose list is of other faces, for all that is known
        File.Copy(Export("onnx"), file);
        File.Copy(_folder["onnx.onnx.card.json"], file + ".card.json");
        string output = _folder["list"];
        TrainedFaces.Write(output, run.Tiny.Faces, DistillStart.ListOf(file));
        Assert.True(TrainedFaces.Read(output)!.IsPartial);
        using var start = StudentStart.Of(ExportedStudent.Read(file), new StartFaces(run.Tiny.Training(), run.Checkpoint.Description.Contract, seed: 1));
        Assert.Null(start.Folder);
        Assert.Equal(other, DistillStart.ListOf(other));
        Assert.Equal(other, DistillStart.ListOf(Path.Combine(other, StudentCheckpoint.FileName)));
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
        Assert.Contains("it is not the student that its card says", Refused(file), StringComparison.Ordinal);
        foreach (var (key, own, said) in new[] { ("facedistill.head", "\"head\": \"gap\"", "\"head\": \"gdc\""),
            ("facedistill.student", student, student.Replace("@64", "@96", StringComparison.Ordinal)),
            ("teacher_sha256", $"\"teacherSha256\": \"{run.Tiny.Teacher.Hash}\"", "\"teacherSha256\": \"00\"") })
        {
            Assert.Contains(own, card, StringComparison.Ordinal);
            File.WriteAllText(file + ".card.json", card.Replace(own, said, StringComparison.Ordinal));
            Assert.StartsWith($"{file} says {key} = ", Refused(file), StringComparison.Ordinal);
        }

        File.WriteAllText(file + ".card.json", card.Replace("\"origins\": []", "\"origins\": [null]", StringComparison.Ordinal));
        Assert.Contains("is no card that 'export' wrote: 'origins' holds nothing for one; bring back", Refused(file), StringComparison.Ordinal);
        File.WriteAllText(file + ".card.json", card.Replace("\"teacherSha256\"", "\"teacherHash\"", StringComparison.Ordinal));
        Assert.EndsWith("is no card that 'export' wrote: 'teacherSha256' is missing; bring back the two that 'export' wrote together", Refused(file),
            StringComparison.Ordinal);

        File.WriteAllText(file + ".card.json", card[..^200]);
        Assert.EndsWith("bring back the two that 'export' wrote together", Refused(file), StringComparison.Ordinal);
        File.WriteAllText(file + ".card.json", card.Replace($"\"dimension\": {run.Tiny.Teacher.Dimension}", "\"dimension\": \"64\"", StringComparison.Ordinal));
        Assert.Contains("'dimension' is not what it should be", Refused(file), StringComparison.Ordinal);
        string network = Path.Combine(Path.GetDirectoryName(TinyTeacher.Write(_folder["network"]))!, "tiny.onnx");
        Assert.Contains("is no student that 'export' wrote", Refused(network), StringComparison.Ordinal);

        File.WriteAllText(file + ".card.json", card);
        Assert.Contains("a start is a run folder, a checkpoint of one (.safetensors), an exported .onnx file", Assert.Throws<FaceDistillException>(() =>
            new DistillStart(_finder).Require(TinyRun.Options.Student with { Init = file + ".card.json" })).Message, StringComparison.Ordinal);
        var wider = TinyRun.Options.Student with { Name = "mobilenet-v1:0.5@64", Init = file };
        Assert.Equal($"{file} is mobilenet-v1:0.25@64, narrower than mobilenet-v1:0.5@64; a start has the same or a greater width",
            Assert.Throws<FaceDistillException>(() => new DistillStart(_finder).Require(wider)).Message);
        Assert.Contains("there is no such run folder, checkpoint, exported .onnx file",
            Assert.Throws<FaceDistillException>(() => new DistillStart(_finder).Require(wider with { Init = _folder["none.onnx"] })).Message,
            StringComparison.Ordinal);
    }

    // A run of the other head; what it has learned does not matter.
    private string OfHead(HeadKind head)
    {
        var options = TrainedRun.Options with
        {
            Student = TrainedRun.Options.Student with { Head = head }, Run = TrainedRun.Options.Run with { Epochs = 1 },
        };
        using var trainer = run.Tiny.Trainer(_folder["head"], options);
        trainer.Run(JobContext.None);
        (run.Info with { Options = options }).Write(_folder["head"]);
        TrainedFaces.Write(_folder["head"], run.Tiny.Faces);
        return _folder["head"];
    }

    private string Export(string format, string? folder = null)
    {
        string file = _folder[format + ".onnx"];
        new ExportJob(_finder).Run(
            new ExportRequest(folder ?? run.Folder, ExportFormat.All.Single(f => f.Name == format), file) { Device = "cpu", MinCosine = 0.5 }, JobContext.None);
        return file;
    }
}
