using FaceDistill.Distillation;

namespace FaceDistill.Tests.Distillation;

public sealed class TimeBudgetTests
{
    [Theory]
    [InlineData(0.9, 0)]
    [InlineData(1, 1)]
    [InlineData(59.5, 59)]
    [InlineData(1e9, 10_000)]
    public void The_largest_number_that_fits_is_found(double budget, int epochs) => Assert.Equal(epochs, TimeBudget.Largest(n => n, budget));
}
