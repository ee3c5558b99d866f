using FaceDistill.Formats;
using FaceDistill.Students;
using FaceDistill.Training;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Optimizers;
using FaceDistill.Training.Options;

namespace FaceDistill.Tests.Training;

/// <summary>What is left of a run that is killed or fails in the middle of an epoch.</summary>
public sealed class CheckpointTimeTests(TinyRun tiny) : IClassFixture<TinyRun>
{
    private const int StepsPerEpoch = 6; // 108 faces in batches of 16

    [Theory]
    [InlineData(0, "6 6 6 6 6 6")] // at epochs' ends only
    [InlineData(10, "6 6 6 6 11 11")] // three minutes pass after each step
    [InlineData(3, "6 8 9 10 11 12")]
    public void A_checkpoint_is_written_within_an_epoch_once_its_minutes_are_over(double minutes, string expected)
    {
        using var folder = new TempFolder();
        var clock = new StepClock();
        var seen = new List<int>();
        using var trainer = Trainer(folder.Path, TinyRun.Options with { Run = TinyRun.Options.Run with { Epochs = 2, CheckpointMinutes = minutes } }, clock);
        trainer.Run(new JobContext(Progress:
            new Each(step =>
            {
                clock.Minutes += 3;
                if (step > StepsPerEpoch)
                {
                    seen.Add(StepsIn(folder.Path));
                }
            })));
        Assert.Equal(expected, string.Join(' ', seen));
        Assert.Equal(2 * StepsPerEpoch, StepsIn(folder.Path));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(10)]
    public void A_run_killed_in_the_middle_of_an_epoch_goes_on_from_its_last_checkpoint_and_ends_the_same(int killedAt)
    {
        using var whole = new TempFolder();
        using var killed = new TempFolder();
        var clock = new StepClock();
        var options = TinyRun.Options with { Run = TinyRun.Options.Run with { CheckpointMinutes = 5 } };
        using (var trainer = Trainer(whole.Path, options, clock))
        {
            trainer.Run(new JobContext(Progress:
                new Each(step =>
                {
                    clock.Minutes += 3;
                    if (step == killedAt)
                    {
                        foreach (string file in Directory.GetFiles(whole.Path, "*.safetensors"))
                        {
                            File.Copy(file, killed[Path.GetFileName(file)]);
                        }
                    }
                })));
        }

        var checkpoint = StudentCheckpoint.Read(killed[StudentCheckpoint.FileName]);
        Assert.Equal(killedAt - 1, StepsIn(killed.Path));
        Assert.NotEqual(0, checkpoint.State.Step);
        using (var trainer = Trainer(killed.Path, options with
        {
            Run = options.Run with { CheckpointMinutes = 0 },
        }, clock)) // another interval is the same run
        {
            trainer.Resume(checkpoint);
            trainer.Run(JobContext.None);
        }

        AssertSameTensors(whole[StudentCheckpoint.FileName], killed[StudentCheckpoint.FileName]);
    }

    [Fact]
    public void A_failure_between_two_steps_is_reported_as_it_is_and_loses_nothing()
    {
        using var whole = new TempFolder();
        using var failed = new TempFolder();
        using (var trainer = Trainer(whole.Path, TinyRun.Options))
        {
            trainer.Run(JobContext.None);
        }

        using (var trainer = Trainer(failed.Path, TinyRun.Options))
        {
            var failure = new InvalidOperationException("the disk of the log is full");
            Assert.Same(failure,
                Assert.Throws<InvalidOperationException>(() => trainer.Run(new JobContext(Progress: new Each(step => _ = step == 8 ? throw failure : 0)))));
        }

        Assert.Equal(8, StepsIn(failed.Path));
        using (var trainer = Trainer(failed.Path, TinyRun.Options))
        {
            trainer.Resume(StudentCheckpoint.Read(failed[StudentCheckpoint.FileName]));
            trainer.Run(JobContext.None);
        }

        AssertSameTensors(whole[StudentCheckpoint.FileName], failed[StudentCheckpoint.FileName]);
    }

    [Fact]
    public void A_failure_that_cannot_be_saved_either_is_still_the_one_reported()
    {
        using var folder = new TempFolder();
        using var trainer = Trainer(folder["run"], TinyRun.Options);
        var failure = new InvalidOperationException("first");
        Assert.Same(failure, Assert.Throws<InvalidOperationException>(() => trainer.Run(new JobContext(Progress:
            new Each(step =>
            {
                File.WriteAllText(folder["run"], "no folder can be made here");
                throw failure;
            })))));
    }

