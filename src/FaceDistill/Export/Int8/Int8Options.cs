namespace FaceDistill.Export.Int8;

/// <summary>How a student is quantised.</summary>
public sealed record Int8Options
{
    /// <summary>How activation ranges are chosen. Default null: the method with the smallest measured error.</summary>
    public CalibrationMethod? Method { get; init; }

    /// <summary>Whether channels are equalised between layers. Default null: where the measured error is smaller so.</summary>
    public bool? Equalize { get; init; }

    /// <summary>Whether biases take back the rounding's shift of the mean. Default null: where the measured error is smaller so.</summary>
    public bool? CorrectBias { get; init; }

    /// <summary>The most layers that may stay in float32, 0 to 28, each only where the error falls by a tenth. Default 0.</summary>
    public int MaxFloat32Layers { get; init; }

    /// <summary>Faces that ranges are measured on, 16 to 100,000. Default 512.</summary>
    public int CalibrationFaces { get; init; } = 512;

    /// <summary>Other faces, by which method and remedies are chosen, 16 to 100,000. Default 256.</summary>
    public int SelectionFaces { get; init; } = 256;

    /// <summary>Checks every range.</summary>
    /// <returns>The options themselves.</returns>
    /// <exception cref="FaceDistillException">A value is out of its range; the message names it.</exception>
    public Int8Options Validated()
    {
        string? wrong = MaxFloat32Layers is < 0 or > 28 ? $"layers kept in float32 are 0 to 28, not {MaxFloat32Layers}"
            : CalibrationFaces is < 16 or > 100_000 ? $"calibration faces are 16 to 100000, not {CalibrationFaces}"
            : SelectionFaces is < 16 or > 100_000 ? $"selection faces are 16 to 100000, not {SelectionFaces}"
            : null;
        return wrong is null ? this : throw new FaceDistillException(wrong);
    }
}

/// <summary>What was chosen and measured in a quantisation.</summary>
/// <param name="Method">How activation ranges were chosen.</param>
/// <param name="Equalized">Whether channels were equalised.</param>
/// <param name="BiasCorrected">Whether biases were corrected.</param>
/// <param name="Float32Layers">Layers that stayed in float32.</param>
/// <param name="Error">The part of the embeddings' variance that quantisation adds as error, on the selection faces.</param>
/// <param name="CalibrationFaces">Faces that ranges were measured on.</param>
/// <param name="SelectionFaces">Other faces, by which it was chosen.</param>
/// <param name="Tried">Each combination tried with its error.</param>
public sealed record Int8Report(
    CalibrationMethod Method, bool Equalized, bool BiasCorrected, IReadOnlyList<string> Float32Layers, double Error, int CalibrationFaces, int SelectionFaces,
        IReadOnlyList<Int8Trial> Tried);

/// <summary>One combination that was tried.</summary>
/// <param name="Method">How activation ranges were chosen.</param>
/// <param name="Equalized">Whether channels were equalised.</param>
/// <param name="BiasCorrected">Whether biases were corrected.</param>
/// <param name="Error">The part of the embeddings' variance added as error.</param>
public sealed record Int8Trial(CalibrationMethod Method, bool Equalized, bool BiasCorrected, double Error);

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
