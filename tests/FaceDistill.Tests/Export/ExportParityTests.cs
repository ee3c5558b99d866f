using FaceDistill.Embeddings;
using FaceDistill.Export;
using FaceDistill.Export.Graphs;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Runs;
using FaceDistill.Stores;
using FaceDistill.Students;
using FaceDistill.Training.Checkpoints;

namespace FaceDistill.Tests.Export;

public sealed class ExportParityTests(TinyRun tiny) : IClassFixture<TinyRun>
{
    [Theory]
    [InlineData("mobilenet-v1:0.25@64", HeadKind.Gap)]
    [InlineData("mobilenet-v1:0.25@64", HeadKind.Gdc)]
    [InlineData("mobilenet-v1:0.33@96", HeadKind.Gdc)]
    [InlineData("mobilenet-v1:0.25@112", HeadKind.Gdc)]
    [InlineData("mobilenet-v1-conv:0.1@64", HeadKind.Gdc)]
    [InlineData("mobilenet-v1-shallow:0.25@64", HeadKind.Gdc)]
    public void Every_format_gives_torchs_embeddings(string student, HeadKind head)
    {
        using var folder = new TempFolder();
        var checkpoint = RandomStudent.Write(folder["checkpoint"], student, head);
        // an untrained network swallows its pictures' differences: 8 bits need a trained one
        foreach (var format in ExportFormat.All.Where(f => !f.IsCalibrated))
        {
            foreach (var ends in format.HasProcessing ? [new(), new(true, false), new(true, true)] : new GraphPrePostprocessing[] { new() })
            {
                var outcome = Measure(checkpoint, format, ends, folder["x" + format.Ending]);
                ExportParity.Check(outcome, format, null, "x");
                Assert.Equal(120, outcome.Faces);
                Assert.InRange(outcome.MinCosine, format.MinCosine, 1);
                Assert.InRange(outcome.CentredCosine!.Min, 0.99, outcome.CentredCosine.Mean);
            }
        }
    }

    [Theory]
    [InlineData("mobilenet-v1:0.25@64")]
    [InlineData("mobilenet-v1-conv:0.1@80")]
    [InlineData("mobilenet-v1-shallow:0.25@64")]
    public void Eight_bits_keep_a_trained_students_embeddings(string student)
    {
        using var folder = new TempFolder();
        var checkpoint = Train(folder.Path, student, HeadKind.Gap, epochs: 25);
        foreach (var format in ExportFormat.All.Where(f => f.IsCalibrated))
        {
            foreach (var ends in new GraphPrePostprocessing[] { new(), new(true, true) })
            {
                var outcome = Measure(checkpoint, format, ends, folder["x" + format.Ending]);
                ExportParity.Check(outcome, format, null, "x");
                Assert.InRange(outcome.CentredCosine!.Mean, 0.95, 1); // 0 by chance
            }
        }
    }

    [Fact]
    public void Another_students_file_is_refused()
    {
        using var folder = new TempFolder();
        var one = RandomStudent.Write(folder["one"], "mobilenet-v1:0.25@64", HeadKind.Gap);
        var other = RandomStudent.Write(folder["other"], "mobilenet-v1:0.25@64", HeadKind.Gdc);
        new OnnxFormat().Prepare(Context(other, new())).Write(folder["other.onnx"], []);
        using var exported = ModelArgument.OpenExported(folder["other.onnx"], "cpu");
        var outcome = ExportParity.Measure(Context(one, new()), exported, "cpu");
        Refused("differ from TorchSharp's by", () => ExportParity.Check(outcome, new OnnxFormat(), null, "x.onnx"));
        Refused("--min-cosine", () => ExportParity.Check(outcome, new OnnxHalfFormat(), null, "x.onnx"));
        Refused("--min-cosine", () => ExportParity.Check(outcome with { MinCosine = double.NaN }, new OnnxHalfFormat(), null, "x.onnx"));
        Refused("less the mean that all embeddings share", () => ExportParity.Check(outcome, new OnnxHalfFormat(), outcome.MinCosine, "x.onnx"));
    }

    [Fact]
    public void A_file_that_gives_every_face_the_same_embedding_is_refused_though_it_is_near()
    {
        using var folder = new TempFolder();
        var student = RandomStudent.Write(folder["student"], "mobilenet-v1:0.25@64", HeadKind.Gap);
        using var constant = new Constant(student);
        var outcome = ExportParity.Measure(Context(student, new()), constant, "cpu");
        Assert.False(outcome.Spread!.IsDead);
        Refused("x.onnx was not written: it gives 120 faces nearly the same embedding",
            () => ExportParity.Check(outcome, new OnnxInt8Format(), 1e-9, "x.onnx"));
    }

    [Fact]
    public void A_file_whose_embeddings_are_near_by_their_common_mean_alone_is_refused()
    {
        using var folder = new TempFolder();
        var student = RandomStudent.Write(folder["student"], "mobilenet-v1:0.25@64", HeadKind.Gap);
        using var noise = new Constant(student) { Noise = 0.05f };
        var outcome = ExportParity.Measure(Context(student, new()), noise, "cpu");
        Assert.False(outcome.FileSpread!.IsDead);
        Assert.InRange(outcome.MinCosine, 0.98, 1);
        foreach (var format in ExportFormat.All.Where(f => f.MaxAbsDifference is null))
        {
            Refused("less the mean that all embeddings share, the cosine of its embeddings", () => ExportParity.Check(outcome, format, 0.2, "x"));
        }
    }

