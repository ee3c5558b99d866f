using FaceDistill.Formats;

namespace FaceDistill.Export;

/// <summary>A measured threshold that an exported file carries: accept a pair when the cosine of its embeddings is at or above it.</summary>
/// <param name="Far">The false accept rate that it permits.</param>
/// <param name="Threshold">The cosine.</param>
/// <param name="Protocol">The protocol by which it was measured.</param>
/// <param name="ImpostorPairs">On how many impostor pairs.</param>
public sealed record StudentThreshold(double Far, float Threshold, string Protocol, long ImpostorPairs)
{
    /// <summary>The metadata key under which the list stands as JSON; a file without it carries no threshold.</summary>
    public const string MetadataKey = "facedistill.thresholds";

    /// <summary>The list as the metadata hold it.</summary>
    public static string Text(IReadOnlyList<StudentThreshold> thresholds) => JsonFile.Serialize(thresholds);
}
