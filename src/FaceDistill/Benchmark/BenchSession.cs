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
    private readonly OrtValue? _batch; // for a device that one picture does not keep busy
    private readonly string _name;
    private readonly string _path;

    /// <summary>Loads a model; on the CPU each run computes on the calling thread.</summary>
    /// <param name="path">Any model file with one input that ONNX Runtime loads.</param>
    /// <param name="contract">Gives the picture's size where the model leaves it open; null where it is not known.</param>
    /// <param name="provider">Where it is computed: one of <see cref="OnnxProviders.Names"/>.</param>
    /// <param name="say">Told where the CPU takes another's place.</param>
    /// <exception cref="FaceDistillException">The file is no model, has several inputs, or an input of open size or another type than float32, float16 or
    /// uint8, or the provider is not there.</exception>
    public BenchSession(string path, ModelInputSpec? contract, string provider = OnnxProviders.Cpu, Action<string>? say = null)
        : this(path, contract, OnnxSessions.Open(path, provider, say), OnnxProviders.FacesAtOnce)
    {
    }

    /// <summary>Loads a model on the CPU with other options than those of a measurement.</summary>
    internal BenchSession(string path, ModelInputSpec? contract, SessionOptions options)
        : this(path, contract, (OnnxSessions.Open(path, options), OnnxProviders.Cpu), OnnxProviders.FacesAtOnce)
    {
    }

    /// <summary>Takes hold of a session.</summary>
    /// <param name="path">The model's file.</param>
    /// <param name="contract">As above.</param>
    /// <param name="opened">The session, and where it computes.</param>
    /// <param name="facesAtOnce">How many pictures keep a provider busy; 0 where every core computes its own.</param>
    internal BenchSession(string path, ModelInputSpec? contract, (InferenceSession Session, string Provider) opened, Func<string, int> facesAtOnce)
    {
        _path = path;
        (_session, Provider) = opened;
        try
        {
            var (name, metadata) = _session.InputMetadata.Count == 1 ? _session.InputMetadata.Single()
                : throw new FaceDistillException($"{path} has {_session.InputMetadata.Count} inputs; one that is to be measured has one, a picture");
            _name = name;
            if (!metadata.IsTensor)
            {
                throw new FaceDistillException($"{path} takes {metadata.OnnxValueType}; one that is to be measured takes a tensor, a picture");
            }

            long[] shape = Shape(metadata.Dimensions, contract);
            PicturesAtOnce = FixedBatch = shape.Length == 4 ? (int)shape[0] : 1;
            _input = Noise(metadata.ElementDataType, shape);
            if (facesAtOnce(Provider) is > 1 and var many && metadata.Dimensions.Length > 1 && metadata.Dimensions[0] <= 0)
            {
                _batch = Noise(metadata.ElementDataType, [many, .. shape[1..]]);
                if (RunsMany())
                {
                    PicturesAtOnce = many;
                }
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where it is computed.</summary>
    public string Provider { get; }

    /// <summary>How many pictures each run takes, whether they are wanted or not: more than one where the file says so.</summary>
    public int FixedBatch { get; } = 1;

    /// <summary>How many pictures <see cref="RunMany"/> gives it at once.</summary>
    public int PicturesAtOnce { get; } = 1;

    /// <summary>Runs the model once: batch 1, or what it takes at least (<see cref="FixedBatch"/>), which one picture costs then.</summary>
    /// <exception cref="FaceDistillException">It does not run.</exception>
    public void Run() => Run(_run, _input);

    /// <summary>Runs it as its provider computes most: on the CPU one picture for each thread that calls, elsewhere a large batch.</summary>
    /// <exception cref="FaceDistillException">It does not run.</exception>
    public void RunMany() => Run(_run, PicturesAtOnce > FixedBatch ? _batch! : _input);

    /// <summary>The first run, which has to end within <see cref="OnnxTrial.Limit"/>.</summary>
    /// <exception cref="FaceDistillException">It does not, or fails.</exception>
    internal void TryOut() => OnnxTrial.Run(_path, OnnxTrial.Limit, run =>
    {
        Run(run, _input);
        return 0;
    });

    // One that takes any number by its word may run with one picture only.
    private bool RunsMany()
    {
        try
        {
            Run(_run, _batch!);
            return true;
        }
        catch (FaceDistillException)
        {
            return false;
        }
    }

    private void Run(RunOptions run, OrtValue input)
    {
        try
        {
            using var outputs = _session.Run(run, [_name], [input], _session.OutputNames);
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
        _input?.Dispose();
        _batch?.Dispose();
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

    /// <summary>Counts the pictures a second when each model runs on its threads over and over.</summary>
    /// <param name="models">One run of each model, how many pictures that takes, and from how many threads it is called at once.</param>
    /// <param name="rounds">How often each model has its turn of some 0.15 s.</param>
    /// <param name="job">Told of every round.</param>
    /// <returns>Pictures a second, one value a model.</returns>
    public static IReadOnlyList<double> Throughput(IReadOnlyList<(Action Run, int Pictures, int Threads)> models, int rounds, JobContext job)
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
                runs[model] += models[model].Pictures * OnThreads(models[model].Run, models[model].Threads, began);
                seconds[model] += Stopwatch.GetElapsedTime(began).TotalSeconds;
            }

            job.Progress?.Report(new WorkProgress("throughput", round + 1, rounds, "rounds"));
        }

        return [.. runs.Zip(seconds, (count, time) => count / time)];
    }

    private static long OnThreads(Action run, int threads, long began)
    {
        var tasks = Enumerable.Range(0, threads).Select(_ => Task.Factory.StartNew(() =>
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
