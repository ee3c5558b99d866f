using System.Runtime.ExceptionServices;
using static TorchSharp.torch;

namespace FaceDistill.Training;

/// <summary>The threads of <see cref="Replicas"/>: the caller's own for the first, one for each other.</summary>
/// <param name="count">How many replicas there are, 1 or more.</param>
internal sealed class ReplicaThreads(int count) : IDisposable
{
    private readonly Worker[] _workers = [.. Enumerable.Range(1, count - 1).Select(_ => new Worker())];

    /// <summary>Does a work once for each replica, all at once; the threads that torch has are parted among them, and given back.</summary>
    /// <param name="work">Called with the replica, from 0; that of 0 on the calling thread.</param>
    public void AtOnce(Action<int> work)
    {
        int threads = get_num_threads(), each = Math.Max(1, threads / (_workers.Length + 1));
        for (int r = 1; r <= _workers.Length; r++)
        {
            int replica = r;
            _workers[r - 1].Begin(() =>
            {
                set_num_threads(each); // of this thread
                work(replica);
            });
        }

        Exception? failure = null;
        try
        {
            set_num_threads(each);
            work(0);
        }
        catch (Exception e)
        {
            failure = e;
        }

        foreach (var worker in _workers)
        {
            failure = worker.End() ?? failure;
        }

        set_num_threads(threads);
        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Array.ForEach(_workers, w => w.Dispose());

    // A thread of its own, since what torch keeps for a thread (its number of threads, its threads) is kept as long as the thread.
    private sealed class Worker : IDisposable
    {
        private readonly SemaphoreSlim _begun = new(0), _ended = new(0);
        private readonly Thread _thread;
        private Action? _work;
        private Exception? _failure;

        public Worker()
        {
            _thread = new Thread(Loop) { IsBackground = true, Name = nameof(Replicas) };
            _thread.Start();
        }

        public void Begin(Action work)
        {
            _work = work;
            _begun.Release();
        }

        public Exception? End()
        {
            _ended.Wait();
            return _failure;
        }

        public void Dispose()
        {
            _work = null;
            _begun.Release();
            _thread.Join();
            _begun.Dispose();
            _ended.Dispose();
        }

        private void Loop()
        {
            for (_begun.Wait(); _work is { } work; _begun.Wait())
            {
                _failure = null;
                try
                {
                    work();
                }
                catch (Exception e)
                {
                    _failure = e; // thrown where the work was begun
                }

                _ended.Release();
            }
        }
    }
}
