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
    public void The_first_epoch_of_each_resolution_takes_longer() =>
        Assert.Equal(9 + 1 + 1 + 20 + 2, TimeBudget.Total([64, 64, 64, 96, 96], size => size == 64 ? (9, 1) : (20, 2)));
}
