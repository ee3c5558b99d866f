using FaceDistill.Cluster;
using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Students;
using FaceDistill.Training.Batches;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Training;

/// <summary>
/// One student at work on several parts of a batch at once: copies of the network that share its weights, each with threads, gradients and batch moments of its
/// own. torch's threads share one operation at a time and wait for each other after each: on two quiet cores as fast as two replicas, beside a program that
/// keeps one core busy half as fast (eval/README.md). The loss is that of the whole batch, the gradients are summed, the running moments averaged; only batch
/// norm sees a part at a time. Under MPI the parts are those of all ranks: each computes some, and gradients and moments are summed over the ranks,
/// so that a step is the same step on however many ranks its parts are computed.
/// </summary>
internal sealed class Replicas : IDisposable
{
    /// <summary>The fewest faces of which a replica's batch norm takes moments by itself.</summary>
    internal const int LeastFaces = 32;

    private readonly MobileNetV1[] _models;
    private readonly FlatWeights[] _weights;
    private readonly ReplicaThreads _threads;
    private readonly Tensor[] _moments; // of each, in one block
    private readonly BatchParts _parts;
    private readonly Ranks? _ranks;

    /// <summary>Makes the copies.</summary>
    /// <param name="model">The student, on the CPU where there are several; the first replica is it itself.</param>
    /// <param name="weights">Its weights.</param>
    /// <param name="parts">The parts of a batch that are computed here, one by each replica.</param>
    /// <param name="ranks">Who computes the others; null where there are none.</param>
    public Replicas(MobileNetV1 model, FlatWeights weights, BatchParts parts, Ranks? ranks = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(parts.Count, 1);
        (_parts, _ranks) = (parts, ranks);
        MobileNetV1[] copies = [.. Enumerable.Range(1, parts.Count - 1).Select(_ => new MobileNetV1(model.Architecture))];
        _models = [model, .. copies];
        _weights = [weights, .. copies.Select(weights.SharedWith)];
        _threads = new ReplicaThreads(parts.Count);
        _moments = [.. _models.Select(InOneBlock)];
    }

    /// <summary>The usual number: as many as there are threads, where each gets <see cref="LeastFaces"/> faces of a batch.</summary>
    /// <param name="batchSize">Faces a step.</param>
    /// <param name="device">Where it computes; a GPU has one of each rank's.</param>
    /// <param name="ranks">How many processes share a batch.</param>
    public static int Usual(int batchSize, DeviceType device, int ranks = 1) => device == DeviceType.CPU
        ? Math.Clamp(get_num_threads() * ranks, 1, Math.Max(1, batchSize / LeastFaces))
        : ranks;

    /// <summary>Adds a batch's gradients to the weights' and updates the running moments.</summary>
    /// <param name="faces">N, at least as many as parts.</param>
    /// <param name="input">The network's input for some of the faces: called on several threads with their first place and number.</param>
    /// <param name="target">float32 [N, D]; of other ranks' faces it may hold anything.</param>
    /// <param name="loss">The loss of the outputs, float32 [N, D], and the targets.</param>
    /// <param name="eachFace">Whether the loss is the mean of each face's own: then no part waits for the others' outputs.</param>
    /// <returns>The loss.</returns>
    public float Run(int faces, Func<int, int, Tensor> input, Tensor target, Func<Tensor, Tensor, Tensor> loss, bool eachFace)
    {
        using var scope = NewDisposeScope();
        Begin();
        return eachFace ? RunEach(faces, input, target, loss) : RunWhole(faces, input, target, loss);
    }

    // From a face to its part's gradients without a wait for the others: 2 to 3% of a step of 0.5@96 on two cores.
    private float RunEach(int faces, Func<int, int, Tensor> input, Tensor target, Func<Tensor, Tensor, Tensor> loss)
    {
        var losses = zeros(new long[] { _models.Length, 1 }, ScalarType.Float32);
        _threads.AtOnce(r =>
        {
            using var scope = NewDisposeScope();
            var (first, count) = (_parts.First(faces, r), _parts.First(faces, r + 1) - _parts.First(faces, r));
            var value = loss(_models[r].forward(input(first, count)), target.narrow(0, first, count)).Times((double)count / faces);
            value.backward();
            losses[r, 0] = value.detach();
        });
        Finish();
        Sum([.. Enumerable.Range(0, _models.Length).Select(r => losses[r])]);
        _ranks?.Sum(losses[0]);
        return losses[0, 0].item<float>();
    }

