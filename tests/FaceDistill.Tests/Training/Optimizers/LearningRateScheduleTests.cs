using FaceDistill.Training.Optimizers;

namespace FaceDistill.Tests.Training.Optimizers;

public sealed class LearningRateScheduleTests
{
    [Fact]
    public void The_rate_rises_linearly_then_falls_along_half_a_cosine()
    {
        var schedule = new LearningRateSchedule(ScheduleKind.Cosine, 0.5, 4, 104);
        for (int step = 0; step < 4; step++)
        {
            Assert.Equal(0.5 * (step + 1) / 5, schedule.At(step), 1e-12);
        }

        Assert.Equal(0.5, schedule.At(4), 1e-12);
        Assert.Equal(0.25, schedule.At(54), 1e-12); // half way down
        Assert.Equal(0.5 * (1 + Math.Cos(Math.PI / 4)) / 2, schedule.At(29), 1e-12);
        Assert.InRange(schedule.At(103), 0, 0.001);
        Assert.All(Enumerable.Range(5, 99), step => Assert.True(schedule.At(step) < schedule.At(step - 1)));
    }

    [Fact]
    public void It_never_leaves_zero_to_peak_even_past_its_end_or_without_a_warm_up()
    {
        Assert.Equal(0.5, new LearningRateSchedule(ScheduleKind.Cosine, 0.5, 0, 10).At(0), 1e-12);
        Assert.Equal(0, new LearningRateSchedule(ScheduleKind.Cosine, 0.5, 2, 10).At(1000), 1e-12);
        foreach (var schedule in new[] { (2.5, 10L), (20, 10), (0, 1) }.SelectMany(
            s => Enum.GetValues<ScheduleKind>().Select(k => new LearningRateSchedule(k, 0.5, s.Item1, s.Item2))))
        {
            Assert.All(Enumerable.Range(0, 30), step => Assert.InRange(schedule.At(step), 0, 0.5));
        }
    }

    [Fact]
    public void A_linear_fall_is_a_straight_line_to_zero()
    {
        var schedule = new LearningRateSchedule(ScheduleKind.Linear, 0.5, 4, 104);
        Assert.Equal(0.3, schedule.At(2), 1e-12); // the rise is the same
        Assert.Equal(0.5, schedule.At(4), 1e-12);
        Assert.Equal(0.375, schedule.At(29), 1e-12);
        Assert.Equal(0.125, schedule.At(79), 1e-12);
        Assert.Equal(0, schedule.At(104), 1e-12);
        Assert.Equal(0, schedule.At(1000), 1e-12);
    }

    [Fact]
    public void A_stable_rate_falls_over_the_last_third()
    {
        var schedule = new LearningRateSchedule(ScheduleKind.Wsd, 0.5, 4, 94);
        Assert.All(Enumerable.Range(4, 61), step => Assert.Equal(0.5, schedule.At(step), 1e-12));
        Assert.Equal(0.25, schedule.At(79), 1e-12);
        Assert.Equal(0, schedule.At(94), 1e-12);
    }
}
