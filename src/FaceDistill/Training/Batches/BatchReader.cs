using System.Threading.Channels;
using FaceDistill.Faces;
using FaceDistill.Kernels;
using FaceDistill.Training.Options;
using FaceDistill.Views;
using OpenCvSharp;

namespace FaceDistill.Training.Batches;

/// <summary>
/// Fills batches ahead of the training step on background threads. What a batch holds depends on (seed, epoch, place) alone.
/// </summary>
internal sealed class BatchReader : IDisposable
{
    private const int Ahead = 3;
    private readonly TrainingFaces _faces;
    private readonly IBatchFiller _training;
    private readonly PlainBatches _validation;
    private readonly FacePixels _pixels;
    private readonly FaceFrames _frames;
    private readonly int _batchSize;
    private readonly long _seed;
    private readonly List<TrainingBatch> _all = [];
    private readonly Channel<TrainingBatch> _free = Channel.CreateUnbounded<TrainingBatch>();

    /// <summary>Makes a reader.</summary>
    /// <param name="faces">Faces and targets.</param>
    /// <param name="size">The student's resolution.</param>
    /// <param name="batchSize">Faces a batch.</param>
    /// <param name="seed">Decides order and mirroring.</param>
    /// <param name="mirror">Whether half of the training faces are mirrored, where the faces have no views of their own.</param>
    /// <param name="memory">Where decoded pictures are kept; null for the usual one.</param>
    public BatchReader(TrainingFaces faces, int size, int batchSize, long seed, bool mirror, PictureMemory? memory = null)
    {
        ArgumentNullException.ThrowIfNull(faces);
        TorchNative.EnsureLoaded();
        (_faces, _batchSize, _seed) = (faces, batchSize, seed);
        memory ??= PictureMemory.Of(null);
        (_pixels, _frames) = (new FacePixels(faces.Faces, size, memory), new FaceFrames(faces.Faces, memory));
        KeptPart = Math.Min(1, (double)(memory.Left / ((faces.Augmented is null ? _pixels.Bytes : _frames.Bytes) + KeptPictures.Overhead))
            / faces.Training.Length);
        _validation = new PlainBatches(faces, _pixels, mirror: false, seed);
        _training = faces.Augmented is not { } views ? new PlainBatches(faces, _pixels, mirror, seed)
            : views.Teacher is not null ? new LiveBatches(faces, _frames, size)
            : new CachedBatches(faces, _frames, size);
        for (int i = 0; i < Ahead; i++)
        {
            var batch = new TrainingBatch(batchSize, size, faces.Dimension);
            _all.Add(batch);
            _free.Writer.TryWrite(batch);
        }
    }

    /// <summary>The part of the training pictures, 0 to 1, that is decoded once and kept: as much as there was memory for when this was made.</summary>
    public double KeptPart { get; }

    /// <summary>Steps of one epoch; the last, incomplete batch is left out, unless it is the only one.</summary>
    public int StepsPerEpoch => Math.Max(1, _faces.Training.Length / _batchSize);

    /// <summary>The training batches of an epoch, in order, whole.</summary>
    public IEnumerable<TrainingBatch> Training(int epoch, int firstStep, CancellationToken cancel) => Training(epoch, firstStep, BatchParts.All, cancel);

    /// <summary>The training batches of an epoch, in order. A batch is valid until the next is asked for.</summary>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <param name="firstStep">The step to begin with, from 0.</param>
    /// <param name="parts">Whose pictures and targets are filled in; the others' places hold anything.</param>
    /// <param name="cancel">Ends the enumeration.</param>
    public IEnumerable<TrainingBatch> Training(int epoch, int firstStep, BatchParts parts, CancellationToken cancel)
    {
        int[] order = SeededChoice.Permutation(_faces.Training.Length, _seed, epoch);
        var plan = Enumerable.Range(firstStep, StepsPerEpoch - firstStep).Select(step => order
            .Skip(step * _batchSize).Take(_batchSize).Select(i => _faces.Training[i]).OrderBy(PlaceInBatches).ToArray());
        return Read(_training, epoch, plan, parts, cancel);
    }

