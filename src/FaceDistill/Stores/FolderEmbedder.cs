using System.Security.Cryptography;
using System.Text;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Views;
using OpenCvSharp;

namespace FaceDistill.Stores;

/// <summary>Embeds ranges of a folder of aligned faces: every core decodes and computes its own batch.</summary>
internal sealed class FolderEmbedder(IEmbedder model, AlignedFaces faces)
{
    private const int MaxBatch = 32, PicturesAtOnce = 64;

    /// <summary>Embeds faces [start, start + count).</summary>
    /// <param name="start">The first face's index.</param>
    /// <param name="count">The number of faces.</param>
    /// <param name="views">The views of each face, in this order.</param>
    /// <param name="done">Told of every finished batch: the number of its faces.</param>
    /// <param name="cancel">Stops between batches.</param>
    /// <returns>float32 [count, views, D].</returns>
    /// <exception cref="FaceDistillException">A picture is damaged or aligned otherwise, or the model fails.</exception>
    public float[] Embed(int start, int count, IReadOnlyList<EmbeddedView> views, Action<int>? done, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(views);
        faces.Require(model.Contract.Template, model.Name);
        var result = new float[(long)count * views.Count * model.Dimension];
        int batchSize = Math.Clamp(PicturesAtOnce / Math.Max(1, views.Count), 1, MaxBatch);
        using var oneEach = OneOpenCvThread.Hold();
        var options = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancel };
        try
        {
            Parallel.For(0, (count + batchSize - 1) / batchSize, options, batch =>
            {
                int first = batch * batchSize, size = Math.Min(batchSize, count - first);
                EmbedBatch(start + first, size, views, result.AsSpan(first * views.Count * model.Dimension, size * views.Count * model.Dimension));
                done?.Invoke(size);
            });
        }
        catch (AggregateException e) when (e.InnerException is FaceDistillException first)
        {
            throw new FaceDistillException(first.Message, e);
        }

        return result;
    }

    private void EmbedBatch(int start, int count, IReadOnlyList<EmbeddedView> views, Span<float> result)
    {
        var contract = model.Contract;
        var input = new float[count * views.Count * contract.Values];
        for (int i = 0; i < count; i++)
        {
            using var aligned = faces.ReadFrame(start + i);
            for (int v = 0; v < views.Count; v++)
            {
                using var picture = views[v].Render(aligned, faces.Manifest.Frame, faces.Dataset.Images[start + i].Key, contract.Size);
                FaceTensor.Fill(picture, contract, input.AsSpan(((i * views.Count) + v) * contract.Values, contract.Values));
            }
        }

        model.Embed(input, count * views.Count, result);
    }
}

/// <summary>What embedding a folder came to.</summary>
/// <param name="Store">The finished store.</param>
/// <param name="Computed">Images embedded by this run; 0 when the store was there already.</param>
public sealed record EmbeddingOutcome(EmbeddingStore Store, int Computed);

/// <summary>Where a store's faces came from: source.json beside the parts, so that protocols find their files.</summary>
/// <param name="Data">The data set's folder.</param>
/// <param name="Aligned">The folder of the aligned faces.</param>
internal sealed record EmbeddingSource(string Data, string Aligned)
{
    private const string FileName = "source.json";

    /// <summary>Reads a store's source; null where the store does not say.</summary>
    public static EmbeddingSource? Of(string store) =>
        Path.Combine(store, FileName) is var path && File.Exists(path) ? JsonFile.Read<EmbeddingSource>(path) : null;

    /// <summary>Writes it into a store.</summary>
    public void Write(string store) => JsonFile.Write(Path.Combine(store, FileName), this);
}

/// <summary>Embeds a folder of aligned faces into a store; parts that are there already are kept.</summary>
internal static class EmbeddingRun
{
    /// <summary>Fills a store.</summary>
    /// <param name="model">The model.</param>
    /// <param name="faces">The aligned faces.</param>
    /// <param name="views">The views of each face.</param>
    /// <param name="data">The data set's folder, remembered for its protocol files.</param>
    /// <param name="folder">The store's folder; null for the cache's own for this key.</param>
    /// <param name="job">Told of every batch.</param>
    /// <exception cref="FaceDistillException">A face or the model is not right, or the folder holds another store.</exception>
    public static EmbeddingOutcome Run(
        IEmbedder model, AlignedFaces faces, IReadOnlyList<EmbeddedView> views, string data, string? folder, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(faces);
        var images = faces.Dataset.Images.Select(i => (i.Path, i.Identity)).ToList();
        string list = ImageListHash.Compute(faces.Dataset.Root, [.. images.Select(i => i.Path)], job);
        var key = new EmbeddingStoreKey(model.Name, ModelHash(model), faces.Manifest.Hash(), list, model.Dimension, images.Count,
            [.. views.Select(v => v.Name)]);
        string target = folder ?? key.DefaultFolder;
        int computed = 0;
        using (var writer = EmbeddingStoreWriter.Open(target, key, images, job with { Progress = null }, folder is null ? FolderLock.Wait(target, job) : null))
        {
            foreach (string notice in writer.Notices)
            {
                job.Say?.Invoke(notice);
            }

            var embedder = new FolderEmbedder(model, faces);
            int done = 0;
            var missing = writer.MissingParts().ToList();
            int total = missing.Sum(part => key.Images(part).Count);
            foreach (int part in missing)
            {
                var (first, count) = key.Images(part);
                writer.WritePart(part, embedder.Embed(first, count, views,
                    n => job.Progress?.Report(new WorkProgress($"embedding with {model.Name}", Interlocked.Add(ref done, n), total, "images")), job.Cancel));
                computed += count;
            }

            new EmbeddingSource(data, faces.Dataset.Root).Write(target);
        }

        return new EmbeddingOutcome(EmbeddingStore.Open(target), computed);
    }

