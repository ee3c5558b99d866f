using FaceDistill.Formats;
using FaceDistill.Training;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;

namespace FaceDistill.Tests.Training;

public sealed class TrainerHabitsTests(TinyRun tiny) : IClassFixture<TinyRun>
{
    // 108 faces in batches of 16: 6 steps an epoch; the first two epochs at 32 pixels.
    private static readonly DistillOptions Everything = TinyRun.Options with
    {
        Run = TinyRun.Options.Run with { Epochs = 4, Progressive = 0.5 },
        Optimizer = TinyRun.Options.Optimizer with { Ema = 0.9, Clip = 0.05 },
        HeldOut = TinyRun.Options.HeldOut with { Patience = 3 },
    };

    [Theory]
    [InlineData(OptimizerKind.AdamW, 3)]  // at the low resolution
    [InlineData(OptimizerKind.AdamW, 12)] // after its last step
    [InlineData(OptimizerKind.AdamW, 13)] // at the full resolution
    [InlineData(OptimizerKind.AdamW, 20)]
    [InlineData(OptimizerKind.Muon, 13)]
    [InlineData(OptimizerKind.Muon, 20)]
    [InlineData(OptimizerKind.Sgd, 15)]
    public void With_average_clipping_best_and_progressive_resolution_a_resumed_run_equals_an_uninterrupted_one(OptimizerKind optimizer, int stopAfter)
    {
        var options = Everything with { Optimizer = Everything.Optimizer with { Kind = optimizer } };
        using var whole = new TempFolder();
        TrainingState state;
        using (var trainer = tiny.Trainer(whole.Path, options))
        {
            state = trainer.Run(JobContext.None);
        }

        Assert.Equal([32, 32, 64, 64], state.Log.Select(e => e.Resolution));
        Assert.True(state.Log.Max(e => e.GradientNorm) > options.Optimizer.Clip, "nothing was clipped");
        using var cut = new TempFolder();
        Interrupt(cut.Path, options, stopAfter);
        using (var trainer = tiny.Trainer(cut.Path, options))
        {
            trainer.Resume(StudentCheckpoint.Read(cut[StudentCheckpoint.FileName]));
            trainer.Run(JobContext.None);
        }

        foreach (string file in new[] { StudentCheckpoint.FileName, RunStudent.BestFileName })
        {
            var (a, b) = (SafetensorsFile.Read(whole[file]).Tensors, SafetensorsFile.Read(cut[file]).Tensors);
            Assert.Equal(a.Keys.Order(), b.Keys.Order());
            Assert.All(a, tensor => Assert.True(tensor.Value.Data.AsSpan().SequenceEqual(b[tensor.Key].Data), $"{file} {tensor.Key}"));
        }

        var again = StudentCheckpoint.Read(cut[StudentCheckpoint.FileName]).State;
        Assert.Equal(state.Best, again.Best);
        Assert.Equal(state.Log.Select(e => (e.Loss, e.CentredCosine, e.GradientNorm)), again.Log.Select(e => (e.Loss, e.CentredCosine, e.GradientNorm)));
    }

    [Fact]
    public void The_best_student_is_the_average_of_the_epoch_with_the_highest_centred_cosine()
    {
        using var folder = new TempFolder();
        using var trainer = tiny.Trainer(folder.Path, TinyRun.Options with
        {
            Run = TinyRun.Options.Run with { Epochs = 5 },
            Optimizer = TinyRun.Options.Optimizer with { Ema = 0.5 },
        });
        var log = trainer.Run(JobContext.None).Log;
        var top = log.MaxBy(e => e.CentredCosine)!;
        var best = RunStudent.Open(folder.Path);
        Assert.EndsWith(RunStudent.BestFileName, best.Path, StringComparison.Ordinal);
        Assert.Equal(new BestEpoch(top.Epoch, top.CentredCosine!.Value), best.State.Best);
        Assert.Equal(top.Epoch, best.State.Log.Count);
        using var validation = new ValidationPass(tiny.Training(), best.Description.Contract, TinyRun.Options, TorchSharp.torch.CPU);
        using var model = best.LoadModel();
        Assert.Equal(top.CentredCosine!.Value, validation.Measure(model, default)!.CentredCosine, 5);
        // What is not averaged measures otherwise.
        var last = StudentCheckpoint.Read(folder[StudentCheckpoint.FileName]);
        last.Restore(new TrainedStudent(model));
        Assert.NotEqual(log[^1].CentredCosine!.Value, validation.Measure(model, default)!.CentredCosine, 5);
    }

