using FaceDistill.Training;

namespace FaceDistill.Tests.Training;

public sealed class RunningTimeTests
{
    [Fact]
    public void Time_for_which_the_process_was_stopped_does_not_count()
    {
        var clock = new Clock();
        using var time = new RunningTime(clock);
        void Runs(double seconds)
        {
            for (; seconds > 0; seconds--)
            {
                clock.Now += TimeSpan.FromSeconds(1);
                time.See();
            }
        }

        Runs(90);
        Assert.Equal(90, time.Elapsed.TotalSeconds, 3);
        clock.Now += TimeSpan.FromHours(2); // Ctrl-Z, and fg
        Assert.Equal(90, time.Elapsed.TotalSeconds, 3);
        Runs(10);
        clock.Now += TimeSpan.FromSeconds(4); // a busy machine
        Assert.Equal(104, time.Elapsed.TotalSeconds, 3);
    }

    [Fact]
    public void Time_runs()
    {
        using var time = RunningTime.Start();
        var clock = System.Diagnostics.Stopwatch.StartNew();
        Thread.Sleep(50);
        Assert.InRange(time.Elapsed.TotalSeconds, 0.05, clock.Elapsed.TotalSeconds + 1);
    }

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