    // Near the same place in whichever batch: a face mostly meets the rank that has decoded it in an earlier epoch and keeps its picture.
    private ulong PlaceInBatches(int face) => SeededChoice.Bits(_seed, 0, face, purpose: 4);

    /// <summary>The held-out faces in order, not mirrored.</summary>
    /// <param name="cancel">Ends the enumeration.</param>
    public IEnumerable<TrainingBatch> Validation(CancellationToken cancel) => Plain(_faces.Validation, cancel);

    /// <summary>Any of the faces in the order given, neither mirrored nor varied.</summary>
    /// <param name="faces">Their places in the list.</param>
    /// <param name="cancel">Ends the enumeration.</param>
    public IEnumerable<TrainingBatch> Plain(int[] faces, CancellationToken cancel) => Read(_validation, 0, faces.Chunk(_batchSize), BatchParts.All, cancel);

    /// <inheritdoc/>
    public void Dispose()
    {
        _all.ForEach(b => b.Dispose());
        _pixels.Dispose();
        _frames.Dispose();
    }

    private IEnumerable<TrainingBatch> Read(IBatchFiller filler, int epoch, IEnumerable<int[]> plan, BatchParts parts, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var ready = Channel.CreateUnbounded<TrainingBatch>();
        var producer = Task.Run(() => Produce(filler, epoch, plan, parts, ready.Writer, stop.Token), CancellationToken.None);
        try
        {
            while (ready.Reader.WaitToReadAsync(cancel).AsTask().GetAwaiter().GetResult())
            {
                while (ready.Reader.TryRead(out var batch))
                {
                    try
                    {
                        yield return batch;
                    }
                    finally
                    {
                        _free.Writer.TryWrite(batch);
                    }
                }
            }
        }
        finally
        {
            stop.Cancel();
            ((IAsyncResult)producer).AsyncWaitHandle.WaitOne();
            while (ready.Reader.TryRead(out var unread))
            {
                _free.Writer.TryWrite(unread);
            }
        }
    }

    private async Task Produce(
        IBatchFiller filler, int epoch, IEnumerable<int[]> plan, BatchParts parts, ChannelWriter<TrainingBatch> ready, CancellationToken stop)
    {
        Exception? failure = null;
        TrainingBatch? batch = null;
        try
        {
            foreach (var faces in plan)
            {
                batch = await _free.Reader.ReadAsync(stop).ConfigureAwait(false);
                batch.Begin(faces, _faces.PersonLabels);
                filler.Fill(batch, epoch, faces, parts.Faces(faces.Length), stop);
                ready.TryWrite(batch);
                batch = null;
            }
        }
        catch (AggregateException e) when (e.InnerException is FaceDistillException first)
        {
            failure = first;
        }
        catch (Exception e)
        {
            failure = e; // rethrown where the batches are read
        }

        if (batch is not null)
        {
            _free.Writer.TryWrite(batch);
        }

        ready.Complete(failure);
    }
}

/// <summary>Readers of several sizes, one at a time: each keeps its decoded faces in memory.</summary>
/// <param name="make">Makes one, of the size given.</param>
internal sealed class BatchReaders(Func<int, BatchReader> make) : IDisposable
{
    private BatchReader? _reader;
    private int _size;

    /// <summary>The reader of a size; that of another is no more.</summary>
    public BatchReader At(int size)
    {
        if (_reader is null || _size != size)
        {
            _reader?.Dispose();
            (_reader, _size) = (make(size), size);
        }

        return _reader;
    }

    /// <inheritdoc/>
    public void Dispose() => _reader?.Dispose();
}

