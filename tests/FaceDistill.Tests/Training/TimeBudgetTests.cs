using FaceDistill.Training;

namespace FaceDistill.Tests.Training;

public sealed class TimeBudgetTests
{
    [Theory]
    [InlineData(0.9, 0)]
    [InlineData(1, 1)]
    [InlineData(59.5, 59)]
    [InlineData(1e9, 10_000)]
    public void The_largest_number_that_fits_is_found(double budget, int epochs) => Assert.Equal(epochs, TimeBudget.Largest(n => n, budget));

    [Fact]
    public void The_first_epoch_of_each_resolution_and_the_first_measuring_take_longer() =>
        Assert.Equal(9 + 1 + 1 + 20 + 2 + 7 + (4 * 3), TimeBudget.Total([64, 64, 64, 96, 96], size => size == 64 ? (9, 1) : (20, 2), (7, 3)));

    [Theory]
    [InlineData(1, 4)]
    [InlineData(0, 10)]
    [InlineData(0.25, 8.5)]
    public void A_later_epoch_decodes_what_memory_does_not_hold(double part, double seconds) => Assert.Equal(seconds, TimeBudget.Mixed(10, 4, part), 12);
}
