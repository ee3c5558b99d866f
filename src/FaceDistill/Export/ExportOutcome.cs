using System.Text.Json.Serialization;
using FaceDistill.Distillation;

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
