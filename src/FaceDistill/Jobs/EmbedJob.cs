using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Runs;
using FaceDistill.Stores;
using FaceDistill.Views;

namespace FaceDistill.Jobs;

/// <summary>What to embed.</summary>
/// <param name="Model">A model argument: a run folder, an exported file or teacher:CARD.</param>
/// <param name="Data">A folder of photos or aligned faces, or a data set's name.</param>
/// <param name="Output">The store's folder; null for the cache's own for this model and data.</param>
/// <param name="Mirrored">Whether to embed each face mirrored as well.</param>
/// <param name="Aligned">The template that the user says the pictures are aligned to; null to go by alignment.json.</param>
/// <param name="Device">Where a run folder's student computes.</param>
public sealed record EmbedRequest(string Model, string Data, string? Output, bool Mirrored, string? Aligned, string Device);

/// <summary>Embeds a folder of faces into a store.</summary>
public sealed class EmbedJob(AssetFinder finder)
{
    /// <summary>Embeds.</summary>
    /// <exception cref="FaceDistillException">The model, the data or the store is not right; the message says what.</exception>
    public EmbeddingOutcome Run(EmbedRequest request, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Output is { } output && File.Exists(output))
        {
            throw new FaceDistillException($"--output {output} is a file; name a folder");
        }

        var folder = DataFolder.Resolve(request.Data, finder);
        using var model = ModelArgument.Open(request.Model, finder, request.Device, job);
        var faces = new FaceSource(finder).Open(folder, model.Contract.Template, request.Aligned, job);
        FaceView[] views = request.Mirrored ? [FaceView.Original, FaceView.Mirrored] : [FaceView.Original];
        return EmbeddingRun.Run(model, faces, [.. views.Select(EmbeddedView.Of)], folder.Root, request.Output, job);
    }
}
