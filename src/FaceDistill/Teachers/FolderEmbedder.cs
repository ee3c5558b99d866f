using FaceDistill.Datasets;
using FaceDistill.Faces;
using OpenCvSharp;

namespace FaceDistill.Teachers;

/// <summary>Embeds ranges of a folder of aligned faces: every core decodes and computes its own batch.</summary>
public sealed class FolderEmbedder(IEmbedder model, AlignedFaces faces)
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
    public float[] Embed(int start, int count, IReadOnlyList<FaceView> views, Action<int>? done, CancellationToken cancel) =>
        Embed(start, count, [.. views.Select(EmbeddedView.Of)], done, cancel);

    /// <inheritdoc cref="Embed(int, int, IReadOnlyList{FaceView}, Action{int}?, CancellationToken)"/>
    public float[] Embed(int start, int count, IReadOnlyList<EmbeddedView> views, Action<int>? done, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(views);
        faces.Require(model.Contract.Template, model.Name);
        var result = new float[(long)count * views.Count * model.Dimension];
        int batchSize = Math.Clamp(PicturesAtOnce / Math.Max(1, views.Count), 1, MaxBatch);
        Cv2.SetNumThreads(1); // the batches are the parallel work
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
