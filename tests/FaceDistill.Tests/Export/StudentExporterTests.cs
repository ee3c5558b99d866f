using FaceDistill.Distillation;
using FaceDistill.Export;
using FaceDistill.Students;
using FaceDistill.Teachers;
using OpenCvSharp;

namespace FaceDistill.Tests.Export;

public sealed class StudentExporterTests(TinyRun tiny) : IClassFixture<TinyRun>
{
    [Theory]
    [InlineData("mobilenet-v1:0.25@64", HeadKind.Gap)]
    [InlineData("mobilenet-v1:0.25@64", HeadKind.Gdc)]
    [InlineData("mobilenet-v1:0.33@96", HeadKind.Gdc)]
    public void Onnx_runtime_gives_torchs_embeddings(string student, HeadKind head)
    {
        using var folder = new TempFolder();
        var checkpoint = Train(folder.Path, student, head);
        var faces = Faces(checkpoint.Description.Contract.Size);
        var outcome = StudentExporter.Onnx(checkpoint, folder["student.onnx"], faces);
        Assert.InRange(outcome.MaxAbsDifference, 0, 1e-4);
        Assert.InRange(outcome.MinCosine, 0.99999, 1);
        faces.ForEach(f => f.Dispose());
    }

    [Fact]
    public void The_file_says_what_input_it_wants_and_takes_any_batch()
    {
        using var folder = new TempFolder();
        var checkpoint = Train(folder.Path, "mobilenet-v1:0.25@64", HeadKind.Gap);
        var faces = Faces(64);
        StudentExporter.Onnx(checkpoint, folder["student.onnx"], faces);
        faces.ForEach(f => f.Dispose());
        using (var session = OnnxTeacher.Open(folder["student.onnx"]))
        {
            var metadata = session.ModelMetadata.CustomMetadataMap;
            Assert.Equal("64", metadata["input_size"]);
            Assert.Equal("RGB", metadata["color_order"]);
            Assert.Equal("127.5, 127.5, 127.5", metadata["mean"]);
            Assert.Equal("dlib", metadata["alignment_template"]);
            Assert.Equal("tiny", metadata["teacher"]);
            Assert.Equal("16", metadata["dimension"]);
        }

        using var model = ModelArgument.Open(folder["student.onnx"], new FaceDistill.Assets.AssetFinder([], [], [], folder["cache"]), "cpu");
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
        Train(folder.Path, "mobilenet-v1:0.25@64", HeadKind.Gdc, epochs: 25);
        using var student = ModelArgument.Open(folder.Path, new FaceDistill.Assets.AssetFinder([], [], [], folder["cache"]), "cpu");
        float[] own = new FolderEmbedder(student, tiny.Faces).Embed(0, 40, [FaceDistill.Faces.FaceView.Original], null, default);
        var teacher = tiny.Read("original");
        double error = own.Select((v, i) => Math.Pow(v - teacher.Values[i], 2)).Average();
        double[] mean = [.. Enumerable.Range(0, 16).Select(d => Enumerable.Range(0, 40).Average(i => teacher.Row(i)[d]))];
        double spread = Enumerable.Range(0, 40 * 16).Average(i => Math.Pow(teacher.Values[i] - mean[i % 16], 2));
        Assert.True(error < 0.6 * spread, $"error {error}, spread {spread}");
    }

    [Fact]
    public void A_model_that_does_not_say_its_contract_is_refused()
    {
        using var folder = new TempFolder();
        TinyTeacher.Write(folder.Path);
        var finder = new FaceDistill.Assets.AssetFinder([], [], [], folder["cache"]);
        Assert.Contains("write a card", Assert.Throws<FaceDistillException>(() => ModelArgument.Open(folder["tiny.onnx"], finder, "cpu")).Message, StringComparison.Ordinal);
        Assert.Contains("run folder", Assert.Throws<FaceDistillException>(() => ModelArgument.Open(folder["nothing"], finder, "cpu")).Message, StringComparison.Ordinal);
    }

    private StudentCheckpoint Train(string folder, string student, HeadKind head, int epochs = 1)
    {
        using var trainer = tiny.Trainer(folder, TinyRun.Options with { Student = student, Head = head, Epochs = epochs });
        trainer.Run(null, default);
        return StudentCheckpoint.Read(Path.Combine(folder, StudentCheckpoint.FileName));
    }

    private List<Mat> Faces(int size) => [.. Enumerable.Range(0, 8).Select(i => tiny.Faces.ReadView(i, size))];
}
