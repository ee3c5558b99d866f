using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Formats;

namespace FaceDistill.Teachers;

/// <summary>What embedding a folder came to.</summary>
/// <param name="Store">The finished store.</param>
/// <param name="Computed">Images embedded by this run; 0 when the store was there already.</param>
public sealed record EmbeddingOutcome(EmbeddingStore Store, int Computed);

/// <summary>Where a store's faces came from: source.json beside the parts, so that protocols find their files.</summary>
/// <param name="Data">The data set's folder.</param>
/// <param name="Aligned">The folder of the aligned faces.</param>
public sealed record EmbeddingSource(string Data, string Aligned)
{
    private const string FileName = "source.json";

    /// <summary>Reads a store's source; null where the store does not say.</summary>
    public static EmbeddingSource? Of(string store) =>
        Path.Combine(store, FileName) is var path && File.Exists(path) ? JsonFile.Read<EmbeddingSource>(path) : null;

    /// <summary>Writes it into a store.</summary>
    public void Write(string store) => JsonFile.Write(Path.Combine(store, FileName), this);
}

/// <summary>Embeds a folder of aligned faces into a store; parts that are there already are kept.</summary>
public static class EmbeddingRun
{
    /// <summary>Fills a store.</summary>
    /// <param name="model">The model.</param>
    /// <param name="faces">The aligned faces.</param>
    /// <param name="views">The views of each face.</param>
    /// <param name="data">The data set's folder, remembered for its protocol files.</param>
    /// <param name="folder">The store's folder; null for the cache's own for this key.</param>
    /// <param name="progress">Told of every batch.</param>
    /// <param name="cancel">Stops between batches; the next run goes on after the last whole part.</param>
    /// <exception cref="FaceDistillException">A face or the model is not right, or the folder holds another store.</exception>
    public static EmbeddingOutcome Run(
        IEmbedder model, AlignedFaces faces, IReadOnlyList<FaceView> views, string data, string? folder, IProgress<WorkProgress>? progress, CancellationToken cancel) =>
        Run(model, faces, [.. views.Select(EmbeddedView.Of)], data, folder, progress, cancel);

    /// <inheritdoc cref="Run(IEmbedder, AlignedFaces, IReadOnlyList{FaceView}, string, string?, IProgress{WorkProgress}?, CancellationToken)"/>
    public static EmbeddingOutcome Run(
        IEmbedder model, AlignedFaces faces, IReadOnlyList<EmbeddedView> views, string data, string? folder, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(faces);
        var images = faces.Dataset.Images.Select(i => (i.Path, i.Identity)).ToList();
        string list = ImageListHash.Compute(faces.Dataset.Root, [.. images.Select(i => i.Path)], progress, cancel);
        var key = new EmbeddingStoreKey(model.Name, ModelHash(model), faces.Manifest.Hash(), list, model.Dimension, images.Count,
            [.. views.Select(v => v.Name)]);
        string target = folder ?? key.DefaultFolder;
        int computed = 0;
        using (var writer = EmbeddingStoreWriter.Open(target, key, images, folder is null ? FolderLock.Wait(target, progress, cancel) : null, null, cancel))
        {
            var embedder = new FolderEmbedder(model, faces);
            int done = 0;
            var missing = writer.MissingParts().ToList();
            int total = missing.Sum(part => key.Images(part).Count);
            foreach (int part in missing)
            {
                var (first, count) = key.Images(part);
                writer.WritePart(part, embedder.Embed(first, count, views,
                    n => progress?.Report(new WorkProgress($"embedding with {model.Name}", Interlocked.Add(ref done, n), total, "images")), cancel));
                computed += count;
            }

            new EmbeddingSource(data, faces.Dataset.Root).Write(target);
        }

        return new EmbeddingOutcome(EmbeddingStore.Open(target), computed);
    }

    /// <summary>A view's name in a store: original or mirrored.</summary>
    public static string ViewName(FaceView view) => view switch
    {
        FaceView.Original => "original",
        FaceView.Mirrored => "mirrored",
        _ => throw new ArgumentOutOfRangeException(nameof(view)),
    };

    // The contract decides the embeddings as much as the weights do.
    private static string ModelHash(IEmbedder model) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(
        System.Text.Encoding.UTF8.GetBytes(model.Hash + JsonFile.Serialize(model.Contract))));
}
