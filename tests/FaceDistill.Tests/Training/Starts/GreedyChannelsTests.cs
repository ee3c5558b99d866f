using FaceDistill.Training.Starts;
using MathNet.Numerics.LinearAlgebra;

namespace FaceDistill.Tests.Training.Starts;

public sealed class GreedyChannelsTests
{
    // Channel 3 is twice channel 1, channel 4 constant; outputs weigh channel 0 least.
    [Fact]
    public void Each_next_channel_is_the_one_with_which_a_fit_from_scratch_leaves_least()
    {
        var random = new Random(5);
        var values = Matrix<double>.Build.Dense(200, 6, (_, _) => random.NextDouble() - 0.5);
        values.SetColumn(3, values.Column(1) * 2);
        values.SetColumn(4, values.Column(4) * 0);
        for (int c = 0; c < 6; c++)
        {
            values.SetColumn(c, values.Column(c) - values.Column(c).Average());
        }

        var outputs = values * Matrix<double>.Build.Dense(6, 4, (i, _) => (i == 0 ? 0.1 : 1) * (random.NextDouble() - 0.5));
        double Left(int[] channels)
        {
            var x = Matrix<double>.Build.DenseOfColumns(channels.Select(c => values.Column(c)));
            return (outputs - (x * x.PseudoInverse() * outputs)).FrobeniusNorm();
        }

        int[] expected = [];
        for (int keep = 1; keep <= 4; keep++)
        {
            expected = [.. expected, Enumerable.Range(0, 6).Except([4, .. expected]).MinBy(c => Left([.. expected, c]))];
            var (covariance, cross) = (values.Transpose() * values / 200, values.Transpose() * outputs / 200);
            Assert.Equal(expected.Order(), GreedyChannels.Choose(covariance.ToRowMajorArray(), cross.ToRowMajorArray(), 6, keep));
        }

        Assert.False(expected.Contains(1) && expected.Contains(3), "two channels that say the same");
    }

    [Fact]
    public void Channels_that_are_0_everywhere_fill_up_what_is_asked_for()
    {
        Assert.Equal([0, 1, 2], GreedyChannels.Choose([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0], [0, 0, 1, 0], 4, 3));
    }
}
