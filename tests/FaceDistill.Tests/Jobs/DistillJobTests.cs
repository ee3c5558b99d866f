using System.Text;
using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Export;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Jobs;
using FaceDistill.Reports;
using FaceDistill.Runs;
using FaceDistill.Synthetic;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Losses;
using FaceDistill.Training.Options;

namespace FaceDistill.Tests.Jobs;

public sealed class DistillJobTests : IDisposable
{
    private static readonly DistillOptions Options = TinyRun.Options with
    {
        Run = TinyRun.Options.Run with { Epochs = 1, BatchSize = 8 },
        HeldOut = TinyRun.Options.HeldOut with { Part = 0 },
    };
    private readonly TempFolder _folder = new();
    private readonly string _card;

    public DistillJobTests()
    {
        SyntheticDataset.Write(_folder["faces"], new DrawnPeople(2, 8, 5), AlignmentTemplate.Dlib, AlignedFrame.Of(64, 0));
        _card = TinyTeacher.Write(_folder["teacher"]);
    }

    [Fact]
    public void A_finished_run_resumed_computes_nothing_and_changes_no_weight()
    {
        Run(Options);
        byte[] before = File.ReadAllBytes(_folder[$"run/{StudentCheckpoint.FileName}"]);
        var lines = new List<string>();
        var report = new DistillJob(Finder()).Run(Request(Options, resume: true), new JobContext(lines.Add));
        Assert.True(report.Finished);
        Assert.Equal(before, File.ReadAllBytes(_folder[$"run/{StudentCheckpoint.FileName}"]));
        Assert.Contains(lines, l => l == "the teacher's embeddings were in the cache");

        // What was exported after the training, as with thresholds, is not put back to the plain student; what was exported before its end is.
        string file = _folder[$"run/{DistillJob.ExportName}"];
        byte[] plain = File.ReadAllBytes(file);
        File.WriteAllText(file, "exported with thresholds");
        new DistillJob(Finder()).Run(Request(Options, resume: true), JobContext.None);
        Assert.Equal("exported with thresholds", File.ReadAllText(file));
        File.SetLastWriteTimeUtc(file, File.GetLastWriteTimeUtc(_folder[$"run/{StudentCheckpoint.FileName}"]).AddSeconds(-1));
        new DistillJob(Finder()).Run(Request(Options, resume: true), JobContext.None);
        Assert.Equal(plain.Length, File.ReadAllBytes(file).Length);
    }

    [Fact]
    public void A_run_is_neither_overwritten_nor_resumed_with_other_options()
    {
        var began = Run(Options).Run.Started;
        Assert.Contains("--resume", Assert.Throws<FaceDistillException>(() => Run(Options)).Message, StringComparison.Ordinal);
        string refused = Assert.Throws<FaceDistillException>(() => Run(Options with
        {
            Run = Options.Run with { Seed = 2, Epochs = 5 },
            Loss = Options.Loss with { Distance = 2.5 },
            HeldOut = Options.HeldOut with { Keep = KeepKind.Last },
        }, resume: true)).Message;
        Assert.Contains("belongs to a run with other options (loss.distance: 0 there, 2.5 here; epochs: 1 there, 5 here; keep: best there, last here; "
            + "seed: 1 there, 2 here); resume with the same ones, or choose another --output", refused, StringComparison.Ordinal);
        Assert.DoesNotContain("--init", refused, StringComparison.Ordinal);
        Assert.Contains("other options (mirror: true there, false here)", Assert.Throws<FaceDistillException>(() => Run(Options with
        {
            Targets = Options.Targets with { Mirror = false },
        }, resume: true)).Message,
            StringComparison.Ordinal);
        Assert.Equal(Options, RunInfo.Read(_folder["run"]).Options);
        Assert.Equal(began, RunInfo.Read(_folder["run"]).Started);
    }

    [Fact]
    public void A_run_cut_off_is_resumed_to_a_report()
    {
        using var cancel = new CancellationTokenSource();
        var options = Options with { Run = Options.Run with { Epochs = 2 } };
        Assert.ThrowsAny<OperationCanceledException>(() => new DistillJob(Finder())
            .Run(Request(options), new JobContext(Progress: new CancelIn("training", cancel), Cancel: cancel.Token)));
        Assert.False(File.Exists(_folder["run/report.md"]));
        Assert.True(Run(options, resume: true).Finished);
        Assert.True(File.Exists(_folder["run/report.md"]));
        Assert.Null(RunStudent.Unfinished(_folder["run"]));
    }

