using FaceDistill.Cluster;
using FaceDistill.Kernels;
using FaceDistill.Training.Batches;
using FaceDistill.Training.Checkpoints;
using FaceDistill.Training.Options;
using TorchSharp;

namespace FaceDistill.Training;

/// <summary>What the ranks of one training keep in common besides the sums within each step.</summary>
/// <param name="ranks">The processes.</param>
/// <param name="student">This one's student.</param>
internal sealed class RankedRun(Ranks ranks, TrainingStep student)
{
    /// <summary>The processes.</summary>
    public Ranks Ranks => ranks;

    /// <summary>Gives each rank its part of the cores; the first that all do together, before anything that one alone may refuse.</summary>
    /// <param name="ranks">The processes; null for one alone, which keeps its cores.</param>
    public static void ShareCores(Ranks? ranks)
    {
        if (ranks is not null)
        {
            HostThreads.Share(ranks.Alike(HostThreads.Cores()));
        }
    }

    /// <summary>Refuses what ranks cannot train, before hours of aligning and embedding.</summary>
    /// <param name="options">The run's.</param>
    /// <param name="ranks">The processes, whose threads are parted.</param>
    /// <param name="begun">The options with which a run that goes on began, which keeps its parts; null where it begins.</param>
    /// <exception cref="FaceDistillException">A time is given; or there are more ranks than parts of a batch.</exception>
    public static void Require(TrainingRunOptions options, Ranks ranks, TrainingRunOptions? begun)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(ranks);
        if (begun is null && options.Minutes is not null)
        {
            throw NoMinutes();
        }

        var device = TorchDevice.Resolve(options.Device).type;
        if (device == DeviceType.CPU && begun?.Replicas < ranks.Count && (options.Replicas ?? begun.Replicas) == begun.Replicas)
        {
            throw new FaceDistillException($"the run began with {begun.Replicas} part{(begun.Replicas == 1 ? "" : "s")} a batch, which it keeps: "
                + $"start {begun.Replicas} ranks or fewer; a run that is to have more later begins with --replicas");
        }

        int parts = options.Replicas ?? begun?.Replicas ?? Replicas.Usual(options.BatchSize, device, ranks.Count);
        BatchParts.Of(device == DeviceType.CPU ? parts : ranks.Count, ranks);
    }

    /// <summary>Refuses a process that was started with other options, before it waits for what the first one prepares.</summary>
    /// <param name="ranks">The processes, which all come here.</param>
    /// <param name="options">This one's options.</param>
    /// <param name="teacher">This one's teacher.</param>
    /// <exception cref="FaceDistillException">They are not the first rank's; the message says by what.</exception>
    public static void RequireSame(Ranks ranks, DistillOptions options, string teacher)
    {
        ArgumentNullException.ThrowIfNull(ranks);
        var first = ranks.Told(() => new Given(options, teacher));
        string other = ResumeRules.Difference(first.Options, options);
        other = first.Teacher == teacher ? other : $"teacher: {first.Teacher} there, {teacher} here";
        if (other.Length > 0)
        {
            throw new FaceDistillException(
                $"rank {ranks.Rank} of {ranks.Count} was started otherwise than rank 0 ({other}); give all the same options and recipe");
        }
    }

    private sealed record Given(DistillOptions Options, string Teacher);

    private static FaceDistillException NoMinutes() =>
        new("--minutes measures one process alone; give --epochs where several train together");

    /// <summary>Agrees on what the first rank decided, since machines may differ: float32 where they do not all choose bfloat16, which takes a machine without
    /// its instructions twenty times as long, while the others wait.</summary>
    /// <param name="decided">This rank's own decision.</param>
    /// <param name="state">How far the run is.</param>
    /// <exception cref="FaceDistillException">A time is given: it is measured by one process alone.</exception>
    public TrainingRunOptions Agreed(TrainingRunOptions decided, TrainingState state)
    {
        ranks.Meet(); // without keeping their cores busy: the first may compute a start
        bool alike = ranks.Alike($"{decided.Precision}") == ranks.Count;
        var told = ranks.Told(() => decided.Minutes is null || state is not { Epoch: 0, Step: 0 } ? decided : throw NoMinutes());
        return alike ? told : told with { Precision = PrecisionMode.Fp32 };
    }

    /// <summary>Begins where the first rank begins, with its weights: a start is computed by it alone.</summary>
    /// <param name="state">What this rank found in the run folder.</param>
    /// <param name="folder">The run folder.</param>
    /// <exception cref="FaceDistillException">It is another folder than the first rank's.</exception>
    public void Begin(TrainingState state, string folder)
    {
        int[] first = ranks.Told<int[]>(() => [state.Epoch, state.Step]);
        if ((first[0], first[1]) != (state.Epoch, state.Step))
        {
            throw new FaceDistillException($"rank {ranks.Rank} finds another checkpoint than rank 0 (step {state.Step} of epoch {state.Epoch + 1}, not "
                + $"{first[1]} of {first[0] + 1}): {folder} must be one folder, on a file system that all ranks share");
        }

        Share();
    }

    /// <summary>Ends an epoch, which the first rank measures while the others wait.</summary>
    /// <param name="state">The first rank's state after it.</param>
    /// <returns>The same on each.</returns>
    public TrainingState End(TrainingState state)
    {
        var told = ranks.Told(() => state);
        Share(); // what rounding on different machines has parted
        return told;
    }

    private void Share()
    {
        ranks.FromFirst(student.Optimizer.Weights.Values);
        foreach (var (_, moments) in student.Model.named_buffers().Where(b => b.buffer.is_floating_point()))
        {
            ranks.FromFirst(moments);
        }
    }
}
