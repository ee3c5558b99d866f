using FaceDistill.Distillation;
using FaceDistill.Formats;

namespace FaceDistill.Tests.Distillation;

public sealed class TrainerTests(TinyRun tiny) : IClassFixture<TinyRun>
{
    [Fact]
    public void Training_explains_most_of_a_simple_teacher()
    {
        using var folder = new TempFolder();
        using var trainer = tiny.Trainer(folder.Path, TinyRun.Options with { Epochs = 25 });
        var log = trainer.Run(null, default).Log;
        Assert.Equal(25, log.Count);
        Assert.True(log[^1].Loss < 0.4, $"loss {log[^1].Loss}");
        Assert.True(log[^1].ValidationLoss < 0.6, $"validation loss {log[^1].ValidationLoss}");
        Assert.Equal(26, File.ReadAllLines(folder[TrainingLogFile.FileName]).Length);
    }

    [Theory]
    [InlineData(3)]  // in the first epoch
    [InlineData(10)] // in the second
    public void An_interrupted_and_resumed_run_equals_an_uninterrupted_one(int stopAfter)
    {
        using var whole = new TempFolder();
        using (var trainer = tiny.Trainer(whole.Path))
        {
            trainer.Run(null, default);
        }

        using var cut = new TempFolder();
        using (var trainer = tiny.Trainer(cut.Path))
        {
            using var cancel = new CancellationTokenSource();
            Assert.ThrowsAny<OperationCanceledException>(() => trainer.Run(new StopAfter(stopAfter, cancel), cancel.Token));
        }

        var checkpoint = StudentCheckpoint.Read(cut[StudentCheckpoint.FileName]);
        Assert.True(checkpoint.State.Epoch < TinyRun.Options.Epochs);
        using (var trainer = tiny.Trainer(cut.Path))
        {
            trainer.Resume(checkpoint);
            trainer.Run(null, default);
        }

        AssertSameTensors(whole[StudentCheckpoint.FileName], cut[StudentCheckpoint.FileName]);
    }

    [Fact]
    public void Resuming_with_other_options_is_refused()
    {
        using var folder = new TempFolder();
        using (var trainer = tiny.Trainer(folder.Path, TinyRun.Options with { Epochs = 1 }))
        {
            trainer.Run(null, default);
        }

        var checkpoint = StudentCheckpoint.Read(folder[StudentCheckpoint.FileName]);
        using var other = tiny.Trainer(folder.Path, TinyRun.Options with { Epochs = 1, LearningRate = 1e-3 });
        Assert.Contains("other options", Assert.Throws<FaceDistillException>(() => other.Resume(checkpoint)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_checkpoint()
    {
        using var folder = new TempFolder();
        var broken = tiny.Read("original");
        using var trainer = tiny.Trainer(folder.Path, TinyRun.Options with { Epochs = 2 });
        trainer.Run(null, default);
        byte[] before = File.ReadAllBytes(folder[StudentCheckpoint.FileName]);
        Assert.All(broken.Values, v => Assert.True(float.IsFinite(v)));

        var checkpoint = StudentCheckpoint.Read(folder[StudentCheckpoint.FileName]);
        Poison(folder[StudentCheckpoint.FileName]);
        using var again = tiny.Trainer(folder.Path, checkpoint.Options);
        again.Resume(StudentCheckpoint.Read(folder["poisoned.safetensors"]));
        byte[] kept = File.ReadAllBytes(folder[StudentCheckpoint.FileName]);
        var error = Assert.Throws<FaceDistillException>(() => again.Run(null, default));
        Assert.Contains("no longer finite", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, kept);
        Assert.Equal(before, File.ReadAllBytes(folder[StudentCheckpoint.FileName]));
    }

    [Fact]
    public void Fewer_faces_than_a_batch_are_refused()
    {
        using var folder = new TempFolder();
        var error = Assert.Throws<FaceDistillException>(() => tiny.Trainer(folder.Path, TinyRun.Options with { BatchSize = 512 }));
        Assert.Contains("--batch-size", error.Message, StringComparison.Ordinal);
    }

    // A copy beside it, one epoch back, with a weight that is not a number.
    private static void Poison(string path)
    {
        var (tensors, metadata) = SafetensorsFile.Read(path);
        float[] weights = tensors["model.conv0.weight"].Floats();
        weights[0] = float.NaN;
        tensors["model.conv0.weight"] = tensors["model.conv0.weight"] with { Data = SafeTensor.Of(weights).Data };
        metadata["state"] = """{"epoch": 1, "step": 0, "lossSum": 0, "log": []}""";
        SafetensorsFile.Write(Path.Combine(Path.GetDirectoryName(path)!, "poisoned.safetensors"), tensors, metadata);
    }

    private static void AssertSameTensors(string expected, string actual)
    {
        var (a, b) = (SafetensorsFile.Read(expected).Tensors, SafetensorsFile.Read(actual).Tensors);
        Assert.Equal(a.Keys.Order(), b.Keys.Order());
        Assert.All(a, tensor => Assert.True(tensor.Value.Data.AsSpan().SequenceEqual(b[tensor.Key].Data), tensor.Key));
    }

    private sealed class StopAfter(int steps, CancellationTokenSource cancel) : IProgress<WorkProgress>
    {
        private int _steps;

        public void Report(WorkProgress value)
        {
            if (value.Stage == "training" && ++_steps == steps)
            {
                cancel.Cancel();
            }
        }
    }
}
