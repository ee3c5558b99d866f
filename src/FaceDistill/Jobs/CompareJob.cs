using System.Text.Json.Serialization;
using FaceDistill.Assets;
using FaceDistill.Embeddings;

namespace FaceDistill.Jobs;

/// <summary>What to compare.</summary>
/// <param name="A">A photo.</param>
/// <param name="B">Another.</param>
/// <param name="Model">A model argument; null for the best student that was measured and kept.</param>
/// <param name="Device">Where a run folder's student computes.</param>
public sealed record CompareRequest(string A, string B, string? Model = null, string Device = "auto")
{
    /// <summary>Where ONNX Runtime computes a teacher or an exported file: cpu, cuda, directml, openvino, coreml, or auto, as in
    /// <see cref="FaceEmbedder.Load"/>.</summary>
    public string Provider { get; init; } = OnnxProviders.Auto;
}

/// <summary>How alike the faces of two photos are.</summary>
/// <param name="Similarity">The cosine of their embeddings, -1 to 1.</param>
/// <param name="Same">Whether that is accepted as one person at <see cref="Comparison.Far"/>; null where no threshold is known.</param>
/// <param name="FalseAcceptRate">The false accept rate at which the pair would just be accepted; null where nothing was measured.</param>
/// <param name="By">The model, and what is known of it.</param>
/// <param name="A">The one face.</param>
/// <param name="B">The other.</param>
public sealed record CompareResult(
    float Similarity, bool? Same, FalseAcceptEstimate? FalseAcceptRate, Comparison By, ComparedPhoto A, ComparedPhoto B)
{
    /// <summary>What the similarity may say less for; null where there is nothing.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Warnings { get; init; }
}

/// <summary>Compares the faces of two photos.</summary>
public sealed class CompareJob(AssetFinder finder)
{
    /// <summary>Compares.</summary>
    /// <exception cref="FaceDistillException">A photo cannot be read or shows no face, the model is none, or the face detector is not on this
    /// machine.</exception>
    public CompareResult Run(CompareRequest request, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(request);
        ComparedPhotos.Check([request.A, request.B]);
        using var model = ComparedModel.Open(request.Model, finder, request.Device, request.Provider, job);
        var (first, a) = model.Embed(request.A);
        var (second, b) = model.Embed(request.B);
        float similarity = FaceEmbedder.Similarity(first, second);
        List<string> warnings = [.. model.Warnings(a, b), .. ComparedPhotos.SameFile(request.A, request.B)];
        return new CompareResult(similarity, model.Same(similarity), model.Rate(similarity), model.About, a, b)
        {
            Warnings = warnings.Count > 0 ? warnings : null,
        };
    }
}