    // The contract decides the embeddings as much as the weights do.
    private static string ModelHash(IEmbedder model) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(
        System.Text.Encoding.UTF8.GetBytes(model.Hash + JsonFile.Serialize(model.Contract))));
}

/// <summary>
/// Embeddings of faces chosen from one folder or several. Each folder is embedded whole, into a store of its own, so that another choice of
/// faces or another company of folders computes nothing again.
/// </summary>
internal sealed class FolderEmbeddings
{
    private const int ViewsAtOnce = 4; // a store each: more views later leave the earlier ones as they are
    private readonly IEmbedder _model;
    private readonly AlignedFaces _faces;
    private readonly Dictionary<string, List<EmbeddingStore>> _stores = [];

    /// <summary>Prepares; nothing is embedded yet.</summary>
    /// <param name="model">The model.</param>
    /// <param name="faces">The faces whose embeddings are wanted.</param>
    public FolderEmbeddings(IEmbedder model, AlignedFaces faces)
    {
        ArgumentNullException.ThrowIfNull(faces);
        (_model, _faces) = (model, faces);
    }

    /// <summary>Images that were embedded now, over all folders and views; 0 where everything was there.</summary>
    public int Computed { get; private set; }

    /// <summary>The stores' folders.</summary>
    public IEnumerable<string> Folders => _stores.Values.SelectMany(s => s).Select(s => s.Folder).Distinct(StringComparer.Ordinal);

    /// <summary>SHA-256 of the folders' contents and of the faces chosen from them; after <see cref="Embed"/>.</summary>
    public string ImagesHash => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n',
        _stores.Values.First().Select(s => s.Key.ImagesHash).Concat(_faces.Dataset.Images.Select(i => i.Name))))));

    /// <summary>Embeds what is not embedded yet.</summary>
    /// <param name="views">The views of each face.</param>
    /// <param name="job">Told of every batch.</param>
    /// <exception cref="FaceDistillException">A face or the model is not right.</exception>
    public void Embed(IReadOnlyList<EmbeddedView> views, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(views);
        foreach (var folder in _faces.Folders)
        {
            foreach (var some in views.Chunk(ViewsAtOnce))
            {
                var outcome = EmbeddingRun.Run(_model, folder, some, folder.Manifest.Source, null, job);
                Computed += outcome.Computed;
                foreach (var view in some)
                {
                    _stores.TryAdd(view.Name, []);
                    _stores[view.Name].Add(outcome.Store);
                }
            }
        }
    }

    /// <summary>The embeddings of one view, in the faces' order.</summary>
    /// <param name="view">The name of a view that was embedded.</param>
    /// <param name="cancel">Stops between parts.</param>
    public EmbeddingSet Read(string view, CancellationToken cancel)
    {
        var images = _faces.Dataset.Images;
        var rows = new Dictionary<string, int>(images.Count, StringComparer.Ordinal);
        for (int i = 0; i < images.Count; i++)
        {
            rows.Add(Path.GetFullPath(_faces.Dataset.FullPath(images[i])), i); // one spelling: a joined path has other separators on Windows
        }

        int dimension = _model.Dimension;
        var values = new float[(long)images.Count * dimension];
        foreach (var (folder, store) in _faces.Folders.Zip(_stores[view]))
        {
            var set = store.ReadAll(view, new JobContext(Cancel: cancel));
            for (int i = 0; i < set.Count; i++)
            {
                if (rows.Remove(Path.GetFullPath(Path.Combine(folder.Dataset.Root, set.Paths[i])), out int row))
                {
                    set.Row(i).CopyTo(values.AsSpan(row * dimension));
                }
            }
        }

        return rows.Count == 0 ? new EmbeddingSet(_model.Name, dimension, values, [.. images.Select(i => i.Path)], [.. images.Select(i => i.Identity)])
            : throw new InvalidOperationException($"{rows.Keys.First()} is in none of its folders");
    }
}