    [Fact]
    public void An_unfinished_run_is_told_of_wherever_its_student_is_used()
    {
        using var cancel = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => new DistillJob(Finder()).Run(Request(Options with
        {
            Run = Options.Run with { Epochs = 4 },
            HeldOut = Options.HeldOut with { Part = 0.25 }, // a best epoch, whose file says nothing of the run
        }), new JobContext(Progress: new CancelIn("training", cancel, from: 24), Cancel: cancel.Token)));
        string run = _folder["run"], warning = $"{run} is unfinished: epoch {StudentCheckpoint.Read(_folder["run/checkpoint.safetensors"]).State.Epoch} of 4";
        var lines = new List<string>();
        var job = new JobContext(lines.Add);
        new ExportJob(Finder()).Run(new ExportRequest(run, new OnnxFormat(), null) { Device = "cpu" }, job);
        Assert.Single(lines, $"warning: {warning}");
        Assert.Contains($"**Its training is unfinished: {warning[(warning.IndexOf(": ", StringComparison.Ordinal) + 2)..]}.**",
            File.ReadAllText(_folder["run/student.onnx.MODEL_CARD.md"]), StringComparison.Ordinal);
        lines.Clear();
        var result = new EvaluateJob(Finder()).Run(new EvaluateRequest(Evaluator.AllPairs, [run], DataFolder.Of(_folder["faces"]), null, "cpu"), job);
        Assert.Contains(warning, result.Warnings!);
        Assert.Single(lines, $"warning: {warning}");
        lines.Clear();
        new BenchmarkJob(Finder()).Run(new BenchmarkRequest([run], [], null, null, null, "cpu", 1, _folder["bench"]), job);
        Assert.Equal([$"warning: {warning}", $"bench: {_folder["bench/bench.html"]}"], lines);
    }

    [Fact]
    public void Excluded_pictures_never_train_cost_no_embedding_and_belong_to_the_run()
    {
        Run(Options);
        string[] listed = [.. AlignedFaces.Open(_folder["faces"]).Dataset.Images.Take(3).Select(i => i.Path)];
        File.WriteAllLines(_folder["exclude.txt"], [.. listed.Select(path => $"faces\t{path}"), "other\tx.jpg"]);
        var lines = new List<string>();
        var request = Request(Options) with { Output = _folder["less"], Data = [DataFolder.Of(_folder["faces"]) with { Exclude = _folder["exclude.txt"] }] };
        var report = new DistillJob(Finder()).Run(request, new JobContext(lines.Add));
        Assert.Equal((13, 3), (report.Run.Images, report.Run.Excluded));
        Assert.Contains(lines, l => l.StartsWith("faces: 3 of 16 faces excluded", StringComparison.Ordinal));
        Assert.Contains(lines, l => l == "the teacher's embeddings were in the cache");
        Assert.Equal(listed.Select(path => $"faces\t{path}"), File.ReadAllLines(_folder["less/excluded.txt"]));
        Assert.Equal(_folder["exclude.txt"], Recipe.Read(_folder["less/recipe.json"]).Exclude);
        var remaining = TrainingData.Open(_folder["less"], "dlib", Finder(), JobContext.None).Dataset.Images.Select(i => i.Path).ToList();
        Assert.Equal(13, remaining.Count);
        Assert.Empty(remaining.Intersect(listed));

        File.WriteAllLines(_folder["exclude.txt"], listed.Take(2).Select(path => $"faces\t{path}"));
        string refused = Assert.Throws<FaceDistillException>(() => new DistillJob(Finder()).Run(request with { Resume = true }, JobContext.None)).Message;
        Assert.Contains("left out other pictures (3, listed in", refused, StringComparison.Ordinal);
        Assert.Contains("left out other pictures (3", Assert.Throws<FaceDistillException>(
            () => new DistillJob(Finder()).Run(Request(Options, resume: true) with { Output = _folder["less"] }, JobContext.None)).Message,
                StringComparison.Ordinal);
    }

    // Without a teacher nothing but the faces' contents tells; with a projector, the refusal came after it was written anew.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_run_is_not_resumed_on_other_faces_and_a_refusal_changes_nothing(bool distilled)
    {
        var options = distilled ? Options with { Student = Options.Student with { Dimension = 4 } }
            : Options with { Loss = new LossOptions { Squared = 0, ArcFace = 1 } };
        Run(options);
        var before = Contents();
        string[] faces = [.. AlignedFaces.Open(_folder["faces"]).Dataset.Images.Select(i => Path.Combine(_folder["faces"], i.Path))];
        byte[] bytes = File.ReadAllBytes(faces[5]);
        var date = File.GetLastWriteTimeUtc(faces[5]);
        File.WriteAllBytes(faces[5], [.. bytes[..^1], (byte)~bytes[^1]]); // of the same size and date
        File.SetLastWriteTimeUtc(faces[5], date);
        Refused("of the 16 found now 15 are among them");
        File.Delete(faces[5]);
        Refused("of the 15 found now 15 are among them");
        File.WriteAllBytes(faces[5], bytes);
        File.Copy(faces[5], _folder["faces/one-more.jpg"]);
        Refused("of the 17 found now 17 are among them");
        File.Delete(_folder["faces/one-more.jpg"]);

        // The same faces under another name, with other dates, are the same.
        Directory.Move(_folder["faces"], _folder["renamed"]);
        var before3Days = DateTime.UtcNow.AddDays(-3);
        Array.ForEach(Directory.GetFiles(_folder["renamed"], "*.png", SearchOption.AllDirectories), f => File.SetLastWriteTimeUtc(f, before3Days));
        var request = Request(options, resume: true) with { Data = [DataFolder.Of(_folder["renamed"])] };
        Assert.True(new DistillJob(Finder()).Run(request, JobContext.None).Finished);

        void Refused(string expected)
        {
            string message = Assert.Throws<FaceDistillException>(() => Run(options, resume: true)).Message;
            Assert.StartsWith($"{_folder["run"]} was begun on other faces (16", message, StringComparison.Ordinal);
            Assert.Contains(expected, message, StringComparison.Ordinal);
            Assert.Equal(before, Contents());
        }
    }

    // The weights alone do not make a teacher: as faceplugin-512 was, a card is corrected to another order of colours.
    [Theory]
    [InlineData("tiny.json", "\"rgb\"", "\"bgr\"")]
    [InlineData("tiny.onnx", "", "2\u00011")] // a doc_string: another file
    public void A_run_is_not_resumed_towards_another_teacher(string file, string part, string other)
    {
        Run(Options);
        var before = Contents();
        string path = Path.Combine(Path.GetDirectoryName(_card)!, file);
        byte[] kept = File.ReadAllBytes(path);
        File.WriteAllBytes(path, part.Length == 0 ? [.. kept, .. Encoding.ASCII.GetBytes(other)]
            : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(kept).Replace(part, other, StringComparison.Ordinal)));
        string message = Assert.Throws<FaceDistillException>(() => Run(Options, resume: true)).Message;
        Assert.StartsWith($"{_folder["run"]} was begun with another teacher than this tiny", message, StringComparison.Ordinal);
        Assert.Equal(before, Contents());
        File.WriteAllBytes(path, kept);
        Assert.True(Run(Options, resume: true).Finished);
    }

    [Fact]
    public void A_run_goes_on_with_the_projector_and_the_scaling_that_it_began_with()
    {
        var options = Options with { Student = Options.Student with { Dimension = 4 }, Run = Options.Run with { Epochs = 2 } };
        using var cancel = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => new DistillJob(Finder())
            .Run(Request(options), new JobContext(Progress: new CancelIn("training", cancel), Cancel: cancel.Token)));
        byte[] projector = File.ReadAllBytes(_folder[$"run/{Projector.FileName}"]);
        File.Delete(_folder[$"run/{Projector.FileName}"]);
        Assert.Contains(Projector.FileName, Assert.Throws<FaceDistillException>(() => Run(options, resume: true)).Message, StringComparison.Ordinal);
        File.WriteAllBytes(_folder[$"run/{Projector.FileName}"], projector);
        Assert.True(Run(options, resume: true).Finished);
        Assert.Equal(projector, File.ReadAllBytes(_folder[$"run/{Projector.FileName}"]));
    }

    [Fact]
    public void Resuming_where_there_is_nothing_begins()
    {
        Assert.True(Run(Options with { Targets = Options.Targets with { Mirror = false } }, resume: true).Finished);
        Assert.False(StudentCheckpoint.Read(_folder[$"run/{StudentCheckpoint.FileName}"]).Options.Targets.Mirror);
    }

    [Theory]
    [InlineData(0.25)] // measured on held-out faces
    [InlineData(0)]    // on training faces
    public void A_dead_student_is_refused_and_its_checkpoint_kept(double validation)
    {
        var options = Options with { Run = Options.Run with { BatchSize = 4 }, HeldOut = Options.HeldOut with { Part = validation } };
        Run(options);
        File.Delete(_folder["run/student.onnx"]);
        DeadStudent.Make(_folder["run"]);
        byte[] before = File.ReadAllBytes(_folder[$"run/{StudentCheckpoint.FileName}"]);
        string message = Assert.Throws<FaceDistillException>(() => Run(options, resume: true)).Message;
        Assert.Contains(validation > 0 ? "gives 4 faces nearly the same embedding" : "gives 16 faces nearly the same embedding", message,
            StringComparison.Ordinal);
        Assert.Contains("the teacher's on the same faces", message, StringComparison.Ordinal);
        Assert.Contains("--learning-rate", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        Assert.False(File.Exists(_folder["run/student.onnx"]));
        Assert.Equal(before, File.ReadAllBytes(_folder[$"run/{StudentCheckpoint.FileName}"]));
        // It goes on from there.
        new DistillJob(Finder()).Run(Request(options with
        {
            Student = options.Student with { Init = _folder["run"] },
            Run = options.Run with { Epochs = 4 },
        }) with { Output = _folder["more"] }, JobContext.None);
        Assert.True(File.Exists(_folder["more/student.onnx"]));
    }

    // Case 15: a small folder, few steps, the default recipe; the export was 'verified' and every face had the same embedding.
    [Fact]
    public void A_small_folder_with_the_default_recipe_gives_a_student_that_tells_faces_apart()
    {
        SyntheticDataset.Write(_folder["small"], new DrawnPeople(6, 24, 5), AlignmentTemplate.Dlib, AlignedFrame.Of(96, 0));
        var options = new DistillOptions
        {
            Student = new StudentOptions { Name = "mobilenet-v1:0.5@96" },
            Run = new TrainingRunOptions { Epochs = 2, Precision = PrecisionMode.Fp32, Device = "cpu" },
        }; // 2 steps an epoch
        new DistillJob(Finder()).Run(Request(options) with { Data = [DataFolder.Of(_folder["small"])] }, JobContext.None);
        var eight = new ExportJob(Finder())
            .Run(new ExportRequest(_folder["run"], new OnnxInt8Format(), null) { Device = "cpu", MinCosine = 0.3 }, JobContext.None); // of 4 steps: 0.47
        Assert.False(eight.Spread!.IsDead);
        Assert.False(eight.FileSpread!.IsDead);
        var result = new EvaluateJob(Finder()).Run(
            new EvaluateRequest(Evaluator.AllPairs, [_folder["run"], _folder["run/student.onnx"], _folder["run/student.int8.onnx"]],
                DataFolder.Of(_folder["small"]), null, "cpu"), JobContext.None);
        Assert.DoesNotContain(result.Warnings ?? [], w => w.Contains("nearly the same embedding", StringComparison.Ordinal));
    }

    public void Dispose() => _folder.Dispose();

    private SortedDictionary<string, string> Contents() => new(Directory.GetFiles(_folder["run"], "*", SearchOption.AllDirectories)
        .ToDictionary(p => p, FileHash.Sha256), StringComparer.Ordinal);

    private RunReportData Run(DistillOptions options, bool resume = false) => new DistillJob(Finder()).Run(Request(options, resume), JobContext.None);

    private DistillRequest Request(DistillOptions options, bool resume = false) =>
        new(_card, [DataFolder.Of(_folder["faces"])], null, options, _folder["run"], resume);

    private AssetFinder Finder() => new([], [], _folder["cache"]);

    private sealed class CancelIn(string stage, CancellationTokenSource cancel, long from = 0) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value)
        {
            if (value.Stage == stage && value.Done >= from)
            {
                cancel.Cancel();
            }
        }
    }
}
