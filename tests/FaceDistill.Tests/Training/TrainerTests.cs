using FaceDistill.Faces;
using FaceDistill.Formats;
using FaceDistill.Students;
using FaceDistill.Training;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Losses;
using FaceDistill.Training.Optimizers;

namespace FaceDistill.Tests.Training;

public sealed class TrainerTests(TinyRun tiny) : IClassFixture<TinyRun>
{
    [Fact]
    public void Training_explains_most_of_a_simple_teacher()
    {
        using var folder = new TempFolder();
        using var trainer = tiny.Trainer(folder.Path, TinyRun.Options with { Run = TinyRun.Options.Run with { Epochs = 25 } });
        var log = trainer.Run(JobContext.None).Log;
        Assert.Equal(25, log.Count);
        Assert.True(log[^1].Loss < 0.4, $"loss {log[^1].Loss}");
        Assert.True(log[^1].ValidationLoss < 0.6, $"validation loss {log[^1].ValidationLoss}");
        Assert.Equal(26, File.ReadAllLines(folder[TrainingLogFile.FileName]).Length);
    }

    [Theory]
    [InlineData(3)]  // in the first epoch
    [InlineData(6)]  // between its last step and its validation
    [InlineData(10)] // in the second
    [InlineData(18)] // after the very last step
    public void An_interrupted_and_resumed_run_equals_an_uninterrupted_one(int stopAfter)
    {
        using var whole = new TempFolder();
        using (var trainer = tiny.Trainer(whole.Path))
        {
            trainer.Run(JobContext.None);
        }

        using var cut = new TempFolder();
        using (var trainer = tiny.Trainer(cut.Path))
        {
            using var cancel = new CancellationTokenSource();
            Assert.ThrowsAny<OperationCanceledException>(() => trainer.Run(new JobContext(Progress: new At(stopAfter, cancel.Cancel), Cancel: cancel.Token)));
        }

        var checkpoint = StudentCheckpoint.Read(cut[StudentCheckpoint.FileName]);
        Assert.Equal(((stopAfter - 1) / 6, ((stopAfter - 1) % 6) + 1), (checkpoint.State.Epoch, checkpoint.State.Step)); // 108 faces in batches of 16
        using (var trainer = tiny.Trainer(cut.Path))
        {
            trainer.Resume(checkpoint);
            trainer.Run(JobContext.None);
        }

        AssertSameTensors(whole[StudentCheckpoint.FileName], cut[StudentCheckpoint.FileName]);
    }

    [Fact]
    public void With_replicas_an_interrupted_and_resumed_run_equals_an_uninterrupted_one()
    {
        var options = TinyRun.Options with
        {
            Run = TinyRun.Options.Run with { Epochs = 2, Replicas = 2 },
            Optimizer = TinyRun.Options.Optimizer with { Kind = OptimizerKind.Muon },
        };
        using var whole = new TempFolder();
        using (var trainer = tiny.Trainer(whole.Path, options))
        {
            trainer.Run(JobContext.None);
        }

        using var cut = new TempFolder();
        using (var trainer = tiny.Trainer(cut.Path, options))
        {
            using var cancel = new CancellationTokenSource();
            Assert.ThrowsAny<OperationCanceledException>(() => trainer.Run(new JobContext(Progress: new At(4, cancel.Cancel), Cancel: cancel.Token)));
        }

        var checkpoint = StudentCheckpoint.Read(cut[StudentCheckpoint.FileName]);
        Assert.Equal(2, checkpoint.Options.Run.Replicas);
        using (var trainer = tiny.Trainer(cut.Path, options with { Run = options.Run with { Replicas = null } })) // goes on with what the run began with
        {
            trainer.Resume(checkpoint);
            trainer.Run(JobContext.None);
        }

        AssertSameTensors(whole[StudentCheckpoint.FileName], cut[StudentCheckpoint.FileName]);
    }

    [Fact]
    public void With_every_loss_an_interrupted_and_resumed_run_equals_an_uninterrupted_one()
    {
        var options = TinyRun.Options with
        {
            Loss = new LossOptions { Cosine = 1, Distance = 25, Angle = 50, ArcFace = 0.1 },
            Run = TinyRun.Options.Run with { Epochs = 2 },
        };
        using var whole = new TempFolder();
        using (var trainer = tiny.Trainer(whole.Path, options))
        {
            trainer.Run(JobContext.None);
        }

        using var cut = new TempFolder();
        using (var trainer = tiny.Trainer(cut.Path, options))
        {
            using var cancel = new CancellationTokenSource();
            Assert.ThrowsAny<OperationCanceledException>(() => trainer.Run(new JobContext(Progress: new At(4, cancel.Cancel), Cancel: cancel.Token)));
        }

        using (var trainer = tiny.Trainer(cut.Path, options))
        {
            trainer.Resume(StudentCheckpoint.Read(cut[StudentCheckpoint.FileName]));
            trainer.Run(JobContext.None);
        }

        Assert.Contains("loss.class_centres", SafetensorsFile.Read(whole[StudentCheckpoint.FileName]).Tensors.Keys);
        AssertSameTensors(whole[StudentCheckpoint.FileName], cut[StudentCheckpoint.FileName]);
    }

