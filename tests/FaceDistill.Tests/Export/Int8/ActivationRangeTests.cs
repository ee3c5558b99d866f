using FaceDistill.Export.Int8;
using FaceDistill.Faces;
using OpenCvSharp;

namespace FaceDistill.Tests.Export.Int8;

public sealed class ActivationRangeTests
{
    [Fact]
    public void One_outlier_stretches_min_max_and_neither_of_the_others()
    {
        var random = new Random(1);
        float[] values = [.. Enumerable.Range(0, 1_000_000).Select(_ => random.NextSingle()), 5];
        var seen = Seen(values);
        Assert.Equal(5 / 255f, ActivationRange.Of(seen, CalibrationMethod.MinMax).Scale, 1e-6);
        Assert.InRange(ActivationRange.Of(seen, CalibrationMethod.Percentile).Scale, 0.99 / 255, 1.05 / 255);
        Assert.InRange(ActivationRange.Of(seen, CalibrationMethod.MeanSquaredError).Scale, 0.99 / 255, 4.5 / 255); // it weighs the one against the million
    }

    [Fact]
    public void The_least_squared_error_is_less_than_that_of_other_ranges()
    {
        var random = new Random(2);
        float[] values = [.. Enumerable.Range(0, 50_000).Select(_ => (float)MathNet.Numerics.Distributions.Exponential.Sample(random, 1))];
        var seen = Seen(values);
        double Error(ActivationRange r) => values.Average(v => Math.Pow(v - ((Math.Clamp(Math.Round(v / r.Scale) + r.Zero, 0, 255) - r.Zero) * r.Scale), 2));
        double best = Error(ActivationRange.Of(seen, CalibrationMethod.MeanSquaredError));
        Assert.True(best < Error(ActivationRange.Of(seen, CalibrationMethod.MinMax)));
        Assert.All(Enumerable.Range(1, 20), i => Assert.True(best <= Error(ActivationRange.Between(0, seen.Max * i / 20)) * 1.02, $"{i}"));
    }

    // Whether the host scales a pixel or the graph: the same level, and none half-way between two.
    [Fact]
    public void Each_value_of_a_pixel_has_a_level_and_rounding_errors_decide_nothing()
    {
        var contract = FaceTensor.StudentContract(1, "dlib");
        var range = ActivationRange.OfPictures(contract);
        Assert.Equal((1 / 127f, (byte)128), (range.Scale, range.Zero));
        var levels = new HashSet<double>();
        for (int pixel = 0; pixel < 256; pixel++)
        {
            using var face = new Mat(1, 1, MatType.CV_8UC3, Scalar.All(pixel));
            var host = new float[3];
            FaceTensor.Fill(face, contract, host);
            double Level(float value) => value / range.Scale;
            Assert.InRange(Math.Abs(Math.Abs(Level(host[0]) - Math.Floor(Level(host[0]))) - 0.5), 1e-3, 0.5);
            Assert.Equal(Math.Round(Level((pixel - 127.5f) * (1 / 127.5f))), Math.Round(Level(host[0])));
            levels.Add(Math.Round(Level(host[0])) + range.Zero);
        }

        Assert.Equal(255, levels.Count); // 127 and 128 lie beside the middle
        Assert.Equal((1, 255), (levels.Min(), levels.Max()));
    }

    [Theory]
    [InlineData(0, 2.55, 0.01, 0)]
    [InlineData(-1, 1, 2 / 255.0, 128)]
    [InlineData(-2.55, 0, 0.01, 255)]
    public void Zero_is_a_level(double min, double max, double scale, int zero)
    {
        var range = ActivationRange.Between(min, max);
        Assert.Equal(scale, range.Scale, 1e-7);
        Assert.Equal(zero, range.Zero);
    }

    [Theory]
    [InlineData(CalibrationMethod.MinMax)]
    [InlineData(CalibrationMethod.Percentile)]
    [InlineData(CalibrationMethod.MeanSquaredError)]
    public void A_layer_that_is_always_zero_has_a_step(CalibrationMethod method) => Assert.True(ActivationRange.Of(Seen(new float[100]), method).Scale > 0);

    [Fact]
    public void Means_are_those_of_the_channels()
    {
        var seen = new ActivationStatistics(2);
        seen.Add([1, 3, 10, 20, 5, 7, 30, 40], plane: 2); // two faces, two channels of two pixels
        Assert.Equal((4, 25), (seen.Mean(0), seen.Mean(1)));
        Assert.Equal((0, 40), (seen.Min, seen.Max));
    }

    private static ActivationStatistics Seen(float[] values)
    {
        var seen = new ActivationStatistics(1);
        seen.Add(values, values.Length);
        seen.AddHistogram(values);
        return seen;
    }
}
