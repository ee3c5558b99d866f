namespace FaceDistill.Export;

/// <summary>What was seen of one layer's output: its range, a histogram, and the mean of each channel.</summary>
public sealed class ActivationStatistics
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
