using FaceDistill.Assets;
using FaceDistill.Export.Graphs;
using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Jobs;
using FaceDistill.Students;
using FaceDistill.Tests.Students;
using FaceDistill.Tests.Teachers;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Starts;
using static TorchSharp.torch;

namespace FaceDistill.Tests.Training.Starts;

public sealed class StudentStartTests(TinyRun run) : IClassFixture<TinyRun>, IDisposable
{
    private static readonly ModelInputSpec Contract = FaceTensor.StudentContract(64, "dlib");
    private readonly TempFolder _folder = new();
    private readonly AssetFinder _finder = new([], [], CacheFolder.Root);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_backbone_made_into_a_student_computes_what_it_did_with_our_padding_and_ReLU()
    {
        var tiny = new TinyBackbone(0.25, seed: 3);
        Compare(tiny, BackboneCard.Open(tiny.Write(_folder["b"]), _finder));
    }

    [NpmFact]
    public void So_does_the_shipped_one()
    {
        var paths = new ModelPull(_finder).Pull("faceres", JobContext.None);
        Assert.Equal(2, paths.Count);
        var real = TfjsWeights.Read(
            paths.Single(p => p.EndsWith(".json", StringComparison.Ordinal)), paths.Single(p => p.EndsWith(".bin", StringComparison.Ordinal)),
            "MobileNet v1 1.0");
        Compare(new TinyBackbone(1, seed: 0, real), BackboneCard.Open("faceres", _finder));
    }

    [Fact]
    public void Its_norms_have_the_moments_of_the_faces_so_that_training_begins_where_it_computes()
    {
        var tiny = new TinyBackbone(0.25, seed: 3);
        var faces = new StartFaces(run.Training(), Contract, seed: 1);
        using var start = StudentStart.Of(BackboneCard.Open(tiny.Write(_folder["b"]), _finder), faces);
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var input = cat(faces.Inputs().Batches.ToArray());
        start.Model.eval();
        var measured = start.Model.forward(input);
        start.Model.train(); // the batch's own moments: all faces are one batch
        Assert.True((start.Model.forward(input) - measured).abs().max().item<float>() < 1e-3, "the norms' moments are not those of the faces");
    }

    [Fact]
    public void A_student_from_a_student_from_a_backbone_says_both_in_its_checkpoint_and_files()
    {
        string card = new TinyBackbone(0.5, seed: 3).Write(_folder["b"]);
        var wide = TinyRun.Options with
        {
            Student = TinyRun.Options.Student with { Name = "mobilenet-v1:0.5@64" },
            Run = TinyRun.Options.Run with { Epochs = 1 },
            Optimizer = TinyRun.Options.Optimizer with { Ema = 0 },
        };
        using (var first = run.Trainer(_folder["wide"], wide))
        {
            Assert.Contains("weights of the backbone tiny-backbone", first.StartFrom(BackboneCard.Open(card, _finder)), StringComparison.Ordinal);
            first.Run(JobContext.None);
        }

        using (var second = run.Trainer(_folder["narrow"], TinyRun.Options with
        {
            Run = TinyRun.Options.Run with { Epochs = 1 },
            Optimizer = TinyRun.Options.Optimizer with { Ema = 0 },
        }))
        {
            Assert.Contains("narrowed and fitted on", second.StartFrom(RunStudent.Open(_folder["wide"])), StringComparison.Ordinal);
            second.Run(JobContext.None);
        }

        foreach (var checkpoint in new[] { StudentCheckpoint.Read(_folder["narrow/" + StudentCheckpoint.FileName]), RunStudent.Open(_folder["narrow"]) })
        {
            Assert.Equal(["mobilenet-v1:0.5@64", "tiny-backbone"], checkpoint.Origins.Select(o => o.Name));
            Assert.All(checkpoint.Origins, o => Assert.True(o.Research));
            Assert.Equal("mobilenet-v1:0.5@64 (research) from tiny-backbone (research)", StudentOrigin.Short(checkpoint.Origins));
            Assert.Equal("mobilenet-v1:0.5@64 (research) from tiny-backbone (research)", StudentOnnx.Build(checkpoint).Metadata["started_from"]);
        }

        using var scratch = run.Trainer(_folder["scratch"], TinyRun.Options with { Run = TinyRun.Options.Run with { Epochs = 1 } });
        scratch.Run(JobContext.None);
        var random = RunStudent.Open(_folder["scratch"]);
        Assert.Empty(random.Origins);
        Assert.Equal(StudentOrigin.Random, StudentOrigin.Text(random.Origins));
    }

    [Fact]
    public void A_start_is_the_same_each_time_and_a_narrower_backbone_is_refused()
    {
        var backbone = BackboneCard.Open(new TinyBackbone(0.5, seed: 3).Write(_folder["b"]), _finder);
        float[] Made()
        {
            using var trainer = run.Trainer(_folder["none"], TinyRun.Options with { Run = TinyRun.Options.Run with { Epochs = 1 } });
            trainer.StartFrom(backbone);
            return StartLayers.Values(trainer.Weights["pw13.weight"]);
        }

        Assert.Equal(Made(), Made());
        using var wide = run.Trainer(_folder["none"], TinyRun.Options with
        {
            Student = TinyRun.Options.Student with { Name = "mobilenet-v1:0.75@64" },
            Run = TinyRun.Options.Run with { Epochs = 1 },
        });
        Assert.Contains("tiny-backbone is the backbone tiny-backbone of width 0.5, narrower than mobilenet-v1:0.75@64",
            Assert.Throws<FaceDistillException>(() => wide.StartFrom(backbone)).Message, StringComparison.Ordinal);
    }

    private void Compare(TinyBackbone tiny, Backbone backbone)
    {
        var faces = new StartFaces(run.Training(), Contract, seed: 1);
        using var start = StudentStart.Of(backbone, faces);
        using var scope = NewDisposeScope();
        using var picture = run.Faces.ReadView(5, 64);
        var bytes = new byte[64 * 64 * 3];
        FaceTensor.CopyRgb(picture, bytes);
        int side = 64;
        float[] map = tiny.Forward([.. bytes.Select(b => (float)b)], ref side, ours: true);
        Assert.Equal(2, side);
        int channels = map.Length / 4;
        float[] expected = [.. Enumerable.Range(0, channels).Select(c => (map[c] + map[channels + c] + map[(2 * channels) + c] + map[(3 * channels) + c]) / 4)];
        float[] actual = StartLayers.Values(StartLayers.Features(start.Model, StudentInput.Normalize(tensor(bytes, [1, 64, 64, 3]), Contract)));
        float largest = expected.Max();
        Assert.True(largest > 0.01 && expected.Count(e => e > largest / 100) >= 16,
            $"the reference is dead, its largest value is {largest}: the comparison would see nothing");
        Assert.All(expected.Zip(actual), p => Assert.Equal(p.First, p.Second, 2e-3 * largest));
    }
}
