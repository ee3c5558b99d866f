using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Export;
using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Jobs;
using FaceDistill.Stores;
using FaceDistill.Students;
using FaceDistill.Synthetic;
using FaceDistill.Teachers;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Losses;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;
using FaceDistill.Views;

namespace FaceDistill.Tests.Jobs;

/// <summary>Students that do not simply take over the teacher's embedding: shorter ones, and ones without a teacher.</summary>
public sealed class DistillTargetsTests : IDisposable
{
    private static readonly DistillOptions Options = TinyRun.Options with
    {
        Run = TinyRun.Options.Run with { Epochs = 1, BatchSize = 8 },
        HeldOut = TinyRun.Options.HeldOut with { Part = 0.2 },
    };
    private readonly TempFolder _folder = new();
    private readonly List<string> _lines = [];
    private readonly string _card;

    public DistillTargetsTests()
    {
        SyntheticDataset.Write(_folder["faces"], new DrawnPeople(3, 8, 5), AlignmentTemplate.Dlib, AlignedFrame.Of(80, 0.1));
        _card = TinyTeacher.Write(_folder["teacher"]);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_shorter_embedding_learns_the_teachers_principal_axes_cached_and_live()
    {
        Run("cached", Options with
        {
            Student = Options.Student with { Dimension = 4 },
            Targets = Options.Targets with { Augment = new AugmentOptions(), Views = 1 },
            HeldOut = Options.HeldOut with { Part = 0 },
        });
        Run("live", Options with
        {
            Student = Options.Student with { Dimension = 4 },
            Targets = Options.Targets with { Augment = new AugmentOptions(), Mode = TargetMode.Live },
            HeldOut = Options.HeldOut with { Part = 0 },
        });
        Assert.Contains(_lines, l => l.StartsWith("projector 16 to 4: keeps 9", StringComparison.Ordinal));

        using var teacher = TeacherCard.Open(_card, Finder());
        var set = new FaceEmbeddings(teacher, AlignedFaces.Open(_folder["faces"])).Of(FaceView.Original, JobContext.None);
        var projector = Projector.Fit(set, [.. Enumerable.Range(0, set.Count)], 4);
        Assert.Equal(projector.Matrix, SafetensorsFile.Read(_folder[$"cached/{Projector.FileName}"]).Tensors["projection"].Floats());
        var projected = new ProjectedRows(set, projector);
        foreach (string run in new[] { "cached", "live" })
        {
            var student = RunStudent.Open(_folder[run]);
            Assert.Equal(4, student.Description.Dimension);
            // Targets are centred on the faces' projected mean.
            Assert.All(Enumerable.Range(0, 4),
                d => Assert.Equal(Enumerable.Range(0, set.Count).Average(i => Row(projected, i)[d]), student.Scaling.Mean[d], 1e-4));
        }
    }

    [Fact]
    public void The_axes_are_those_of_the_faces_that_train()
    {
        Run("run", Options with { Student = Options.Student with { Dimension = 4 }, HeldOut = Options.HeldOut with { Part = 0.5 } });
        using var teacher = TeacherCard.Open(_card, Finder());
        var faces = AlignedFaces.Open(_folder["faces"]);
        var set = new FaceEmbeddings(teacher, faces).Of(FaceView.Original, JobContext.None);
        int[] training = new TrainingFaces(faces, set, null, 0.5, Options.Run.Seed).Training;
        float[] made = SafetensorsFile.Read(_folder[$"run/{Projector.FileName}"]).Tensors["projection"].Floats();
        Assert.Equal(Projector.Fit(set, training, 4).Matrix, made);
        Assert.NotEqual(Projector.Fit(set, [.. Enumerable.Range(0, set.Count)], 4).Matrix, made);

        // Other faces have other axes: what starts from it is told.
        var further = Options with { Student = Options.Student with { Dimension = 4, Init = _folder["run"] }, HeldOut = Options.HeldOut with { Part = 0.5 } };
        Run("same", further);
        Assert.Contains(_lines, l => l.EndsWith("with its embedding layer", StringComparison.Ordinal));
        Run("other", further with { Run = Options.Run with { Seed = 2 } });
        Assert.Contains(_lines, l => l.Contains("with its embedding layer, turned to other axes, embedding layer fitted on", StringComparison.Ordinal));
    }

    [Fact]
    public void Live_targets_are_those_of_the_projected_teacher()
    {
        using var teacher = TeacherCard.Open(_card, Finder());
        var set = new FaceEmbeddings(teacher, AlignedFaces.Open(_folder["faces"])).Of(FaceView.Original, JobContext.None);
        var projector = Projector.Fit(set, [.. Enumerable.Range(0, set.Count)], 4);
        using var projected = new ProjectedTeacher(teacher, projector);
        var input = new float[teacher.Contract.Values];
        using var picture = AlignedFaces.Open(_folder["faces"]).ReadView(3, teacher.Contract.Size);
        FaceTensor.Fill(picture, teacher.Contract, input);
        var embedding = new float[4];
        projected.Embed(input, 1, embedding);
        Assert.Equal(Row(new ProjectedRows(set, projector), 3), embedding);
        Assert.Equal((4, teacher.Name, teacher.Hash), (projected.Dimension, projected.Name, projected.Hash));
    }

    [Fact]
    public void A_projection_is_the_same_to_the_last_bit_wherever_the_embedding_lies()
    {
        var random = new Random(1);
        float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 0.5f)];
        var projector = new Projector(Numbers(8 * 131), 131, 8, 1);
        float[] embedding = Numbers(131), first = new float[8];
        projector.Apply(embedding, first);
        for (int i = 0; i < 64; i++)
        {
            var (moved, again) = (new float[131 + i], new float[8]);
            embedding.CopyTo(moved, i);
            projector.Apply(moved.AsSpan(i), again);
            Assert.Equal(first, again);
        }
    }

    [Fact]
    public void A_longer_embedding_than_the_teachers_is_refused() =>
        Assert.Contains("--dimension 17", Assert.Throws<FaceDistillException>(() => Run("run", Options with
        {
            Student = Options.Student with { Dimension = 17 },
        })).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Without_a_teacher_identities_decide_and_nothing_of_the_teacher_is_in_the_student()
    {
        var report = Run("run", Options with
        {
            Loss = new LossOptions { Squared = 0, ArcFace = 1 },
            Run = Options.Run with { Epochs = 6 },
            Targets = Options.Targets with { Augment = new AugmentOptions(), Views = 2 },
        });
        var student = RunStudent.Open(_folder["run"]);
        Assert.Equal((StudentDescription.NoTeacher, ""), (student.Description.Teacher, student.Description.TeacherHash));
        Assert.All(student.Scaling.Mean, m => Assert.Equal(0, m));
        Assert.Equal(1, student.Scaling.Scale);
        Assert.True(report.Epochs[^1].Loss < report.Epochs[0].Loss, $"{report.Epochs[0].Loss} to {report.Epochs[^1].Loss}");
        Assert.Null(report.Epochs[^1].ValidationLoss);
        Assert.Contains(_lines, l => l.Contains("without a teacher", StringComparison.Ordinal));
        Assert.DoesNotContain(_lines, l => l.Contains("embeddings", StringComparison.Ordinal));
        string markdown = File.ReadAllText(_folder["run/report.md"]), page = File.ReadAllText(_folder["run/report.html"]);
        Assert.Contains("without a teacher", markdown, StringComparison.Ordinal);
        Assert.DoesNotContain("variance of the teacher", markdown, StringComparison.Ordinal);
        Assert.Contains("0.0 % held out", markdown, StringComparison.Ordinal);
        Assert.Contains(", 0% held out", page, StringComparison.Ordinal);
        new ExportJob(Finder()).Run(new ExportRequest(_folder["run"], new OnnxFormat(), null) { Device = "cpu" }, JobContext.None);
        string card = File.ReadAllText(_folder["run/student.onnx.MODEL_CARD.md"]);
        Assert.Contains("trained by identities alone", card, StringComparison.Ordinal);
        Assert.DoesNotContain("knowledge-distillation", card, StringComparison.Ordinal);
        Assert.Contains("faces, 0% held out", card, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TargetMode.Live)]
    [InlineData(TargetMode.Cached)]
    public void Of_augmented_views_the_teacher_does_not_embed_each_face_mirrored_too(TargetMode mode)
    {
        var frame = AlignedFrame.Of(83, 0.1); // of no other test, so that nothing is in the cache
        Directory.Delete(_folder["faces"], recursive: true);
        SyntheticDataset.Write(_folder["faces"], new DrawnPeople(3, 8, 5), AlignmentTemplate.Dlib, frame);
        Run("run", Options with { Targets = Options.Targets with { Mirror = true, Augment = new AugmentOptions(), Mode = mode, Views = 1 } });
        using var teacher = TeacherCard.Open(_card, Finder());
        Assert.True(Directory.Exists(new EmbeddingCache(teacher, frame, "original").Folder));
        Assert.False(Directory.Exists(new EmbeddingCache(teacher, frame, "mirrored").Folder));
    }

    [Fact]
    public void Targets_that_are_spoilt_while_they_train_are_one_clear_error_and_the_run_goes_on_to_the_same_student()
    {
        var options = Options with { Run = Options.Run with { Epochs = 3, PictureMemory = 0 } };
        Run("whole", options);
        using var teacher = TeacherCard.Open(_card, Finder());
        string view = new EmbeddingCache(teacher, AlignedFaces.Open(_folder["faces"]).Manifest.Frame, "mirrored").Folder;
        string part = Assert.Single(Directory.GetFiles(view, "*.emb"));
        byte[] bytes = File.ReadAllBytes(part);
        var heard = new Heard(p => Spoil(p, part));
        var e = Assert.Throws<FaceDistillException>(() => new DistillJob(Finder()).Run(
            new DistillRequest(_card, [DataFolder.Of(_folder["faces"])], null, options, _folder["run"], false), new JobContext(_lines.Add, heard)));
        Assert.StartsWith($"{part}, which holds embeddings, was changed or deleted while they were read", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);

        _lines.Clear();
        new DistillJob(Finder()).Run(
            new DistillRequest(_card, [DataFolder.Of(_folder["faces"])], null, options, _folder["run"], true), new JobContext(_lines.Add));
        Assert.Contains(_lines, l => l.Contains("are in the cache now", StringComparison.Ordinal));
        Assert.Equal(bytes, File.ReadAllBytes(part));
        Assert.Equal(Weights("whole"), Weights("run"));
    }

    private static void Spoil(WorkProgress progress, string part)
    {
        if (progress.Stage == "training" && progress.Done == 24)
        {
            using var file = new FileStream(part, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            file.SetLength(file.Length / 2);
        }
    }

    private float[] Weights(string run) =>
        [.. SafetensorsFile.Read(_folder[$"{run}/{StudentCheckpoint.FileName}"]).Tensors.Where(t => t.Value.Type == "F32" && !t.Key.StartsWith("ema.",
            StringComparison.Ordinal)).OrderBy(t => t.Key, StringComparer.Ordinal).SelectMany(t => t.Value.Floats())];

    private sealed class Heard(Action<WorkProgress> hear) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => hear(value);
    }

    [Fact]
    public void Patience_needs_held_out_faces_though_the_faces_are_few()
    {
        var options = Options with { HeldOut = Options.HeldOut with { Part = 0.02, Patience = 1 } }; // of 24 none
        string message = Assert.Throws<FaceDistillException>(() => Run("run", options)).Message;
        Assert.Contains("--patience needs held-out faces or people, and of 24 faces none is held out; raise --validation", message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["run"])); // before anything is embedded
        Assert.Equal(1, Run("one", options with { HeldOut = options.HeldOut with { Part = 0.03 } }).Best!.Epoch);
    }

    [Fact]
    public void ArcFace_beside_the_teacher_needs_people()
    {
        Run("run", Options with { Loss = new LossOptions { ArcFace = 0.01 } });
        Assert.Equal(3, SafetensorsFile.Read(_folder[$"run/{StudentCheckpoint.FileName}"]).Tensors["loss.class_centres"].Shape[0]);
        foreach (var kind in Enum.GetValues<OptimizerKind>()) // each of which moves the people's centres
        {
            float[][] centres = [.. new[] { 1, 2 }.Select(epochs =>
            {
                Run($"{kind}-{epochs}", Options with
                {
                    Loss = new LossOptions { ArcFace = 0.01 },
                    Optimizer = Options.Optimizer with { Kind = kind },
                    Run = Options.Run with { Epochs = epochs },
                });
                return SafetensorsFile.Read(_folder[$"{kind}-{epochs}/{StudentCheckpoint.FileName}"]).Tensors["loss.class_centres"].Floats();
            })];
            Assert.NotEqual(centres[0], centres[1]);
        }


        Directory.Move(_folder["faces"], _folder["people"]);
        SyntheticDataset.Write(_folder["faces"], new DrawnPeople(1, 24, 5), AlignmentTemplate.Dlib, AlignedFrame.Of(80, 0.1));
        var e = Assert.Throws<FaceDistillException>(() => Run("one", Options with { Loss = new LossOptions { ArcFace = 0.01 } }));
        Assert.Contains("at least two known people", e.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder["one"])); // before anything is embedded
    }

    private FaceDistill.Reports.RunReportData Run(string output, DistillOptions options) =>
        new DistillJob(Finder())
            .Run(new DistillRequest(_card, [DataFolder.Of(_folder["faces"])], null, options, _folder[output], false), new JobContext(_lines.Add));

    private static float[] Row(ProjectedRows rows, int index)
    {
        var row = new float[rows.Dimension];
        rows.Read(index, row);
        return row;
    }

    private AssetFinder Finder() => new([], [], _folder["cache"]);
}
