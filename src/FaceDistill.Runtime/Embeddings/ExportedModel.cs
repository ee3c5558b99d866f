using System.Text.Json.Serialization;
using FaceDistill.Faces;
using FaceDistill.Files;

namespace FaceDistill.Embeddings;

/// <summary>What an .onnx file that FaceDistill exported says of itself in its metadata, and how to run it.</summary>
internal static class ExportedModel
{
    /// <summary>The metadata key under which the <see cref="ModelInputSpec"/> stands as JSON.</summary>
    public const string ContractKey = "facedistill.contract";

    /// <summary>The metadata key under which the student's name stands.</summary>
    public const string StudentKey = "facedistill.student";

    /// <summary>The metadata key under which the student's head stands.</summary>
    public const string HeadKey = "facedistill.head";

    /// <summary>The metadata key of the SHA-256 of the student's teacher.</summary>
    public const string TeacherHashKey = "teacher_sha256";

    /// <summary>The metadata key under which the embedding's length stands.</summary>
    public const string DimensionKey = "dimension";

    /// <summary>What a model card's name ends in, after that of the model's file.</summary>
    public const string CardEnding = ".card.json";

    /// <summary>Opens an exported file.</summary>
    /// <param name="path">An .onnx or .ort file.</param>
    /// <param name="provider">Where it is computed: one of <see cref="OnnxProviders.Names"/>.</param>
    /// <param name="say">Told where the CPU takes another's place.</param>
    /// <exception cref="FaceDistillException">The file is missing or damaged, does not say what it wants to see, or the provider is not there.</exception>
    public static OnnxEmbedder Open(string path, string provider, Action<string>? say)
    {
        var metadata = Metadata(path);
        string name = $"{metadata.GetValueOrDefault(StudentKey)} ({Path.GetFileName(path)})";
        return new OnnxEmbedder(name, path, InputSpec(metadata, path), null, provider, say);
    }

    /// <summary>The file's metadata.</summary>
    /// <param name="path">An .onnx or .ort file.</param>
    /// <exception cref="FaceDistillException">The file is missing or no model that ONNX Runtime loads.</exception>
    public static IReadOnlyDictionary<string, string> Metadata(string path)
    {
        using var session = OnnxSessions.Open(path);
        return session.ModelMetadata.CustomMetadataMap;
    }

    /// <summary>What an exported file wants to see.</summary>
    /// <param name="metadata">The file's metadata.</param>
    /// <param name="path">The file, for the message.</param>
    /// <exception cref="FaceDistillException">The metadata do not say, or are not valid.</exception>
    public static ModelInputSpec InputSpec(IReadOnlyDictionary<string, string> metadata, string path)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        string origin = $"{path}, metadata {ContractKey}";
        return metadata.TryGetValue(ContractKey, out string? contract)
            ? JsonFile.Parse<ModelInputSpec>(contract, origin).Validated(origin)
            : throw new FaceDistillException(
                $"{path} does not say what input it wants (FaceDistill did not export it); write a card for it and give teacher:CARD.json");
    }
}

/// <summary>A measured threshold that an exported file carries: accept a pair when the cosine of its embeddings is at or above it.</summary>
/// <param name="Far">The false accept rate that it permits.</param>
/// <param name="Threshold">The cosine.</param>
/// <param name="Protocol">The protocol by which it was measured.</param>
/// <param name="ImpostorPairs">On how many impostor pairs.</param>
public sealed record StudentThreshold(double Far, float Threshold, string Protocol, long ImpostorPairs)
{
    /// <summary>The 95% interval of the rate of this threshold, [low, high], by resampling the people who were measured; null where it is not known.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<double>? FarInterval95 { get; init; }

    /// <summary>The metadata key under which the list stands as JSON; a file without it carries no threshold.</summary>
    public const string MetadataKey = "facedistill.thresholds";

    /// <summary>The list as the metadata hold it.</summary>
    public static string Text(IReadOnlyList<StudentThreshold> thresholds) => JsonFile.Serialize(thresholds);
}

/// <summary>Reads the thresholds that an exported file carries, and finds one.</summary>
internal static class StudentThresholds
{
    // A rate is typed: 0.0001 and 1e-4 are one, 1e-4 and 1.1e-4 are not.
    private const double RelativeTolerance = 1e-9;

    /// <summary>The thresholds of a file; none where its metadata have no <see cref="StudentThreshold.MetadataKey"/>.</summary>
    /// <param name="metadata">The file's metadata.</param>
    /// <param name="path">The file, for the message.</param>
    /// <exception cref="FaceDistillException">The list is malformed.</exception>
    public static IReadOnlyList<StudentThreshold> Of(IReadOnlyDictionary<string, string> metadata, string path)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        string origin = $"{path}, metadata {StudentThreshold.MetadataKey}";
        StudentThreshold[] thresholds = metadata.TryGetValue(StudentThreshold.MetadataKey, out string? text)
            ? JsonFile.Parse<StudentThreshold[]>(text, origin) : [];
        var wrong = thresholds.FirstOrDefault(t => t is not { Far: > 0 and < 1, Threshold: >= -1.1f and <= 1.1f, ImpostorPairs: > 0 });
        return wrong is null ? thresholds
            : throw new FaceDistillException(InvariantText.Of($"{origin}: a rate is above 0 and below 1 and a threshold a cosine, not {wrong.Far} and "
                + $"{wrong.Threshold} of {wrong.ImpostorPairs:N0} pairs; export the file again"));
    }

    /// <summary>The cosine at a false accept rate.</summary>
    /// <param name="thresholds">Those of the file.</param>
    /// <param name="far">The false accept rate.</param>
    /// <param name="path">The file, for the message.</param>
    /// <exception cref="FaceDistillException">There is none for that rate.</exception>
    public static float At(IReadOnlyList<StudentThreshold> thresholds, double far, string path)
    {
        ArgumentNullException.ThrowIfNull(thresholds);
        var found = thresholds.FirstOrDefault(t => Math.Abs(t.Far - far) <= far * RelativeTolerance);
        return found is not null ? found.Threshold : throw new FaceDistillException(thresholds.Count == 0
            ? $"{path} carries no threshold: measured none; export with --evaluate on people whom it was not trained on ({Needs(far)})"
            : thresholds.Max(t => t.ImpostorPairs) is var pairs && far is >= 1e-12 and < 1 && FarTargets.Permitted(far, pairs) < 1
            ? InvariantText.Of($"{path} carries no threshold for FAR {FarTargets.Label(far)}, for which the {pairs:N0} pairs of two people on which it was ")
                + $"measured are too few; export with --evaluate on more people ({Needs(far)})"
            : $"{path} carries no threshold for FAR {FarTargets.Label(far)}; it has those for "
                + $"{string.Join(", ", thresholds.Select(t => FarTargets.Label(t.Far)))}; measure others with '{Hints.Command} evaluate'");
    }

    private static string Needs(double far) => far is >= 1e-12 and < 1 ? FarTargets.Enough(far) : "a false accept rate is above 0 and below 1";
}
