using FaceDistill.Training;
using FaceDistill.Training.Options;
using FaceDistill.Views;

namespace FaceDistill.Tests.Training;

public sealed class ResumeRulesTests
{
    private static readonly DistillOptions Made = new()
    {
        Student = new StudentOptions { Name = "mobilenet-v1:0.5@96", Init = "rows/a" },
        Run = new TrainingRunOptions { Epochs = 16, Precision = PrecisionMode.Bf16, Device = "cpu" },
    };

    [Fact]
    public void A_start_that_was_moved_another_device_other_checkpoint_minutes_and_a_precision_found_by_measurement_make_the_same_student()
    {
        Assert.True(ResumeRules.Same(Made, Made with { Student = Made.Student with { Init = "elsewhere/a" } }));
        Assert.True(ResumeRules.Same(Made, Made with { Run = Made.Run with { Device = "auto" } }));
        Assert.True(ResumeRules.Same(Made, Made with { Run = Made.Run with { Precision = PrecisionMode.Auto } }));
        Assert.True(ResumeRules.Same(Made, Made with { Run = Made.Run with { CheckpointMinutes = 1 } }));
        Assert.True(ResumeRules.Same(Made, Made with { Run = Made.Run with { PictureMemory = 1 } }));
        var timed = Made with { Run = Made.Run with { Minutes = 3 } }; // which became 16 epochs
        Assert.True(ResumeRules.Same(timed, timed with { Run = timed.Run with { Epochs = 20 } }));
        Assert.True(ResumeRules.Same(timed, Made)); // a finished run's recipe
        Assert.True(ResumeRules.Same(Made with { HeldOut = Made.HeldOut with { People = 118 } }, Made)); // found at its beginning
        Assert.True(ResumeRules.Same(Made, Made with { HeldOut = Made.HeldOut with { People = 0 } })); // of before people could be held out
        Assert.True(ResumeRules.Same(Made with { Run = Made.Run with { Replicas = 2 } }, Made)); // as many as the machine had threads
        Assert.True(ResumeRules.Same(Made, Made with { Run = Made.Run with { Replicas = 1 } })); // of before there were any
    }

    [Fact]
    public void Anything_else_makes_another_one()
    {
        Assert.False(ResumeRules.Same(Made, Made with { Student = Made.Student with { Init = null } }));
        Assert.False(ResumeRules.Same(Made, Made with { Run = Made.Run with { Epochs = 17 } }));
        Assert.False(ResumeRules.Same(Made, Made with { Run = Made.Run with { Minutes = 3 } }));
        Assert.False(ResumeRules.Same(Made with { Run = Made.Run with { Minutes = 3 } }, Made with { Run = Made.Run with { Minutes = 4 } }));
        Assert.Equal("minutes: 3 there, 4 here", ResumeRules.Difference(
            Made with { Run = Made.Run with { Minutes = 3 } }, Made with { Run = Made.Run with { Minutes = 4 } }));
        Assert.False(ResumeRules.Same(Made, Made with { HeldOut = Made.HeldOut with { People = 5 } }));
        Assert.False(ResumeRules.Same(Made with { HeldOut = Made.HeldOut with { People = 5 } }, Made with { HeldOut = Made.HeldOut with { People = 0 } }));
        Assert.False(ResumeRules.Same(Made with { Run = Made.Run with { Replicas = 2 } }, Made with { Run = Made.Run with { Replicas = 1 } }));
        Assert.False(ResumeRules.Same(Made, Made with { Run = Made.Run with { Precision = PrecisionMode.Fp32 } }));
        Assert.False(ResumeRules.Same(Made, Made with { Targets = Made.Targets with { Augment = new AugmentOptions() } }));
        Assert.False(ResumeRules.Same(Made, Made with { Student = Made.Student with { Name = "mobilenet-v1:0.5@128" } }));
    }
}
