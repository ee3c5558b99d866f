using FaceDistill.Faces;

namespace FaceDistill.Export.Int8;

/// <summary>What was seen of one layer's output: its range, a histogram, and the mean of each channel.</summary>
internal sealed class ActivationStatistics
{
    /// <summary>The histogram's bins.</summary>
    public const int Bins = 4096;

    private readonly long[] _histogram = new long[Bins];
    private readonly double[] _sums;
    private long _perChannel;

    /// <summary>Starts empty.</summary>
    /// <param name="channels">The output's channels.</param>
    public ActivationStatistics(int channels) => _sums = new double[channels];

    /// <summary>The smallest value, at most 0.</summary>
    public float Min { get; private set; }

    /// <summary>The largest value, at least 0.</summary>
    public float Max { get; private set; }

    /// <summary>The counts of values between <see cref="Min"/> and <see cref="Max"/>, in bins of equal width.</summary>
    public ReadOnlySpan<long> Histogram => _histogram;

    /// <summary>The mean of a channel.</summary>
    public double Mean(int channel) => _perChannel == 0 ? 0 : _sums[channel] / _perChannel;

    /// <summary>First pass: range and means.</summary>
    /// <param name="values">float32 [N, channels, height * width], row-major.</param>
    /// <param name="plane">height * width.</param>
    public void Add(ReadOnlySpan<float> values, int plane)
    {
        for (int start = 0; start < values.Length; start += plane)
        {
            double sum = 0;
            foreach (float v in values.Slice(start, plane))
            {
                sum += v;
                Min = Math.Min(Min, v);
                Max = Math.Max(Max, v);
            }

            _sums[start / plane % _sums.Length] += sum;
        }

        _perChannel += values.Length / _sums.Length;
    }

    /// <summary>Second pass, when the range is known: the histogram.</summary>
    public void AddHistogram(ReadOnlySpan<float> values)
    {
        float width = (Max - Min) / Bins;
        if (width > 0)
        {
            foreach (float v in values)
            {
                _histogram[Math.Clamp((int)((v - Min) / width), 0, Bins - 1)]++;
            }
        }
    }
}

/// <summary>The 256 levels of an activation: value = scale (level - zero), level 0 to 255. Zero is a level itself, so that padding is exact.</summary>
/// <param name="Scale">The step, above 0.</param>
/// <param name="Zero">The level of 0.</param>
internal readonly record struct ActivationRange(float Scale, byte Zero)
{
    private const double Percentile = 0.9999;
    private const int Candidates = 100;

    /// <summary>The levels between two values.</summary>
    /// <param name="min">At most 0.</param>
    /// <param name="max">At least 0.</param>
    public static ActivationRange Between(double min, double max)
    {
        double scale = Math.Max((max - min) / 255, 1e-12); // an activation that is always 0 needs a step too
        return new ActivationRange((float)scale, (byte)Math.Clamp(Math.Round(-min / scale), 0, 255));
    }

    /// <summary>
    /// The levels of pictures, black to white, whatever those that were seen hold: level 1 to 255. With all 256 levels the zero in the middle of a student's
    /// contract would lie between two of them, and each of the 256 values of a pixel just half-way between two others, for rounding errors to decide.
    /// </summary>
    /// <param name="contract">How a pixel is scaled.</param>
    public static ActivationRange OfPictures(ModelInputSpec contract)
    {
        ArgumentNullException.ThrowIfNull(contract);
        double Scaled(double pixel, Func<IEnumerable<double>, double> of) => of(contract.Mean.Zip(contract.Std, (mean, std) => (pixel - mean) / std));
        double min = Scaled(0, Enumerable.Min), max = Scaled(255, Enumerable.Max);
        double scale = (max - min) / 254;
        return new ActivationRange((float)scale, (byte)Math.Clamp(1 + Math.Round(-min / scale), 0, 255));
    }

    /// <summary>The levels by a method.</summary>
    public static ActivationRange Of(ActivationStatistics seen, CalibrationMethod method)
    {
        ArgumentNullException.ThrowIfNull(seen);
        return method switch
        {
            CalibrationMethod.Percentile => AtPercentile(seen),
            CalibrationMethod.MeanSquaredError => LeastError(seen),
            _ => Between(seen.Min, seen.Max),
        };
    }

    // Each end by itself: as many values beyond it as the percentile leaves.
    private static ActivationRange AtPercentile(ActivationStatistics seen)
    {
        var histogram = seen.Histogram;
        double width = (seen.Max - seen.Min) / (double)histogram.Length;
        long total = 0;
        foreach (long count in histogram)
        {
            total += count;
        }

        long beyond = (long)(total * (1 - Percentile));
        int low = 0, high = histogram.Length - 1;
        for (long left = beyond; low < high && histogram[low] <= left; low++)
        {
            left -= histogram[low];
        }

        for (long left = beyond; high > low && histogram[high] <= left; high--)
        {
            left -= histogram[high];
        }

        return Between(Math.Min(0, seen.Min + (low * width)), Math.Max(0, seen.Min + ((high + 1) * width)));
    }

    // Both ends are drawn in by the same part.
    private static ActivationRange LeastError(ActivationStatistics seen)
    {
        var (best, least) = (Between(seen.Min, seen.Max), double.PositiveInfinity);
        for (int i = 1; i <= Candidates; i++)
        {
            double part = i / (double)Candidates;
            var range = Between(seen.Min * part, seen.Max * part);
            double error = Error(seen, range);
            (best, least) = error < least ? (range, error) : (best, least);
        }

        return best;
    }

    private static double Error(ActivationStatistics seen, ActivationRange range)
    {
        var histogram = seen.Histogram;
        double width = (seen.Max - seen.Min) / (double)histogram.Length, error = 0;
        for (int b = 0; b < histogram.Length; b++)
        {
            if (histogram[b] > 0)
            {
                double value = seen.Min + ((b + 0.5) * width);
                double level = Math.Clamp(Math.Round(value / range.Scale) + range.Zero, 0, 255);
                double difference = value - ((level - range.Zero) * range.Scale);
                error += histogram[b] * difference * difference;
            }
        }

        return error;
    }
}
