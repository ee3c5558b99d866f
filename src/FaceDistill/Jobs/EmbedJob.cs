using FaceDistill.Assets;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Runs;
using FaceDistill.Stores;
using FaceDistill.Views;

namespace FaceDistill.Jobs;

/// <summary>What to embed.</summary>
/// <param name="Model">A model argument: a run folder, an exported file or teacher:CARD.</param>
/// <param name="Data">A folder of photos or aligned faces, or a data set's name.</param>
/// <param name="Output">The store's folder; null to keep the embeddings in the cache only.</param>
/// <param name="Mirrored">Whether to embed each face mirrored as well.</param>
/// <param name="Aligned">The template that the user says the pictures are aligned to; null to go by alignment.json.</param>
/// <param name="Device">Where a run folder's student computes.</param>
public sealed record EmbedRequest(string Model, string Data, string? Output, bool Mirrored, string? Aligned, string Device)
{
    /// <summary>Whether a face's embedding is the sum of those of the face and of its mirror image; the store's model is called so.</summary>
    public bool Flip { get; init; }

    /// <summary>The part of the data that this process does, into the cache; null for all.</summary>
    public DataShard? Shard { get; init; }

    /// <summary>Where ONNX Runtime computes a teacher or an exported file: cpu, cuda, directml, openvino, coreml, or auto, as in
    /// <see cref="FaceEmbedder.Load"/>.</summary>
    public string Provider { get; init; } = OnnxProviders.Auto;
}

/// <summary>What embedding a folder came to.</summary>
/// <param name="Store">The store's folder; null where none was asked for.</param>
/// <param name="Model">The model's name.</param>
/// <param name="Images">The faces.</param>
/// <param name="Dimension">D, the embedding's length.</param>
/// <param name="Computed">Faces embedded by this run; 0 when all were known already.</param>
public sealed record EmbeddingOutcome(string? Store, string Model, int Images, int Dimension, int Computed);

/// <summary>Embeds a folder of faces, into the cache and, where asked for, into a store.</summary>
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

        if (request.Shard is not null && request.Output is not null)
        {
            throw new FaceDistillException("a part goes into the cache that all tasks share: leave --output out, and write the store by one 'embed' without "
                + "--shard when all parts are done (it computes nothing again)");
        }

        if (request.Output is null)
        {
            CacheFolder.RequireWritable();
        }

        var data = DataFolder.Resolve(request.Data, finder) with { Shard = request.Shard };
        using var model = ModelArgument.Open(request.Model, finder, request.Device, request.Provider, job, request.Flip);
        var faces = new FaceSource(finder).Open(data, model.Contract.Template, request.Aligned, job);
        IdentityNotes.Tell(faces.Dataset.Images.Select(i => i.Identity), job);
        EmbeddedView[] views = [.. (request.Mirrored ? [FaceView.Original, FaceView.Mirrored] : new[] { FaceView.Original }).Select(EmbeddedView.Of)];
        var embeddings = new FaceEmbeddings(model, faces, request.Shard);
        if (request.Output is { } folder)
        {
            var key = new EmbeddingStoreKey(model.Name, EmbeddingCache.ModelHash(model), faces.Manifest.Hash(), EmbeddingStoreKey.HashOf(faces),
                model.Dimension, faces.Dataset.Images.Count, [.. views.Select(v => v.Name)]);
            using var writer = EmbeddingStoreWriter.Open(folder, key, faces.Dataset.Images.Select(i => i.Hash), job); // before hours of embedding
            var source = new EmbeddingSource(data.Root, faces.Manifest.Template, [.. faces.Skipped.Select(s => new SkippedFile(s.Path, s.Reason))])
            {
                SeveralFaces = faces.Dataset.Images.All(i => i.Shown == 0) ? null : [.. faces.Dataset.Images.Where(i => i.Shown > 1).Select(i => i.Path)],
            };
            if (writer.IsWhole)
            {
                source.Write(folder); // the data may lie elsewhere by now, with other photos that show no face
            }
            else
            {
                writer.Write(embeddings.Of(views, job), source, job.Cancel);
            }
        }
        else
        {
            embeddings.Of(views, job);
        }

        return new EmbeddingOutcome(request.Output, model.Name, faces.Dataset.Images.Count, model.Dimension, embeddings.Computed);
    }
}
