namespace FaceDistill.Export;

/// <summary>How the range of an activation is chosen, within which 256 levels are laid out.</summary>
public enum CalibrationMethod
{
    /// <summary>From the smallest to the largest value seen.</summary>
    MinMax,

    /// <summary>Where 99.99% of the values end.</summary>
    Percentile,

    /// <summary>Where the squared error of rounding and clipping together is least, by a histogram.</summary>
    MeanSquaredError,
}
