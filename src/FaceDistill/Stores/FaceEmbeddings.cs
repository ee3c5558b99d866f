using System.Buffers;
using System.Numerics.Tensors;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Views;

namespace FaceDistill.Stores;

/// <summary>Embeds faces with a model: what the cache holds of them is taken from there, the rest is computed on all cores and kept.</summary>
/// <param name="model">The model.</param>
/// <param name="faces">The aligned faces.</param>
/// <param name="shard">The part that the faces are, where processes of other parts fill the cache at the same time; null for none.</param>
internal sealed class FaceEmbeddings(IEmbedder model, AlignedFaces faces, DataShard? shard = null)
{
    private const int ViewsAtOnce = 4; // of each face that is decoded
    private const int FacesAtOnce = 1024; // until they are kept: some seconds of a teacher's work to do again after a kill
    private const int MaxBatch = 32, PicturesAtOnce = 64;

    /// <summary>Faces that were embedded now, over all views; 0 where everything was there.</summary>
    public int Computed { get; private set; }

    /// <summary>Embeds one view.</summary>
    /// <returns>float32 [faces, D], in the faces' order.</returns>
    /// <exception cref="FaceDistillException">A face is damaged or aligned otherwise, or the model fails.</exception>
    public EmbeddingSet Of(FaceView view, JobContext job) => Of([EmbeddedView.Of(view)], job)[0];

    /// <summary>Embeds several views, into memory.</summary>
    /// <param name="views">The views of each face, in this order.</param>
    /// <param name="job">Told of every batch, and what was damaged.</param>
    /// <returns>For each view float32 [faces, D], in the faces' order.</returns>
    /// <exception cref="FaceDistillException">A face is damaged or aligned otherwise, the model fails, or an array does not hold so many.</exception>
    public IReadOnlyList<EmbeddingSet> Of(IReadOnlyList<EmbeddedView> views, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(model);
        if ((long)faces.Dataset.Images.Count * model.Dimension > Array.MaxLength)
        {
            throw new FaceDistillException($"{faces.Dataset.Images.Count} embeddings of dimension {model.Dimension} are more than one array holds "
                + $"({Array.MaxLength} values); embed the data in parts");
        }

        using var files = new OpenParts();
        var kept = Kept(views, files, job);
        var images = faces.Dataset.Images;
        string[] paths = [.. images.Select(i => i.Path)], identities = [.. images.Select(i => i.Identity)];
        ContentHash[] contents = [.. images.Select(i => i.Hash)], photos = [.. images.Select(i => i.Photo)];
        var several = images.All(i => i.Shown == 0) ? null : images.Where(i => i.Shown > 1).Select(i => i.Path).ToHashSet(StringComparer.Ordinal);
        return [.. kept.Select(view => new EmbeddingSet(model.Name, model.Dimension, Values(view), paths, identities)
        {
            Faces = contents,
            Photos = photos,
            ModelHash = EmbeddingCache.ModelHash(model),
            Skipped = faces.Skipped,
            SeveralFaces = several,
        })];
    }

    /// <summary>Embeds several views, into the cache alone.</summary>
    /// <param name="views">The views of each face, in this order.</param>
    /// <param name="files">Reads them from there.</param>
    /// <param name="job">Told of every batch, and what was damaged.</param>
    /// <returns>For each view where it lies, in the faces' order.</returns>
    /// <exception cref="FaceDistillException">A face is damaged or aligned otherwise, or the model fails.</exception>
    public IReadOnlyList<KeptEmbeddings> Kept(IReadOnlyList<EmbeddedView> views, OpenParts files, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(views);
        faces.Require(model.Contract.Template, model.Name);
        faces = faces.Hashed(job);
        var (first, kept) = (FirstRows(faces.Dataset.Images), new List<KeptEmbeddings>());
        foreach (var some in views.Chunk(ViewsAtOnce))
        {
            var found = Some(some, first, job);
            CopyTwins(first, found);
            Array.ForEach(found, f => kept.Add(new KeptEmbeddings(model.Name, model.Dimension, faces.Dataset.Images, f, files, kept.LastOrDefault())));
        }

        return kept;
    }

    private static float[] Values(KeptEmbeddings view)
    {
        var values = new float[view.Count * view.Dimension];
        for (int i = 0; i < view.Count; i++)
        {
            view.Read(i, values.AsSpan(i * view.Dimension, view.Dimension));
        }

        return values;
    }

    private EmbeddingPlaces[] Some(EmbeddedView[] views, Dictionary<ContentHash, int> first, JobContext job)
    {
        var caches = views.Select(v => new EmbeddingCache(model, faces.Manifest.Frame, v.Name)).ToArray();
        var found = views.Select(_ => new EmbeddingPlaces(faces.Dataset.Images.Count)).ToArray();
        void Find() => Array.ForEach([.. Enumerable.Range(0, views.Length)], v => caches[v].Find(first, found[v], job));
        Find();
        if (Array.Exists(found, f => f.Found < first.Count))
        {
            using var held = FolderLock.Wait(caches[0].Folder, job, out bool waited, part: shard?.Name);
            if (waited)
            {
                Find(); // what we waited for may be what we want
            }

            Compute(views, caches, found, [.. first.Values.Where(row => Array.Exists(found, f => !f.Has(row))).Order()], job);
        }

        return found;
    }

