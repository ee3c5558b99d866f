using FaceDistill.Views;

namespace FaceDistill.Tests.Views;

public sealed class PooledKernelTests
{
    private static readonly float[] Ramp = [1, 2, 3, 4, 5, 6, 7, 8, 9];

    [Fact]
    public void The_same_side_changes_nothing() => Assert.Equal(Ramp, PooledKernel.Resize(Ramp, 3, 3));

    [Fact]
    public void Equal_weights_stay_equal_and_keep_their_sum() =>
        Assert.All(PooledKernel.Resize([0.5f, 0.5f, 0.5f, 0.5f], 2, 5), w => Assert.Equal(2f / 25, w, 6));

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(2)]
    public void The_sum_stays_and_so_does_the_order_along_rows(int to)
    {
        float[] resized = PooledKernel.Resize(Ramp, 3, to);
        Assert.Equal(45, resized.Sum(), 4);
        for (int y = 0; y < to; y++)
        {
            Assert.Equal(resized[(y * to)..((y + 1) * to)].Order(), resized[(y * to)..((y + 1) * to)]);
        }
    }

    [Fact]
    public void Each_plane_is_its_own()
    {
        float[] two = PooledKernel.Resize([1, 2, 3, 4, 40, 30, 20, 10], 2, 4);
        Assert.Equal(PooledKernel.Resize([1, 2, 3, 4], 2, 4), two[..16]);
        Assert.Equal(PooledKernel.Resize([40, 30, 20, 10], 2, 4), two[16..]);
    }

    [Fact]
    public void Weights_whose_sum_is_nothing_are_scaled_by_the_cells_area()
    {
        float[] resized = PooledKernel.Resize([1, -1, 1, -1], 2, 4);
        Assert.Equal(0.25f, resized[0], 6);
        Assert.Equal(0, resized.Sum(), 5);
    }
}