    private float RunWhole(int faces, Func<int, int, Tensor> input, Tensor target, Func<Tensor, Tensor, Tensor> loss)
    {
        int count = _models.Length;
        int First(int replica) => _parts.First(faces, replica);
        var outputs = new Tensor[count];
        try
        {
            _threads.AtOnce(r =>
            {
                using var inner = NewDisposeScope();
                outputs[r] = _models[r].forward(input(First(r), First(r + 1) - First(r))).DetachFromDisposeScope();
            });
            var (whole, targets) = Gathered(faces, cat([.. outputs.Select(o => o.detach())]), target);
            whole.requires_grad_();
            var value = loss(whole, targets);
            value.backward();
            if (_ranks is { IsFirst: false })
            {
                _weights[0].Gradients.zero_(); // so far those of what the loss itself trains, which the first rank has as well
            }

            var gradient = whole.grad!;
            _threads.AtOnce(r =>
            {
                using var inner = NewDisposeScope();
                outputs[r].backward([gradient.narrow(0, First(r), First(r + 1) - First(r))]);
            });
            Finish();
            return value.item<float>();
        }
        finally
        {
            foreach (var output in outputs)
            {
                output?.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _threads.Dispose();
        Array.ForEach(_moments, m => m.Dispose()); // the batch norms keep their memory
        foreach (var (copy, weights) in _models.Zip(_weights).Skip(1))
        {
            weights.Dispose();
            copy.Dispose();
        }
    }

    // The running moments of all batch norms, which become views of it: a sum of one block instead of fifty.
    private static Tensor InOneBlock(MobileNetV1 model)
    {
        using var frozen = no_grad();
        using var scope = NewDisposeScope();
        Tensor[] moments = [.. model.named_buffers().Where(b => b.buffer.is_floating_point()).Select(b => b.buffer)];
        var block = cat([.. moments.Select(m => m.reshape(-1))]);
        long place = 0;
        foreach (var values in moments)
        {
            values.set_(block.narrow(0, place, values.numel()));
            place += values.numel();
        }

        return block.MoveToOuterDisposeScope();
    }

    // Every rank has the loss of the whole batch: some losses look at pairs of faces.
    private (Tensor Outputs, Tensor Targets) Gathered(int faces, Tensor outputs, Tensor target)
    {
        if (_ranks is null)
        {
            return (outputs, target);
        }

        long dimension = target.shape[1];
        var (first, count) = _parts.Faces(faces);
        var both = empty(new[] { faces, 2 * dimension }, ScalarType.Float32, outputs.device);
        both.narrow(0, first, count).copy_(cat([outputs, target.narrow(0, first, count)], 1));
        _ranks.Gather(both, Enumerable.Range(0, _ranks.Count)
            .Select(rank => 2 * dimension * BatchParts.Of(_parts.Whole, rank, _ranks.Count).Faces(faces).Count));
        return (both.narrow(1, 0, dimension).contiguous(), both.narrow(1, dimension, dimension).contiguous());
    }

    // The copies go on from the student's moments, so that what a step does depends on the student alone.
    private void Begin()
    {
        using var frozen = no_grad();
        for (int r = 1; r < _models.Length; r++)
        {
            _moments[r].copy_(_moments[0]);
            _models[r].TrainingType = _models[0].TrainingType;
            _models[r].train(_models[0].training);
            _weights[r].ZeroGradients();
        }
    }

    private void Finish()
    {
        using var frozen = no_grad();
        Sum([.. _weights.Select(w => w.Gradients)]);
        Sum(_moments);
        _moments[0].Multiply(1.0 / _parts.Whole);
        _ranks?.Sum(_weights[0].Gradients);
        _ranks?.Sum(_moments[0]);
    }

    // Into the first, in pairs as MPI sums ranks: the same parts then have the same sum, to the last digit, on 1, 2, 4 ... ranks.
    private static void Sum(Tensor[] values)
    {
        for (int step = 1; step < values.Length; step *= 2)
        {
            for (int i = 0; i + step < values.Length; i += 2 * step)
            {
                values[i].Add(values[i + step], 1);
            }
        }
    }
}
