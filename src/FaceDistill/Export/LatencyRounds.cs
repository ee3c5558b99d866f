using System.Diagnostics;

namespace FaceDistill.Export;

/// <summary>The time of one model.</summary>
/// <param name="P50">Median of a run, milliseconds: batch 1, one thread.</param>
/// <param name="P95">The 95th percentile, milliseconds.</param>
/// <param name="Runs">How many runs were timed.</param>
public sealed record Latency(double P50, double P95, int Runs);

/// <summary>Times models side by side in rounds: each round runs every model, so that whatever else the machine does hits all alike.</summary>
public static class LatencyRounds
{
    private const int RunsARound = 4;
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(0.15);

    /// <summary>Times single runs on the calling thread.</summary>
    /// <param name="models">One run of each model.</param>
    /// <param name="rounds">How often each model has its turn; a turn is one run that is not timed, so that the model's weights are near again, and four that are.</param>
    /// <param name="progress">Told of every round.</param>
    /// <param name="cancel">Stops between runs.</param>
    public static IReadOnlyList<Latency> Measure(IReadOnlyList<Action> models, int rounds, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(models);
        ArgumentOutOfRangeException.ThrowIfLessThan(rounds, 1);
        var times = models.Select(_ => new List<double>(rounds * RunsARound)).ToList();
        for (int round = 0; round < rounds; round++)
        {
            for (int turn = 0; turn < models.Count; turn++)
            {
                int model = (round + turn) % models.Count; // no model always follows the same other one
                models[model]();
                for (int i = 0; i < RunsARound; i++)
                {
                    cancel.ThrowIfCancellationRequested();
                    long began = Stopwatch.GetTimestamp();
                    models[model]();
                    times[model].Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                }
            }

            progress?.Report(new WorkProgress("latency", round + 1, rounds, "rounds"));
        }

        return [.. times.Select(t => new Latency(Percentile(t, 0.50), Percentile(t, 0.95), t.Count))];
    }

    /// <summary>Counts the runs a second when every core runs the model by itself, batch 1.</summary>
    /// <param name="models">One run of each model; called from several threads at once.</param>
    /// <param name="rounds">How often each model has its turn of some 0.15 s.</param>
    /// <param name="cores">How many threads run at once.</param>
    /// <param name="progress">Told of every round.</param>
    /// <param name="cancel">Stops between turns.</param>
    /// <returns>Pictures a second, one value a model.</returns>
    public static IReadOnlyList<double> Throughput(IReadOnlyList<Action> models, int rounds, int cores, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(models);
        ArgumentOutOfRangeException.ThrowIfLessThan(rounds, 1);
        var (runs, seconds) = (new long[models.Count], new double[models.Count]);
        for (int round = 0; round < rounds; round++)
        {
            for (int turn = 0; turn < models.Count; turn++)
            {
                cancel.ThrowIfCancellationRequested();
                int model = (round + turn) % models.Count;
                long began = Stopwatch.GetTimestamp();
                runs[model] += OnEveryCore(models[model], cores, began);
                seconds[model] += Stopwatch.GetElapsedTime(began).TotalSeconds;
            }

            progress?.Report(new WorkProgress("throughput", round + 1, rounds, "rounds"));
        }

        return [.. runs.Zip(seconds, (count, time) => count / time)];
    }

    /// <summary>The smallest value that at least a share of the values does not exceed.</summary>
    /// <param name="values">At least one.</param>
    /// <param name="share">Above 0, at most 1.</param>
    public static double Percentile(IEnumerable<double> values, double share)
    {
        double[] sorted = [.. values.Order()];
        return sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];
    }

    private static long OnEveryCore(Action run, int cores, long began)
    {
        var tasks = Enumerable.Range(0, cores).Select(_ => Task.Factory.StartNew(() =>
        {
            long done = 0;
            do
            {
                run();
                done++;
            }
            while (Stopwatch.GetElapsedTime(began) < Slice);
            return done;
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        return Task.WhenAll(tasks).GetAwaiter().GetResult().Sum();
    }
}
