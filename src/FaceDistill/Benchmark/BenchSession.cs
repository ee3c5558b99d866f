using System.Diagnostics;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Results;
using FaceDistill.Faces;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace FaceDistill.Benchmark;

/// <summary>A model file ready to be run over and over on one picture of noise, for its time alone. May be run from several threads at once.</summary>
internal sealed class BenchSession : IDisposable
{
    private const int Seed = 1;
    private const int MostValues = 1 << 27; // half a gigabyte of floats
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly OrtValue _input;
    private readonly string _name;
    private readonly string _path;

    /// <summary>Loads a model; each run computes on the calling thread.</summary>
    /// <param name="path">Any model file with one input that ONNX Runtime loads.</param>
    /// <param name="contract">Gives the picture's size where the model leaves it open; null where it is not known.</param>
    /// <exception cref="FaceDistillException">The file is no model, has several inputs, or an input of open size or another type than float32, float16 or
    /// uint8.</exception>
    public BenchSession(string path, ModelInputSpec? contract)
        : this(path, contract, null)
    {
    }

    /// <summary>Loads a model with other options than those of a measurement.</summary>
    internal BenchSession(string path, ModelInputSpec? contract, SessionOptions? options)
    {
        _path = path;
        _session = OnnxSessions.Open(path, options);
        try
        {
            var (name, metadata) = _session.InputMetadata.Count == 1 ? _session.InputMetadata.Single()
                : throw new FaceDistillException($"{path} has {_session.InputMetadata.Count} inputs; one that is to be measured has one, a picture");
            _name = name;
            if (!metadata.IsTensor)
            {
                throw new FaceDistillException($"{path} takes {metadata.OnnxValueType}; one that is to be measured takes a tensor, a picture");
            }

            _input = Noise(metadata.ElementDataType, Shape(metadata.Dimensions, contract));
        }
        catch
        {
            _session.Dispose();
            _run.Dispose();
            throw;
        }
    }

    /// <summary>Runs the model once: batch 1.</summary>
    /// <exception cref="FaceDistillException">It does not run.</exception>
    public void Run() => Run(_run);

    /// <summary>The first run, which has to end within <see cref="OnnxTrial.Limit"/>.</summary>
    /// <exception cref="FaceDistillException">It does not, or fails.</exception>
    internal void TryOut() => OnnxTrial.Run(_path, OnnxTrial.Limit, run =>
    {
        Run(run);
        return 0;
    });

    private void Run(RunOptions run)
    {
        try
        {
            using var outputs = _session.Run(run, [_name], [_input], _session.OutputNames);
        }
        catch (OnnxRuntimeException e)
        {
            throw new FaceDistillException($"{_path} does not run: {e.Message.Split('\n')[0]}", e);
        }
    }

    /// <summary>Ends the profile that the options asked for.</summary>
    /// <returns>The profile's file.</returns>
    internal string EndProfiling() => _session.EndProfiling();

    /// <inheritdoc/>
    public void Dispose()
    {
        _input.Dispose();
        _run.Dispose();
        _session.Dispose();
    }

    private long[] Shape(int[] shape, ModelInputSpec? contract)
    {
        int size = contract?.Size ?? 0;
        int[] known = contract?.Layout == TensorLayout.Nhwc ? [1, size, size, 3] : [1, 3, size, size];
        long[] whole = [.. shape.Select((side, axis) => side > 0 ? side : axis == 0 ? 1L : contract is not null && shape.Length == 4 ? known[axis] : 0)];
        return whole.Contains(0) ? throw new FaceDistillException(
                $"{_path} leaves the size of its input open, [{string.Join(", ", shape)}]; write a card for it and give teacher:CARD.json")
            : whole.Aggregate(1.0, (a, b) => a * b) <= MostValues ? whole : throw new FaceDistillException(
                $"{_path} takes [{string.Join(", ", shape)}], more than fits into memory; export it for fewer faces at once");
    }

    private OrtValue Noise(TensorElementType type, long[] shape)
    {
        var random = new Random(Seed);
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (2 * random.NextSingle()) - 1;
        }

        return type switch
        {
            TensorElementType.Float => OrtValue.CreateTensorValueFromMemory(values, shape),
            TensorElementType.Float16 => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, v => (Float16)v), shape),
            TensorElementType.UInt8 => OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(values, v => (byte)(127.5f + (127 * v))), shape),
            _ => throw new FaceDistillException($"{_path} takes {type} values; float32, float16 or uint8 pictures can be measured"),
        };
    }
}

/// <summary>The time of one model.</summary>
/// <param name="P50">Median of a run, milliseconds: batch 1, one thread.</param>
/// <param name="P95">The 95th percentile, milliseconds.</param>
/// <param name="Runs">How many runs were timed.</param>
public sealed record Latency(double P50, double P95, int Runs)
{
    /// <summary>The fastest run, milliseconds: what other work on the machine delays least.</summary>
    internal double Fastest { get; init; } = P50;
}

/// <summary>Times models side by side in rounds: each round runs every model, so that whatever else the machine does hits all alike.</summary>
internal static class LatencyRounds
{
    private const int RunsARound = 4;
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(0.15);

    /// <summary>Times single runs on the calling thread.</summary>
    /// <param name="models">One run of each model.</param>
    /// <param name="rounds">How often each model has its turn; a turn is one run that is not timed, so that the model's weights are near again, and four that
    /// are.</param>
    /// <param name="job">Told of every round.</param>
    public static IReadOnlyList<Latency> Measure(IReadOnlyList<Action> models, int rounds, JobContext job)
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
                    job.Cancel.ThrowIfCancellationRequested();
                    long began = Stopwatch.GetTimestamp();
                    models[model]();
                    times[model].Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                }
            }

            job.Progress?.Report(new WorkProgress("latency", round + 1, rounds, "rounds"));
        }

        return [.. times.Select(t => t.Order().ToArray()).Select(t => new Latency(NearestRank.Of(t, 0.50), NearestRank.Of(t, 0.95), t.Length)
        {
            Fastest = t[0],
        })];
    }

    /// <summary>Counts the runs a second when every core runs the model by itself, batch 1.</summary>
    /// <param name="models">One run of each model; called from several threads at once.</param>
    /// <param name="rounds">How often each model has its turn of some 0.15 s.</param>
    /// <param name="cores">How many threads run at once.</param>
    /// <param name="job">Told of every round.</param>
    /// <returns>Pictures a second, one value a model.</returns>
    public static IReadOnlyList<double> Throughput(
        IReadOnlyList<Action> models, int rounds, int cores, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(models);
        ArgumentOutOfRangeException.ThrowIfLessThan(rounds, 1);
        var (runs, seconds) = (new long[models.Count], new double[models.Count]);
        for (int round = 0; round < rounds; round++)
        {
            for (int turn = 0; turn < models.Count; turn++)
            {
                job.Cancel.ThrowIfCancellationRequested();
                int model = (round + turn) % models.Count;
                long began = Stopwatch.GetTimestamp();
                runs[model] += OnEveryCore(models[model], cores, began);
                seconds[model] += Stopwatch.GetElapsedTime(began).TotalSeconds;
            }

            job.Progress?.Report(new WorkProgress("throughput", round + 1, rounds, "rounds"));
        }

        return [.. runs.Zip(seconds, (count, time) => count / time)];
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