    private static Dictionary<ContentHash, int> FirstRows(IReadOnlyList<FaceImage> images)
    {
        var rows = new Dictionary<ContentHash, int>(images.Count);
        for (int i = 0; i < images.Count; i++)
        {
            rows.TryAdd(images[i].Hash, i);
        }

        return rows;
    }

    // The same file under two names is embedded once.
    private void CopyTwins(Dictionary<ContentHash, int> first, EmbeddingPlaces[] found)
    {
        var images = faces.Dataset.Images;
        for (int i = 0; i < images.Count && first.Count < images.Count; i++)
        {
            int row = first[images[i].Hash];
            Array.ForEach(found, f => f.Places[i] = f.Places[row]);
        }
    }

    private void Compute(EmbeddedView[] views, EmbeddingCache[] caches, EmbeddingPlaces[] found, int[] rows, JobContext job)
    {
        int done = 0, d = model.Dimension;
        foreach (int[] some in rows.Chunk(FacesAtOnce))
        {
            float[] embedded = Embed(some, views, n => job.Progress?.Report(
                new WorkProgress($"embedding with {model.Name}", Interlocked.Add(ref done, n), rows.Length, "images")), job.Cancel);
            RequireFinite(embedded, some, views);
            var contents = some.Select(row => faces.Dataset.Images[row].Hash).ToArray();
            for (int v = 0; v < views.Length; v++)
            {
                var own = new float[some.Length * d];
                for (int i = 0; i < some.Length; i++)
                {
                    embedded.AsSpan(((i * views.Length) + v) * d, d).CopyTo(own.AsSpan(i * d));
                }

                found[v].Add(caches[v].Add(contents, own), some.Select((face, row) => (face, row)));
            }

            Computed += some.Length;
        }
    }

    private void RequireFinite(float[] values, int[] rows, EmbeddedView[] views)
    {
        int d = model.Dimension, bad = TensorPrimitives.IsFiniteAll<float>(values) ? -1
            : Enumerable.Range(0, rows.Length * views.Length).First(i => !TensorPrimitives.IsFiniteAll<float>(values.AsSpan(i * d, d)));
        if (bad >= 0)
        {
            var (face, view) = Math.DivRem(bad, views.Length);
            throw new FaceDistillException($"{model.Name} gave NaN or an infinity for {faces.Dataset.FullPath(faces.Dataset.Images[rows[face]])} "
                + $"(view {views[view].Name}); check the model's input contract, or take the picture out of the folder");
        }
    }

    // float32 [rows, views, D].
    private float[] Embed(int[] rows, EmbeddedView[] views, Action<int> done, CancellationToken cancel)
    {
        int d = model.Dimension, batchSize = Math.Clamp(PicturesAtOnce / views.Length, 1, MaxBatch);
        var result = new float[rows.Length * views.Length * d];
        using var oneEach = OneOpenCvThread.Hold();
        if (model is IFedByOne { FacesAtOnce: > 0 and var atOnce })
        {
            OneFeeder.Run(rows.Length, Math.Max(1, atOnce / views.Length), views.Length * model.Contract.Values, (i, input) => Draw(rows[i], views, input),
                (input, first, count) => model.Embed(input, count * views.Length, result.AsSpan(first * views.Length * d, count * views.Length * d)), done,
                    cancel);
            return result;
        }

        var options = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = cancel };
        try
        {
            Parallel.For(0, (rows.Length + batchSize - 1) / batchSize, options, batch =>
            {
                int first = batch * batchSize, size = Math.Min(batchSize, rows.Length - first);
                EmbedBatch(rows.AsSpan(first, size), views, result.AsSpan(first * views.Length * d, size * views.Length * d));
                done(size);
            });
        }
        catch (AggregateException e) when (e.InnerException is FaceDistillException first)
        {
            throw new FaceDistillException(first.Message, e);
        }

        return result;
    }

    private void EmbedBatch(ReadOnlySpan<int> rows, EmbeddedView[] views, Span<float> result)
    {
        var contract = model.Contract;
        float[] input = ArrayPool<float>.Shared.Rent(rows.Length * views.Length * contract.Values); // megabytes, of which fresh pages would cost time
        try
        {
            int values = views.Length * contract.Values;
            for (int i = 0; i < rows.Length; i++)
            {
                Draw(rows[i], views, input.AsSpan(i * values, values));
            }

            model.Embed(input, rows.Length * views.Length, result);
        }
        finally
        {
            ArrayPool<float>.Shared.Return(input);
        }
    }

    // float32 [views, Contract.Values].
    private void Draw(int row, EmbeddedView[] views, Span<float> input)
    {
        var contract = model.Contract;
        using var aligned = faces.ReadFrame(row);
        for (int v = 0; v < views.Length; v++)
        {
            using var picture = views[v].Render(aligned, faces.Manifest.Frame, faces.Dataset.Images[row].Key, contract.Size);
            FaceTensor.Fill(picture, contract, input.Slice(v * contract.Values, contract.Values));
        }
    }
}
