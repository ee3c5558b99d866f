using FaceDistill.Training.Optimizers;

namespace FaceDistill.Tests.Training.Optimizers;

public sealed class ResolutionScheduleTests
{
    [Theory]
    [InlineData(160, 0.6, 8, new[] { 96, 96, 128, 128, 160, 160, 160, 160 })]
    [InlineData(96, 0.5, 4, new[] { 64, 64, 96, 96 })]
    [InlineData(64, 0.5, 3, new[] { 32, 32, 64 })]
    [InlineData(96, 1, 3, new[] { 96, 96, 96 })]
    [InlineData(96, 0.9, 2, new[] { 96, 96 })] // no multiple of 32 in between
    [InlineData(224, 0.3, 1, new[] { 224 })] // the last epoch is always one of it
    [InlineData(224, 0.3, 2, new[] { 96, 224 })]
    public void The_first_half_of_the_epochs_climbs_to_the_full_resolution(int full, double start, int epochs, int[] sizes) =>
        Assert.Equal(sizes, Enumerable.Range(0, epochs).Select(new ResolutionSchedule(full, start, epochs).At));
}
