using System.Threading.Channels;
using FaceDistill.Native;

namespace FaceDistill.Distillation;

/// <summary>
/// Fills batches ahead of the training step on background threads. What a batch holds depends on (seed, epoch, place) alone.
/// </summary>
public sealed class BatchReader : IDisposable
{
    private const int Ahead = 3;
    private readonly TrainingFaces _faces;
    private readonly IBatchFiller _training;
    private readonly PlainBatches _validation;
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
    public BatchReader(TrainingFaces faces, int size, int batchSize, long seed, bool mirror)
    {
        ArgumentNullException.ThrowIfNull(faces);
        TorchNative.EnsureLoaded();
        (_faces, _batchSize, _seed) = (faces, batchSize, seed);
        var pixels = new FacePixels(faces.Faces, size);
        _validation = new PlainBatches(faces, pixels, mirror: false, seed);
        _training = faces.Augmented is not { } views ? new PlainBatches(faces, pixels, mirror, seed)
            : views.Teacher is not null ? new LiveBatches(faces, new FaceFrames(faces.Faces), size)
            : new CachedBatches(faces, new FaceFrames(faces.Faces), size);
        for (int i = 0; i < Ahead; i++)
        {
            var batch = new TrainingBatch(batchSize, size, faces.Dimension);
            _all.Add(batch);
            _free.Writer.TryWrite(batch);
        }
    }

    /// <summary>Steps of one epoch; the last, incomplete batch is left out, unless it is the only one.</summary>
    public int StepsPerEpoch => Math.Max(1, _faces.Training.Length / _batchSize);

    /// <summary>The training batches of an epoch, in order. A batch is valid until the next is asked for.</summary>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <param name="firstStep">The step to begin with, from 0.</param>
    /// <param name="cancel">Ends the enumeration.</param>
    public IEnumerable<TrainingBatch> Training(int epoch, int firstStep, CancellationToken cancel)
    {
        int[] order = SeededChoice.Permutation(_faces.Training.Length, _seed, epoch);
        var plan = Enumerable.Range(firstStep, StepsPerEpoch - firstStep).Select(step => order
            .Skip(step * _batchSize).Take(_batchSize).Select(i => _faces.Training[i]).ToArray());
        return Read(_training, epoch, plan, cancel);
    }

    /// <summary>The held-out faces in order, not mirrored.</summary>
    /// <param name="cancel">Ends the enumeration.</param>
    public IEnumerable<TrainingBatch> Validation(CancellationToken cancel) => Plain(_faces.Validation, cancel);

    /// <summary>Any of the faces in the order given, neither mirrored nor varied.</summary>
    /// <param name="faces">Their places in the list.</param>
    /// <param name="cancel">Ends the enumeration.</param>
    public IEnumerable<TrainingBatch> Plain(int[] faces, CancellationToken cancel) => Read(_validation, 0, faces.Chunk(_batchSize), cancel);

    /// <inheritdoc/>
    public void Dispose() => _all.ForEach(b => b.Dispose());

    private IEnumerable<TrainingBatch> Read(IBatchFiller filler, int epoch, IEnumerable<int[]> plan, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var ready = Channel.CreateUnbounded<TrainingBatch>();
        var producer = Task.Run(() => Produce(filler, epoch, plan, ready.Writer, stop.Token), CancellationToken.None);
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

    private async Task Produce(IBatchFiller filler, int epoch, IEnumerable<int[]> plan, ChannelWriter<TrainingBatch> ready, CancellationToken stop)
    {
        Exception? failure = null;
        TrainingBatch? batch = null;
        try
        {
            foreach (var faces in plan)
            {
                batch = await _free.Reader.ReadAsync(stop).ConfigureAwait(false);
                batch.Begin(faces, _faces.People);
                filler.Fill(batch, epoch, faces, stop);
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