    [Fact]
    public void A_killed_run_goes_on_from_its_last_epoch_and_ends_the_same()
    {
        using var whole = new TempFolder();
        using var killed = new TempFolder();
        using (var trainer = tiny.Trainer(whole.Path))
        {
            // In the second epoch's middle, what a kill would leave is copied.
            trainer.Run(new JobContext(Progress: new At(8,
                () => Array.ForEach([StudentCheckpoint.FileName, RunStudent.BestFileName], f => File.Copy(whole[f], killed[f])))));
        }

        using (var trainer = tiny.Trainer(killed.Path))
        {
            var checkpoint = StudentCheckpoint.Read(killed[StudentCheckpoint.FileName]);
            Assert.Equal((1, 0), (checkpoint.State.Epoch, checkpoint.State.Step));
            trainer.Resume(checkpoint);
            trainer.Run(JobContext.None);
        }

        AssertSameTensors(whole[StudentCheckpoint.FileName], killed[StudentCheckpoint.FileName]);
    }

    [Fact]
    public void Another_seed_gives_another_student()
    {
        using var one = new TempFolder();
        using var two = new TempFolder();
        foreach (var (folder, seed) in new[] { (one, 1), (two, 2) })
        {
            using var trainer = tiny.Trainer(folder.Path, TinyRun.Options with { Run = TinyRun.Options.Run with { Epochs = 1, Seed = seed } });
            trainer.Run(JobContext.None);
        }

        Assert.NotEqual(StudentCheckpoint.Read(one[StudentCheckpoint.FileName]).Weight("embedding.bias", 16),
            StudentCheckpoint.Read(two[StudentCheckpoint.FileName]).Weight("embedding.bias", 16));
    }