    // A face that cannot be read: the steps before it are kept, whole.
    [Fact]
    public void A_face_that_is_gone_ends_the_run_with_a_checkpoint()
    {
        using var folder = new TempFolder();
        using var other = new TinyRun();
        using var trainer = other.Trainer(folder.Path, TinyRun.Options with { Run = TinyRun.Options.Run with { BatchSize = 2 } });
        File.Delete(Path.Combine(other.Faces.Dataset.Root, other.Faces.Dataset.Images[10].Path));
        Assert.Throws<FaceDistillException>(() => trainer.Run(JobContext.None));
        Assert.True(StudentCheckpoint.Read(folder[StudentCheckpoint.FileName]).State is { Epoch: 0, Step: > 0 });
    }

    // The loss of the step after the poison is still sound; the weights are not, so the interval's checkpoint must not replace the last one.
    [Theory]
    [InlineData(0)]
    [InlineData(1e-9)]
    public void A_student_that_is_not_finite_or_half_updated_replaces_no_checkpoint(double minutes)
    {
        using var folder = new TempFolder();
        var options = TinyRun.Options with
        {
            Run = TinyRun.Options.Run with { Epochs = 2, CheckpointMinutes = minutes },
            Optimizer = TinyRun.Options.Optimizer with { Kind = OptimizerKind.AdamW },
        };
        using (var first = Trainer(folder.Path, options))
        {
            first.Run(JobContext.None);
        }

        byte[] before = File.ReadAllBytes(folder[StudentCheckpoint.FileName]);
        var (tensors, metadata) = SafetensorsFile.Read(folder[StudentCheckpoint.FileName]);
        float[] moments = tensors["optimizer.embedding.weight.exp_avg"].Floats();
        moments[0] = float.NaN;
        tensors["optimizer.embedding.weight.exp_avg"] = SafeTensor.Of(moments, tensors["optimizer.embedding.weight.exp_avg"].Shape);
        metadata["state"] = TinyRun.SecondEpoch(2);
        SafetensorsFile.Write(folder["poisoned.safetensors"], tensors, metadata);
        using var again = Trainer(folder.Path, options);
        again.Resume(StudentCheckpoint.Read(folder["poisoned.safetensors"]));
        Assert.Contains("no longer finite", Assert.Throws<FaceDistillException>(() => again.Run(JobContext.None)).Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(folder[StudentCheckpoint.FileName]));
    }

    private Trainer Trainer(string folder, DistillOptions options, TimeProvider? clock = null)
    {
        var description = new StudentDescription(
            options.Student.Name, options.Student.Head, tiny.Teacher.Dimension, FaceDistill.Faces.FaceTensor.StudentContract(64, "dlib"), tiny.Teacher.Name,
                tiny.Teacher.Hash);
        return new Trainer(tiny.Training(options.HeldOut.Part, options.Run.Seed), description, options, folder, clock: clock);
    }

    private static int StepsIn(string folder)
    {
        var state = StudentCheckpoint.Read(Path.Combine(folder, StudentCheckpoint.FileName)).State;
        return (state.Epoch * StepsPerEpoch) + state.Step;
    }

    private static void AssertSameTensors(string expected, string actual)
    {
        var (a, b) = (SafetensorsFile.Read(expected).Tensors, SafetensorsFile.Read(actual).Tensors);
        Assert.Equal(a.Keys.Order(), b.Keys.Order());
        Assert.All(a, tensor => Assert.True(tensor.Value.Data.AsSpan().SequenceEqual(b[tensor.Key].Data), tensor.Key));
    }

    /// <summary>A clock that goes on when it is told to.</summary>
    private sealed class StepClock : TimeProvider
    {
        public double Minutes { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => TimeSpan.FromMinutes(Minutes).Ticks;
    }

    /// <summary>Does something after each step, which is counted from 1.</summary>
    private sealed class Each(Action<int> act) : IProgress<WorkProgress>
    {
        private int _steps;

        public void Report(WorkProgress value)
        {
            if (value.Stage == "training")
            {
                act(++_steps);
            }
        }
    }
}
