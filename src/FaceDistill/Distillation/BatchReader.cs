using System.Threading.Channels;
using FaceDistill.Faces;
using FaceDistill.Native;
using OpenCvSharp;

namespace FaceDistill.Distillation;

/// <summary>
/// Fills batches ahead of the training step on background threads. What a batch holds depends on (seed, epoch, place) alone.
/// </summary>
public sealed class BatchReader : IDisposable
{
    private const int Ahead = 3;
    private readonly TrainingFaces _faces;
    private readonly FacePixels _pixels;
    private readonly int _batchSize;
    private readonly long _seed;
    private readonly bool _mirror;
    private readonly List<TrainingBatch> _all = [];
    private readonly Channel<TrainingBatch> _free = Channel.CreateUnbounded<TrainingBatch>();

    /// <summary>Makes a reader.</summary>
    /// <param name="faces">Faces and targets.</param>
    /// <param name="size">The student's resolution.</param>
    /// <param name="batchSize">Faces a batch.</param>
    /// <param name="seed">Decides order and mirroring.</param>
    /// <param name="mirror">Whether half of the training faces are mirrored.</param>
    public BatchReader(TrainingFaces faces, int size, int batchSize, long seed, bool mirror)
    {
        ArgumentNullException.ThrowIfNull(faces);
        TorchNative.EnsureLoaded();
        (_faces, _batchSize, _seed, _mirror) = (faces, batchSize, seed, mirror);
        _pixels = new FacePixels(faces.Faces, size);
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
            .Skip(step * _batchSize).Take(_batchSize)
            .Select(i => (_faces.Training[i], ViewOf(epoch, _faces.Training[i]))).ToArray());
        return Read(plan, cancel);
    }

    /// <summary>The held-out faces in order, not mirrored.</summary>
    /// <param name="cancel">Ends the enumeration.</param>
    public IEnumerable<TrainingBatch> Validation(CancellationToken cancel) =>
        Read(_faces.Validation.Select(i => (i, FaceView.Original)).Chunk(_batchSize), cancel);

    /// <inheritdoc/>
    public void Dispose() => _all.ForEach(b => b.Dispose());

    private FaceView ViewOf(int epoch, int face) =>
        _mirror && (SeededChoice.Bits(_seed, epoch, face, purpose: 1) & 1) == 1 ? FaceView.Mirrored : FaceView.Original;

    private IEnumerable<TrainingBatch> Read(IEnumerable<(int Face, FaceView View)[]> plan, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var ready = Channel.CreateUnbounded<TrainingBatch>();
        var producer = Task.Run(() => Produce(plan, ready.Writer, stop.Token), CancellationToken.None);
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

    private async Task Produce(IEnumerable<(int Face, FaceView View)[]> plan, ChannelWriter<TrainingBatch> ready, CancellationToken stop)
    {
        Exception? failure = null;
        TrainingBatch? batch = null;
        try
        {
            foreach (var faces in plan)
            {
                batch = await _free.Reader.ReadAsync(stop).ConfigureAwait(false);
                Fill(batch, faces, stop);
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

    private void Fill(TrainingBatch batch, (int Face, FaceView View)[] faces, CancellationToken stop)
    {
        Cv2.SetNumThreads(1); // the faces are the parallel work
        batch.Count = faces.Length;
        int dimension = _faces.Dimension;
        Parallel.For(0, faces.Length, new ParallelOptions { CancellationToken = stop, MaxDegreeOfParallelism = Environment.ProcessorCount }, i =>
        {
            var (face, view) = faces[i];
            _pixels.Copy(face, view, batch.Pixels.bytes.Slice(i * _pixels.Bytes, _pixels.Bytes));
            var target = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(batch.Targets.bytes).Slice(i * dimension, dimension);
            _faces.Scaling.Apply(_faces.Embedding(face, view), target);
        });
    }
}
