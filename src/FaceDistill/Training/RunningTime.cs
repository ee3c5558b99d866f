namespace FaceDistill.Training;

/// <summary>
/// How long work has run, without the time for which its process was stopped (Ctrl-Z, <c>scontrol suspend</c>, <c>docker pause</c>): a thread that looks
/// at the clock each second finds what it did not see.
/// </summary>
internal sealed class RunningTime : IDisposable
{
    // A thread that wants one moment a second is not kept from it for so long on the busiest machine.
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1), Unseen = TimeSpan.FromSeconds(10);
    private readonly TimeProvider _clock;
    private readonly ManualResetEventSlim _ended = new();
    private readonly long _start;
    private readonly Lock _lock = new();
    private TimeSpan _stopped;
    private long _seen;

    /// <summary>Begins now, without a thread.</summary>
    /// <param name="clock">Tells the time; who takes it calls <see cref="See"/>.</param>
    internal RunningTime(TimeProvider clock) => (_clock, _start, _seen) = (clock, clock.GetTimestamp(), clock.GetTimestamp());

    /// <summary>Begins now.</summary>
    public static RunningTime Start()
    {
        var time = new RunningTime(TimeProvider.System);
        new Thread(() =>
        {
            while (!time._ended.Wait(Look))
            {
                time.See();
            }
        }) { IsBackground = true, Name = nameof(RunningTime) }.Start();
        return time;
    }

    /// <summary>The time until now.</summary>
    public TimeSpan Elapsed
    {
        get
        {
            See();
            lock (_lock)
            {
                return _clock.GetElapsedTime(_start, _seen) - _stopped;
            }
        }
    }

    /// <summary>Looks at the clock.</summary>
    internal void See()
    {
        lock (_lock)
        {
            long now = _clock.GetTimestamp();
            var unseen = _clock.GetElapsedTime(_seen, now);
            _stopped += unseen > Unseen ? unseen : TimeSpan.Zero;
            _seen = now;
        }
    }

    /// <summary>Ends the thread.</summary>
    public void Dispose() => _ended.Set();
}