    [Fact]
    public void Resuming_with_another_teacher_is_refused()
    {
        using var folder = new TempFolder();
        var options = TinyRun.Options with { Run = TinyRun.Options.Run with { Epochs = 1 } };
        using (var trainer = tiny.Trainer(folder.Path, options))
        {
            trainer.Run(JobContext.None);
        }

        var checkpoint = StudentCheckpoint.Read(folder[StudentCheckpoint.FileName]);
        using var teacher = new Trainer(tiny.Training(), checkpoint.Description with { TeacherHash = "another" }, options, folder.Path);
        Assert.Contains("another teacher", Assert.Throws<FaceDistillException>(() => teacher.Resume(checkpoint)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_target_that_is_not_a_number_stops_the_first_epoch_without_a_checkpoint()
    {
        using var folder = new TempFolder();
        var mirrored = tiny.Read("mirrored");
        Array.Fill(mirrored.Values, float.NaN);
        var faces = new TrainingFaces(tiny.Faces, tiny.Read("original"), mirrored, 0, 1);
        using var trainer = new Trainer(faces, Description(), TinyRun.Options, folder["run"]);
        string message = Assert.Throws<FaceDistillException>(() => trainer.Run(JobContext.None)).Message;
        Assert.Contains("no longer finite after 0 steps", message, StringComparison.Ordinal);
        Assert.DoesNotContain("checkpoint", message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["run"]));
    }

    [Theory]
    [InlineData(0, 6)]
    [InlineData(0.1, 5)]
    public void An_epochs_last_update_that_spoils_the_weights_is_not_saved(double validation, int lastStep)
    {
        using var folder = new TempFolder();
        var options = TinyRun.Options with { Run = TinyRun.Options.Run with { Epochs = 2 }, HeldOut = TinyRun.Options.HeldOut with { Part = validation } };
        using (var first = tiny.Trainer(folder.Path, options))
        {
            first.Run(JobContext.None);
        }

        byte[] before = File.ReadAllBytes(folder[StudentCheckpoint.FileName]);
        var (tensors, metadata) = SafetensorsFile.Read(folder[StudentCheckpoint.FileName]);
        float[] moments = tensors["optimizer.embedding.weight.exp_avg"].Floats();
        moments[0] = float.NaN; // the loss of the next step is still sound, the weights after it are not
        tensors["optimizer.embedding.weight.exp_avg"] = SafeTensor.Of(moments, tensors["optimizer.embedding.weight.exp_avg"].Shape);
        metadata["state"] = $$"""{"epoch": 1, "step": {{lastStep}}, "lossSum": 1, "log": [""" + TinyRun.OneEpoch + "]}";
        SafetensorsFile.Write(folder["poisoned.safetensors"], tensors, metadata);
        using var again = tiny.Trainer(folder.Path, options);
        again.Resume(StudentCheckpoint.Read(folder["poisoned.safetensors"]));
        Assert.Contains("no longer finite", Assert.Throws<FaceDistillException>(() => again.Run(JobContext.None)).Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(folder[StudentCheckpoint.FileName]));
    }

    [Fact]
    public void Resuming_with_other_options_is_refused()
    {
        using var folder = new TempFolder();
        using (var trainer = tiny.Trainer(folder.Path, TinyRun.Options with { Run = TinyRun.Options.Run with { Epochs = 1 } }))
        {
            trainer.Run(JobContext.None);
        }

        var checkpoint = StudentCheckpoint.Read(folder[StudentCheckpoint.FileName]);
        using var other = tiny.Trainer(folder.Path, TinyRun.Options with
        {
            Run = TinyRun.Options.Run with { Epochs = 1 },
            Optimizer = TinyRun.Options.Optimizer with { LearningRate = 1e-3 },
        });
        Assert.Contains("other options", Assert.Throws<FaceDistillException>(() => other.Resume(checkpoint)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_checkpoint()
    {
        using var folder = new TempFolder();
        using var trainer = tiny.Trainer(folder.Path, TinyRun.Options with { Run = TinyRun.Options.Run with { Epochs = 2 } });
        trainer.Run(JobContext.None);
        byte[] before = File.ReadAllBytes(folder[StudentCheckpoint.FileName]);

        var checkpoint = StudentCheckpoint.Read(folder[StudentCheckpoint.FileName]);
        Poison(folder[StudentCheckpoint.FileName]);
        using var again = tiny.Trainer(folder.Path, checkpoint.Options);
        again.Resume(StudentCheckpoint.Read(folder["poisoned.safetensors"]));
        var error = Assert.Throws<FaceDistillException>(() => again.Run(JobContext.None));
        Assert.Contains("no longer finite", error.Message, StringComparison.Ordinal);
        Assert.Contains(folder[StudentCheckpoint.FileName], error.Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(folder[StudentCheckpoint.FileName]));
    }

    [Fact]
    public void Fewer_faces_than_a_batch_are_refused()
    {
        using var folder = new TempFolder();
        var error = Assert.Throws<FaceDistillException>(() => tiny.Trainer(folder.Path, TinyRun.Options with
        {
            Run = TinyRun.Options.Run with { BatchSize = 512 },
        }));
        Assert.Contains("--batch-size", error.Message, StringComparison.Ordinal);
    }

    // A copy beside it, one epoch back, with a weight that is not a number.
    private static void Poison(string path)
    {
        var (tensors, metadata) = SafetensorsFile.Read(path);
        float[] weights = tensors["model.conv0.weight"].Floats();
        weights[0] = float.NaN;
        tensors["model.conv0.weight"] = tensors["model.conv0.weight"] with { Data = SafeTensor.Of(weights).Data };
        metadata["state"] = """{"epoch": 1, "step": 0, "lossSum": 0, "log": [""" + TinyRun.OneEpoch + "]}";
        SafetensorsFile.Write(Path.Combine(Path.GetDirectoryName(path)!, "poisoned.safetensors"), tensors, metadata);
    }

    private static void AssertSameTensors(string expected, string actual)
    {
        var (a, b) = (SafetensorsFile.Read(expected).Tensors, SafetensorsFile.Read(actual).Tensors);
        Assert.Equal(a.Keys.Order(), b.Keys.Order());
        Assert.All(a, tensor => Assert.True(tensor.Value.Data.AsSpan().SequenceEqual(b[tensor.Key].Data), tensor.Key));
    }

    private static StudentDescription Description() => new(
        TinyRun.Options.Student.Name, TinyRun.Options.Student.Head, 16, FaceTensor.StudentContract(64, "dlib"), "tiny", "hash");

    /// <summary>Does something once so many steps are done.</summary>
    private sealed class At(int step, Action act) : IProgress<WorkProgress>
    {
        private int _steps;

        public void Report(WorkProgress value)
        {
            if (value.Stage == "training" && ++_steps == step)
            {
                act();
            }
        }
    }
}