    [Fact]
    public void Keep_last_and_runs_without_held_out_faces_give_the_last_student()
    {
        var once = TinyRun.Options with { Run = TinyRun.Options.Run with { Epochs = 1 } };
        foreach (var heldOut in new[] { once.HeldOut with { Keep = KeepKind.Last }, once.HeldOut with { Part = 0 } })
        {
            var options = once with { HeldOut = heldOut };
            using var folder = new TempFolder();
            using var trainer = tiny.Trainer(folder.Path, options);
            trainer.Run(JobContext.None);
            Assert.EndsWith(StudentCheckpoint.FileName, RunStudent.Open(folder.Path).Path, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Patience_ends_a_run_that_no_longer_improves_and_it_stays_ended()
    {
        using var folder = new TempFolder();
        // too high to improve for long, too low to kill it
        var options = TinyRun.Options with
        {
            Run = TinyRun.Options.Run with { Epochs = 50 },
            Optimizer = TinyRun.Options.Optimizer with { LearningRate = 0.05, WarmupEpochs = 0 },
            HeldOut = TinyRun.Options.HeldOut with { Patience = 1 },
        };
        using (var trainer = tiny.Trainer(folder.Path, options))
        {
            var state = trainer.Run(JobContext.None);
            Assert.True(state.StoppedEarly);
            Assert.InRange(state.Epoch, 2, 49);
            Assert.Equal(state.Epoch - 1, state.Best!.Epoch);
        }

        using var again = tiny.Trainer(folder.Path, options);
        var checkpoint = StudentCheckpoint.Read(folder[StudentCheckpoint.FileName]);
        again.Resume(checkpoint);
        Assert.Equal(checkpoint.State.Epoch, again.Run(JobContext.None).Epoch);
    }

    [Fact]
    public void A_time_budget_becomes_epochs_once_and_is_resumed_exactly()
    {
        using var folder = new TempFolder();
        var options = TinyRun.Options with { Run = TinyRun.Options.Run with { Minutes = 0.1, Epochs = 9_999 } };
        Interrupt(folder.Path, options, 2);
        var cut = StudentCheckpoint.Read(folder[StudentCheckpoint.FileName]);
        Assert.InRange(cut.Options.Run.Epochs, 1, 5_000); // 6 seconds hold some epochs of 108 faces, and not so many
        using var again = tiny.Trainer(folder.Path, options);
        again.Resume(cut);
        Assert.Equal(cut.Options.Run.Epochs, again.Run(JobContext.None).Epoch); // as many as were measured when it began
        Assert.Contains("--minutes", Assert.Throws<FaceDistillException>(() =>
        {
            using var trainer = tiny.Trainer(folder["other"], options with { Run = options.Run with { Minutes = 1e-6 } });
            trainer.Run(JobContext.None);
        }).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_whose_best_student_is_gone_is_not_resumed()
    {
        using var folder = new TempFolder();
        using var trainer = tiny.Trainer(folder.Path, TinyRun.Options with { Run = TinyRun.Options.Run with { Epochs = 1 } });
        trainer.Run(JobContext.None);
        File.Delete(folder[RunStudent.BestFileName]);
        Assert.Contains(RunStudent.BestFileName, Assert.Throws<FaceDistillException>(
            () => trainer.Resume(StudentCheckpoint.Read(folder[StudentCheckpoint.FileName]))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TensorBoard_has_one_folder_with_the_curves()
    {
        using var folder = new TempFolder();
        using var trainer = tiny.Trainer(folder.Path, TinyRun.Options with { Run = TinyRun.Options.Run with { Epochs = 2 } });
        trainer.Run(JobContext.None);
        string file = Assert.Single(Directory.GetFiles(folder[TensorBoardLog.FolderName]));
        string bytes = System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(file));
        Assert.All(["loss/training", "loss/held-out", "cosine/held-out centred", "training/learning rate"],
            tag => Assert.Equal(2, bytes.Split(tag).Length - 1));
    }

    private void Interrupt(string folder, DistillOptions options, int stopAfter)
    {
        using var trainer = tiny.Trainer(folder, options);
        using var cancel = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => trainer.Run(new JobContext(Progress: new AtStep(stopAfter, cancel.Cancel), Cancel: cancel.Token)));
    }

    private sealed class AtStep(int step, Action act) : IProgress<WorkProgress>
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
