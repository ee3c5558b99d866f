using FaceDistill.Faces;
using FaceDistill.Files;

namespace FaceDistill.Embeddings;

/// <summary>What an .onnx file that FaceDistill exported says of itself in its metadata, and how to run it.</summary>
public static class ExportedModel
{
    /// <summary>The metadata key under which the <see cref="ModelInputSpec"/> stands as JSON.</summary>
    public const string ContractKey = "facedistill.contract";

    /// <summary>The metadata key under which the student's name stands.</summary>
    public const string StudentKey = "facedistill.student";

    /// <summary>The metadata key under which the student's head stands.</summary>
    public const string HeadKey = "facedistill.head";

    /// <summary>The metadata key under which the embedding's length stands.</summary>
    public const string DimensionKey = "dimension";

    /// <summary>Opens an exported file.</summary>
    /// <param name="path">An .onnx or .ort file.</param>
    /// <exception cref="FaceDistillException">The file is missing or damaged, or does not say what it wants to see.</exception>
    public static OnnxEmbedder Open(string path)
    {
        var metadata = Metadata(path);
        return new OnnxEmbedder($"{metadata.GetValueOrDefault(StudentKey)} ({Path.GetFileName(path)})", path, InputSpec(metadata, path));
    }

    /// <summary>The file's metadata.</summary>
    /// <param name="path">An .onnx or .ort file.</param>
    /// <exception cref="FaceDistillException">The file is missing or no model that ONNX Runtime loads.</exception>
    public static IReadOnlyDictionary<string, string> Metadata(string path)
    {
        using var session = OnnxEmbedder.Open(path);
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
