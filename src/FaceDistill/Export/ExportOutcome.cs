using System.Text.Json.Serialization;
using FaceDistill.Export.Int8;
using FaceDistill.Files;
using FaceDistill.Training;

namespace FaceDistill.Export;

/// <summary>What an export came to: the files, and how far their embeddings are from TorchSharp's on real faces.</summary>
/// <param name="Files">The written files, the model first.</param>
/// <param name="MaxAbsDifference">The largest difference of any embedding value; a part of the largest value where that is above 1.</param>
/// <param name="MinCosine">The smallest cosine between the two embeddings of a face.</param>
/// <param name="Faces">The number of faces compared.</param>
public sealed record ExportOutcome(IReadOnlyList<string> Files, double MaxAbsDifference, double MinCosine, int Faces)
{
    /// <summary>The format's name; null where an earlier version noted the export.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Format { get; init; }

    /// <summary>How the cosines are spread.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public CosineSpread? Cosine { get; init; }

    /// <summary>
    /// The same less the training targets' mean, which all embeddings share and which hides differences between faces.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public CosineSpread? CentredCosine { get; init; }

    /// <summary>How far the student's embeddings lie from one another beside its teacher's; null for fewer than two faces.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public EmbeddingSpread? Spread { get; init; }

    /// <summary>How far the file's lie from one another beside the student's in TorchSharp.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public EmbeddingSpread? FileSpread { get; init; }

    /// <summary>How an 8-bit file was made; null for others.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Int8Report? Int8 { get; init; }

    /// <summary>Accuracy before and after; null where it was not measured.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ExportAccuracy? Accuracy { get; init; }
}

/// <summary>Accuracy of the run's student and of the exported file by one protocol. Rates are fractions.</summary>
/// <param name="Protocol">The protocol.</param>
/// <param name="Data">The test data's name.</param>
/// <param name="ImpostorPairs">The number of impostor pairs.</param>
/// <param name="TarBefore">TAR at FAR 1e-4 of the student in TorchSharp; null where the impostor pairs are too few.</param>
/// <param name="IntervalBefore">Its 95% interval, [low, high]; null where there is none.</param>
/// <param name="TarAfter">TAR at FAR 1e-4 of the file.</param>
/// <param name="IntervalAfter">Its 95% interval.</param>
public sealed record ExportAccuracy(
    string Protocol,
    string Data,
    long ImpostorPairs,
    [property: JsonPropertyName("tarBeforeAt1e-4")] double? TarBefore,
    [property: JsonPropertyName("tarBeforeInterval95At1e-4")] IReadOnlyList<double>? IntervalBefore,
    [property: JsonPropertyName("tarAfterAt1e-4")] double? TarAfter,
    [property: JsonPropertyName("tarAfterInterval95At1e-4")] IReadOnlyList<double>? IntervalAfter)
{
    /// <summary>How much of the TAR is lost, in percentage points; negative where it rose.</summary>
    [JsonIgnore]
    public double? LossPoints => 100 * (TarBefore - TarAfter);

    /// <summary>Refuses a loss above a limit.</summary>
    /// <param name="points">The limit, percentage points; null for none.</param>
    /// <param name="path">The file, for the message.</param>
    /// <exception cref="FaceDistillException">The loss is greater, or was not to be measured.</exception>
    public void Check(double? points, string path)
    {
        if (points is null)
        {
            return;
        }

        if (LossPoints is not { } loss)
        {
            throw new FaceDistillException(InvariantText.Of(
                $"{path} was not written: {Protocol} on {Data} has {ImpostorPairs} impostor pairs, too few to measure a loss at FAR 1e-4; take more test "
                    + $"faces or leave out --max-loss"));
        }

        if (loss > points)
        {
            throw new FaceDistillException(InvariantText.Of(
                $"{path} was not written: TAR at 1e-4 falls from {100 * TarBefore:0.00}% to {100 * TarAfter:0.00}% by {Protocol} on {Data}, {loss:0.00} "
                    + $"points where --max-loss allows {points:0.##}"));
        }
    }
}
