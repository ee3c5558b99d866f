namespace FaceDistill.Evaluation;

/// <summary>
/// How certain true accept rates are: their values on bootstrap resamples of the identities (not of the pairs: pairs that
/// share a person are not independent).
/// </summary>
public sealed class TarUncertainty
{
    private readonly double[]?[] _tars; // [fars][resamples]
    private readonly string _key;       // what two models must share to be resampled alike

    internal TarUncertainty(IReadOnlyList<double> fars, int resamples, double[]?[] tars, string key) =>
        (Fars, Resamples, _tars, _key) = (fars, resamples, tars, key);

    /// <summary>The false accept rates asked for.</summary>
    public IReadOnlyList<double> Fars { get; }

    /// <summary>How many resamples were drawn.</summary>
    public int Resamples { get; }

    /// <summary>The 95% interval of the true accept rate at a rate; null where the rate was refused, not asked for, or has a tail
    /// of more than 16 million impostor pairs, too many to keep with their identities.</summary>
    public Interval? At(double far) => Tars(far) is { } tars ? Interval.Percentile(tars) : null;

    /// <summary>The 95% interval of this model's rate by a reference's, resample by resample; null where either has none, they
    /// were not resampled alike, or the reference accepts nobody in some resample.</summary>
    public Interval? Ratio(TarUncertainty reference, double far)
    {
        ArgumentNullException.ThrowIfNull(reference);
        return Pairs(reference, far) is { } pairs && pairs.TrueForAll(pair => pair.Other > 0)
            ? Interval.Percentile(pairs.Select(pair => pair.Own / pair.Other)) : null;
    }

    /// <summary>This model's rate less another's in each resample; null where either has none, or they were not resampled alike.</summary>
    internal double[]? Differences(TarUncertainty other, double far) => Pairs(other, far)?.Select(pair => pair.Own - pair.Other).ToArray();

    private List<(double Own, double Other)>? Pairs(TarUncertainty other, double far) =>
        _key == other._key && Tars(far) is { } own && other.Tars(far) is { } theirs ? [.. own.Zip(theirs)] : null;

    private double[]? Tars(double far)
    {
        int at = Fars.ToList().IndexOf(far);
        return at < 0 ? null : _tars[at];
    }
}
