using System.Runtime.InteropServices;
using FaceDistill.Cluster;
using FaceDistill.Kernels;

namespace FaceDistill.Tests.Cluster;

/// <summary>Ranks that are threads of one process: what MPI does, done by a barrier.</summary>
internal sealed class ThreadRanks : Ranks
{
    private readonly Shared _shared;

    private ThreadRanks(int rank, Shared shared)
        : base(rank, shared.Sent.Length) => _shared = shared;

    public override string About => $"{Count} threads";

    public override void End()
    {
    }

    /// <summary>Runs the same on so many ranks at once, a torch thread each, and throws what the first of them throws.</summary>
    public static T[] Run<T>(int count, Func<Ranks, T> work)
    {
        using var barrier = new Barrier(count);
        var shared = new Shared(barrier, new byte[count][]);
        T[] results = new T[count];
        var failures = new Exception?[count];
        Thread[] threads =
        [
            .. Enumerable.Range(0, count).Select(rank => new Thread(() =>
            {
                try
                {
                    TorchNative.EnsureLoaded();
                    TorchSharp.torch.set_num_threads(1); // of this thread: more of them sum in another order
                    results[rank] = work(new ThreadRanks(rank, shared));
                }
                catch (Exception e)
                {
                    failures[rank] = e;
                    shared.Failed = true; // the others would wait for ever
                    barrier.RemoveParticipant();
                }
            })),
        ];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        TorchSharp.torch.set_num_threads(TorchSharp.torch.get_num_threads()); // the last that any thread sets is what later threads begin with
        var failure = failures.FirstOrDefault(f => f is not null and not InvalidOperationException);
        return failure is not null ? throw failure : results;
    }

    internal override void Sum(Span<float> values)
    {
        var all = Exchange(MemoryMarshal.AsBytes(values));
        float[][] parts = [.. all.Select(one => MemoryMarshal.Cast<byte, float>(one).ToArray())];
        for (int step = 1; step < parts.Length; step *= 2) // in pairs, as MPI libraries do
        {
            for (int rank = 0; rank + step < parts.Length; rank += 2 * step)
            {
                for (int i = 0; i < values.Length; i++)
                {
                    parts[rank][i] += parts[rank + step][i];
                }
            }
        }

        parts[0].CopyTo(values);
    }

    internal override void Gather(Span<byte> all, ReadOnlySpan<int> lengths)
    {
        int place = 0;
        byte[][] sent = Exchange(all);
        for (int rank = 0; rank < lengths.Length; place += lengths[rank], rank++)
        {
            sent[rank].AsSpan(place, lengths[rank]).CopyTo(all[place..]);
        }
    }

    internal override void FromFirst(Span<byte> bytes) => Exchange(bytes)[0].CopyTo(bytes);

    internal override void Meet() => Exchange([]);

    private byte[][] Exchange(ReadOnlySpan<byte> mine)
    {
        _shared.Sent[Rank] = mine.ToArray();
        _shared.Barrier.SignalAndWait();
        if (_shared.Failed)
        {
            throw new InvalidOperationException("another rank failed");
        }

        byte[][] all = [.. _shared.Sent];
        _shared.Barrier.SignalAndWait();
        return all;
    }

    private sealed record Shared(Barrier Barrier, byte[][] Sent)
    {
        public volatile bool Failed;
    }
}
