using FaceDistill.Embeddings;
using FaceDistill.Faces;
using FaceDistill.Training.Options;
using FaceDistill.Views;
using MathNet.Numerics.Distributions;
using OpenCvSharp;

namespace FaceDistill.Training.Batches;

/// <summary>
/// Views that come once: the teacher embeds exactly the picture that the student sees, drawn at its own size. With MixUp (Zhang et al., "mixup: beyond
/// empirical risk
/// minimization", 2018) each picture is a blend of two faces, and the teacher sees the blend; its embedding is the target, not a blend of two.
/// </summary>
internal sealed class LiveBatches : IBatchFiller
{
    private const int TeacherBatch = 16;
    private readonly TrainingFaces _faces;
    private readonly FaceFrames _frames;
    private readonly int _size;
    private readonly AugmentedTargets _targets;
    private readonly IEmbedder _teacher;
    private readonly ViewRenderer _renderer;
    private float[][] _inputs = []; // used again for each batch: one for each part that the teacher takes at once
    private float[] _embeddings = [];

    /// <param name="faces">Faces, with <see cref="TrainingFaces.Augmented"/>.</param>
    /// <param name="frames">The aligned pictures.</param>
    /// <param name="size">The student's resolution.</param>
    public LiveBatches(TrainingFaces faces, FaceFrames frames, int size)
    {
        (_faces, _frames, _size) = (faces, frames, size);
        (_targets, _teacher) = (faces.Augmented!, faces.Augmented!.Teacher!);
        _renderer = new ViewRenderer(faces.Faces.Manifest.Frame);
    }

    /// <inheritdoc/>
    public void Fill(TrainingBatch batch, int epoch, int[] indices, (int First, int Count) part, CancellationToken stop)
    {
        int values = _teacher.Contract.Values, dimension = _teacher.Dimension, count = part.Count;
        int chunks = (count + TeacherBatch - 1) / TeacherBatch;
        if (_inputs.Length < chunks)
        {
            _inputs = [.. Enumerable.Range(0, chunks).Select(_ => new float[TeacherBatch * values])];
            _embeddings = new float[chunks * TeacherBatch * dimension];
        }

        int[] partners = _targets.MixUp > 0 ? Partners(epoch, indices) : [];

        ParallelFaces.Run((0, chunks), chunk =>
        {
            int first = chunk * TeacherBatch, size = Math.Min(TeacherBatch, count - first);
            for (int i = first; i < first + size; i++)
            {
                Draw(batch, epoch, (indices, partners), part.First + i, _inputs[chunk].AsSpan((i - first) * values, values));
            }

            _teacher.Embed(_inputs[chunk], size, _embeddings.AsSpan(first * dimension, size * dimension));
            for (int i = first; i < first + size; i++)
            {
                _faces.Scaling.Apply(_embeddings.AsSpan(i * dimension, dimension), batch.TargetOf(part.First + i));
            }
        }, stop);
    }

    private void Draw(TrainingBatch batch, int epoch, (int[] Own, int[] Partners) faces, int i, Span<float> input)
    {
        int teacherSize = _teacher.Contract.Size;
        var (small, large) = Views(epoch, faces.Own[i], teacherSize);
        using (small)
        using (large)
        {
            if (_targets.MixUp > 0)
            {
                var (otherSmall, otherLarge) = Views(epoch, faces.Partners[i], teacherSize);
                using (otherSmall)
                using (otherLarge)
                {
                    double share = Share(epoch, faces.Own[i]);
                    Cv2.AddWeighted(small, share, otherSmall, 1 - share, 0, small);
                    Cv2.AddWeighted(large, share, otherLarge, 1 - share, 0, large);
                }
            }

            FaceTensor.CopyRgb(small, batch.PixelsOf(i));
            FaceTensor.Fill(large, _teacher.Contract, input);
        }
    }

    // With whom each is blended: the next one in an order that the epoch draws. In the batch itself, which is sorted, a face's neighbours are always the same.
    private int[] Partners(int epoch, int[] indices)
    {
        int[] order = [.. indices.Index().OrderBy(face => SeededChoice.Bits(_targets.Seed, epoch, face.Item, purpose: 5)).Select(face => face.Index)];
        int[] partners = new int[order.Length];
        for (int i = 0; i < order.Length; i++)
        {
            partners[order[i]] = indices[order[(i + 1) % order.Length]];
        }

        return partners;
    }

    private (Mat Student, Mat Teacher) Views(int epoch, int face, int teacherSize)
    {
        using var aligned = _frames.Open(face);
        return _renderer.RenderTwice(aligned, _targets.View(epoch, _faces.Faces.Dataset.Images[face].Key), _size, teacherSize);
    }

    // From the beta distribution by its inverse: MathNet's own sampling would need a stream of random numbers.
    private double Share(int epoch, int face)
    {
        double uniform = ((SeededChoice.Bits(_targets.Seed, epoch, face, purpose: 3) >> 11) + 0.5) * (1.0 / (1UL << 53));
        return Beta.InvCDF(_targets.MixUp, _targets.MixUp, uniform);
    }
}