/// <summary>Fills a batch with pictures and targets that fit together. What it holds depends on the epoch and the faces alone, given the run's seed.</summary>
internal interface IBatchFiller
{
    /// <summary>Fills a batch.</summary>
    /// <param name="batch">Receives as many faces as there are indices.</param>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <param name="faces">The faces' places in their list.</param>
    /// <param name="part">Which of them are filled in.</param>
    /// <param name="stop">Stops between faces.</param>
    /// <exception cref="FaceDistillException">A picture is damaged, or the teacher fails.</exception>
    void Fill(TrainingBatch batch, int epoch, int[] faces, (int First, int Count) part, CancellationToken stop);
}

/// <summary>Aligned faces, some of them mirrored, with the teacher's embeddings of both.</summary>
/// <param name="faces">Faces and targets.</param>
/// <param name="pixels">The faces at the student's size.</param>
/// <param name="mirror">Whether half of them are mirrored.</param>
/// <param name="seed">Decides which.</param>
internal sealed class PlainBatches(TrainingFaces faces, FacePixels pixels, bool mirror, long seed) : IBatchFiller
{
    /// <inheritdoc/>
    public void Fill(TrainingBatch batch, int epoch, int[] indices, (int First, int Count) part, CancellationToken stop) => ParallelFaces.Run(part, i =>
    {
        var view = mirror && (SeededChoice.Bits(seed, epoch, indices[i], purpose: 1) & 1) == 1 ? FaceView.Mirrored : FaceView.Original;
        pixels.Copy(indices[i], view, batch.PixelsOf(i));
        faces.Read(indices[i], view, batch.TargetOf(i));
        faces.Scaling.Apply(batch.TargetOf(i), batch.TargetOf(i));
    }, stop);
}

/// <summary>
/// Augmented views that the teacher embedded beforehand: each epoch shows one of a face's K views, and it is drawn again from the same
/// parameters at the student's size.
/// </summary>
/// <param name="faces">Faces, with <see cref="TrainingFaces.Augmented"/>.</param>
/// <param name="frames">The aligned pictures.</param>
/// <param name="size">The student's resolution.</param>
internal sealed class CachedBatches(TrainingFaces faces, FaceFrames frames, int size) : IBatchFiller
{
    private readonly AugmentedTargets _targets = faces.Augmented!;
    private readonly ViewRenderer _renderer = new(faces.Faces.Manifest.Frame);

    /// <inheritdoc/>
    public void Fill(TrainingBatch batch, int epoch, int[] indices, (int First, int Count) part, CancellationToken stop) => ParallelFaces.Run(part, i =>
    {
        int face = indices[i], view = ViewOf(epoch, face);
        using var aligned = frames.Open(face);
        using var picture = _renderer.Render(aligned, _targets.View(view, faces.Faces.Dataset.Images[face].Key), size);
        FaceTensor.CopyRgb(picture, batch.PixelsOf(i));
        _targets.Cached[view].Read(face, batch.TargetOf(i));
        faces.Scaling.Apply(batch.TargetOf(i), batch.TargetOf(i));
    }, stop);

    // Each K epochs show every view once; each face begins with another one.
    private int ViewOf(int epoch, int face) => (int)((SeededChoice.Bits(_targets.Seed, 0, face, purpose: 2) + (ulong)epoch) % (ulong)_targets.Cached.Count);
}

/// <summary>Runs the faces of a batch on all cores.</summary>
internal static class ParallelFaces
{
    /// <summary>Runs.</summary>
    /// <param name="part">The first, and how many: faces, or parts of a batch.</param>
    /// <param name="body">What is done for each.</param>
    /// <param name="stop">Stops between them.</param>
    /// <exception cref="AggregateException">One of them failed.</exception>
    public static void Run((int First, int Count) part, Action<int> body, CancellationToken stop)
    {
        using var oneEach = OneOpenCvThread.Hold();
        Parallel.For(part.First, part.First + part.Count, new ParallelOptions { CancellationToken = stop, MaxDegreeOfParallelism = Environment.ProcessorCount },
            body);
    }
}