    [Fact]
    public void The_file_says_what_input_it_wants_and_takes_any_batch()
    {
        using var folder = new TempFolder();
        var checkpoint = RandomStudent.Write(folder["checkpoint"], "mobilenet-v1:0.25@64", HeadKind.Gap);
        new OnnxFormat().Prepare(Context(checkpoint, new())).Write(folder["student.onnx"], [new(1e-4, 0.5f, "all-pairs", 20000)]);
        using (var session = OnnxSessions.Open(folder["student.onnx"]))
        {
            var metadata = session.ModelMetadata.CustomMetadataMap;
            Assert.Equal("64", metadata["input_size"]);
            Assert.Equal("RGB", metadata["color_order"]);
            Assert.Equal("127.5, 127.5, 127.5", metadata["mean"]);
            Assert.Equal("dlib", metadata["alignment_template"]);
            Assert.Equal("teacher", metadata["teacher"]);
            Assert.Equal("16", metadata["dimension"]);
            Assert.Equal([new StudentThreshold(1e-4, 0.5f, "all-pairs", 20000)],
                JsonFile.Parse<StudentThreshold[]>(metadata[StudentThreshold.MetadataKey], "x"));
        }

        using var model = ModelArgument.OpenExported(folder["student.onnx"], "cpu");
        Assert.Equal(checkpoint.Description.Contract.Mean, model.Contract.Mean);
        foreach (int batch in new[] { 1, 5 })
        {
            var embeddings = new float[batch * model.Dimension];
            model.Embed(new float[batch * model.Contract.Values], batch, embeddings);
            Assert.All(embeddings, v => Assert.True(float.IsFinite(v)));
        }
    }

    [Fact]
    public void Students_embed_in_the_teachers_own_space()
    {
        using var folder = new TempFolder();
        Train(folder.Path, "mobilenet-v1:0.25@64", HeadKind.Gdc, epochs: 50);
        using var student = ModelArgument.Open(folder.Path, new FaceDistill.Assets.AssetFinder([], [], folder["cache"]), "cpu");
        float[] own = new FaceEmbeddings(student, tiny.Faces).Of(FaceDistill.Views.FaceView.Original, JobContext.None).Values[..(40 * 16)];
        var teacher = tiny.Read("original");
        double error = own.Select((v, i) => Math.Pow(v - teacher.Values[i], 2)).Average();
        double[] mean = [.. Enumerable.Range(0, 16).Select(d => Enumerable.Range(0, 40).Average(i => teacher.Row(i)[d]))];
        double spread = Enumerable.Range(0, 40 * 16).Average(i => Math.Pow(teacher.Values[i] - mean[i % 16], 2));
        Assert.True(error < 0.3 * spread, $"error {error}, spread {spread}");
    }

    /// <summary>Gives every face the teacher's mean, with noise where asked for.</summary>
    private sealed class Constant(StudentCheckpoint student) : IEmbedder
    {
        private readonly Random _random = new(1);

        public float Noise { get; init; }

        public string Name => "constant";

        public string Hash => "";

        public FaceDistill.Faces.ModelInputSpec Contract => student.Description.Contract;

        public int Dimension => student.Description.Dimension;

        public void Embed(float[] faces, int count, Span<float> embeddings)
        {
            for (int i = 0; i < count; i++)
            {
                float[] row = [.. student.Scaling.Mean.Select(m => m + (Noise * ((2 * _random.NextSingle()) - 1)))];
                row.CopyTo(embeddings[(i * Dimension)..]);
            }
        }

        public void Dispose()
        {
        }
    }

    private static void Refused(string expected, Action action) =>
        Assert.Contains(expected, Assert.Throws<FaceDistillException>(action).Message, StringComparison.Ordinal);

    private StudentCheckpoint Train(string folder, string student, HeadKind head, int epochs = 1)
    {
        using var trainer = tiny.Trainer(folder, TinyRun.Options with
        {
            Student = TinyRun.Options.Student with { Name = student, Head = head },
            Run = TinyRun.Options.Run with { Epochs = epochs },
        });
        trainer.Run(JobContext.None);
        return StudentCheckpoint.Read(Path.Combine(folder, StudentCheckpoint.FileName));
    }

    private ExportContext Context(StudentCheckpoint checkpoint, GraphPrePostprocessing ends) => new(checkpoint, ends, tiny.Faces);

    private ExportOutcome Measure(StudentCheckpoint checkpoint, ExportFormat format, GraphPrePostprocessing ends, string path)
    {
        var context = Context(checkpoint, ends);
        format.Prepare(context).Write(path, []);
        using var exported = ModelArgument.OpenExported(path, "cpu");
        return ExportParity.Measure(context, exported, "cpu");
    }
}
