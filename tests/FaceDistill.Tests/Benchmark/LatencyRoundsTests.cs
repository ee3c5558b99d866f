using FaceDistill.Benchmark;
using FaceDistill.Formats;
using FaceDistill.Kernels;

namespace FaceDistill.Tests.Benchmark;

public sealed class LatencyRoundsTests
{
    [Fact]
    public void Models_take_turns_and_each_begins_a_round_equally_often()
    {
        var calls = new List<int>();
        var latencies = LatencyRounds.Measure([() => calls.Add(0), () => calls.Add(1)], 2, JobContext.None);
        Assert.Equal([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], calls); // one untimed and four timed a turn
        Assert.All(latencies, l => Assert.Equal(8, l.Runs));
    }

    [Fact]
    public void A_slower_model_shows()
    {
        Action slow = () => Thread.Sleep(8), fast = () => Thread.Sleep(1);
        var latencies = LatencyRounds.Measure([slow, fast], 3, JobContext.None);
        Assert.InRange(latencies[0].P50, 8, 1000);
        Assert.True(latencies[1].P50 < latencies[0].P50 && latencies[0].P50 <= latencies[0].P95);
        var rates = LatencyRounds.Throughput([(slow, 1, 2), (fast, 1, 2), (fast, 100, 1)], 1, JobContext.None);
        Assert.True(rates[1] > rates[0]);
        Assert.InRange(rates[0], 2, 250); // two at once of 8 ms each
        Assert.True(rates[2] > 10 * rates[1]); // a hundred pictures a run
    }

    [Fact]
    public void A_failure_on_another_thread_and_a_cancelled_run_come_through()
    {
        Assert.Throws<FaceDistillException>(() => LatencyRounds.Throughput([(() => throw new FaceDistillException("broken"), 1, 2)], 1, JobContext.None));
        Assert.Throws<OperationCanceledException>(() => LatencyRounds.Measure([() => { }], 1, new JobContext(Cancel: new CancellationToken(true))));
    }
}
