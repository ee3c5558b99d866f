using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FaceDistill.Files;
using Microsoft.Win32.SafeHandles;
using TorchSharp;
using static TorchSharp.torch;

namespace FaceDistill.Cluster;

/// <summary>
/// The processes that train one student together under MPI (<c>mpirun -n R facedistill distill ...</c>, or <c>srun</c>). The first one prepares, measures,
/// writes and tells; the others compute their part of each batch and write nothing.
/// </summary>
public abstract class Ranks
{
    private static readonly string[] RankNames = ["OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK"];
    private static readonly string[] CountNames = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"];
    private static readonly string[] LocalNames = ["OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "MV2_COMM_WORLD_LOCAL_SIZE"];

    private static bool _joined;

    internal Ranks(int rank, int count) => (Rank, Count) = (rank, count);

    /// <summary>This process among all, from 0.</summary>
    public int Rank { get; }

    /// <summary>How many there are, 1 or more.</summary>
    public int Count { get; }

    /// <summary>Whether this one prepares, measures, writes and tells.</summary>
    public bool IsFirst => Rank == 0;

    /// <summary>What connects them, in words.</summary>
    public abstract string About { get; }

    /// <summary>How many of them share this machine, its memory and its cores.</summary>
    internal int OnThisMachine => (Number(LocalNames) ?? OfSlurm()) is > 0 and var local ? Math.Min(local, Count) : Count;

    /// <summary>The rank that the launcher gave this process, before it joins the others; null where no launcher of MPI started it.</summary>
    public static int? Started => Number(RankNames);

    /// <summary>How many processes the launcher started; null where it did not tell.</summary>
    internal static int? Launched => Number(CountNames);

    /// <summary>Joins the other processes that <c>mpirun</c> or <c>srun</c> started; once a process, on the thread that trains.</summary>
    /// <returns>Null where the process was started alone, or is the only one.</returns>
    /// <exception cref="FaceDistillException">It was started by MPI, and no MPI library is found; the message says how to name one.</exception>
    public static Ranks? Join()
    {
        string? named = Environment.GetEnvironmentVariable(MpiLibrary.Variable);
        if (Started is null || Launched == 1)
        {
            return null;
        }

        string[] openMpi = ["libmpi.so.40", "libmpi.so.80", "libmpi.so.20"], mpich = ["libmpich.so.12", "libmpi.so.12", "libmpi_cray.so.12"];
        bool hydra = Environment.GetEnvironmentVariable("PMI_RANK") is not null && Environment.GetEnvironmentVariable("OMPI_COMM_WORLD_RANK") is null;
        var library = MpiLibrary.Open(named is { Length: > 0 } ? [named] : hydra ? [.. mpich, "libmpi.so"] : [.. openMpi, "libmpi.so", .. mpich]);
        _joined = true;
        if (library.Count > 1)
        {
            return new Mpi(library);
        }

        library.End();
        return Launched is > 1 and var started ? throw new FaceDistillException($"the launcher started {started} processes, and {library.Path} "
            + $"({library.Version}) knows of one: it is another MPI's; name the library of that launcher with {MpiLibrary.Variable}=FILE") : null;
    }

    /// <summary>
    /// Ends the job of a process that failed or was cancelled. Open MPI's launcher does so by itself; MPICH's (Hydra) would wait for ever for one that did not
    /// begin MPI, and call one that was cancelled a success, but for this message of its protocol (PMI-1, "cmd=abort", on the descriptor that it handed over).
    /// </summary>
    /// <param name="code">The exit code.</param>
    internal static void Leave(int code)
    {
        if (Started is not null && Number(["PMI_FD"]) is { } launcher && Environment.GetEnvironmentVariable("SLURM_STEP_ID") is null)
        {
            Thread.Sleep(TimeSpan.FromSeconds(_joined ? 0 : 2)); // most often all fail alike, and each may say so
            try
            {
                using var handle = new SafeFileHandle(launcher, ownsHandle: false);
                using var stream = new FileStream(handle, FileAccess.Write, bufferSize: 0);
                stream.Write(Encoding.ASCII.GetBytes(InvariantText.Of($"cmd=abort exitcode={code}\n")));
            }
            catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
            {
                // it is gone already, or handed nothing over
            }
        }
    }

    /// <summary>Takes leave; all ranks do so when all is done. A process that ends without it, after a failure, makes the launcher end the others.</summary>
    public abstract void End();

    /// <summary>Replaces values by their sums over all ranks; every rank gets the same.</summary>
    internal abstract void Sum(Span<float> values);

    /// <summary>Gives each rank's bytes to all.</summary>
    /// <param name="all">The ranks' parts, one behind the other; its own is there already.</param>
    /// <param name="lengths">The length of each rank's part.</param>
    internal abstract void Gather(Span<byte> all, ReadOnlySpan<int> lengths);

    /// <summary>Gives the first rank's bytes to all; the others pass as many.</summary>
    internal abstract void FromFirst(Span<byte> bytes);

    /// <summary>Waits for all.</summary>
    internal abstract void Meet();

    /// <summary>Sums a tensor over all ranks, in place.</summary>
    /// <param name="values">float32, its values one behind the other.</param>
    internal void Sum(Tensor values) => InMemory(values, bytes => Sum(MemoryMarshal.Cast<byte, float>(bytes)));

    /// <summary>Gives each rank's part of a tensor to all, in place.</summary>
    /// <param name="values">Of any type, its values one behind the other.</param>
    /// <param name="counts">How many values each rank has, in their order.</param>
    internal void Gather(Tensor values, IEnumerable<long> counts)
    {
        int[] lengths = [.. counts.Select(n => checked((int)(n * values.element_size())))];
        InMemory(values, bytes => Gather(bytes, lengths));
    }

    /// <summary>How many ranks, with this one, say the same; all are asked at once.</summary>
    internal int Alike(string said)
    {
        const int length = SHA256.HashSizeInBytes;
        var all = new byte[Count * length];
        SHA256.HashData(Encoding.UTF8.GetBytes(said)).CopyTo(all, Rank * length);
        int[] lengths = [.. Enumerable.Repeat(length, Count)];
        Gather(all, lengths);
        byte[] mine = all[(Rank * length)..((Rank + 1) * length)];
        return all.Chunk(length).Count(other => other.AsSpan().SequenceEqual(mine));
    }

    /// <summary>Gives the first rank's tensor to all, in place.</summary>
    /// <param name="values">As for <see cref="Sum(Tensor)"/>.</param>
    internal void FromFirst(Tensor values) => InMemory(values, FromFirst);

    /// <summary>Something that the first rank makes while the others wait, without keeping their cores busy.</summary>
    internal T Told<T>(Func<T> first)
    {
        byte[] text = IsFirst ? JsonSerializer.SerializeToUtf8Bytes(first(), JsonFile.Options) : [];
        Meet();
        int length = text.Length;
        FromFirst(MemoryMarshal.AsBytes(MemoryMarshal.CreateSpan(ref length, 1)));
        byte[] told = IsFirst ? text : new byte[length];
        FromFirst(told);
        return JsonSerializer.Deserialize<T>(told, JsonFile.Options)!;
    }

    private delegate void OnBytes(Span<byte> bytes);

    // A GPU's values go through the machine's memory.
    private static void InMemory(Tensor values, OnBytes work)
    {
        using var frozen = no_grad();
        if (values.device_type == DeviceType.CPU)
        {
            work(values.bytes);
            return;
        }

        using var here = values.cpu();
        work(here.bytes);
        values.copy_(here);
    }

    // Under 'srun --mpi=pmi2' Slurm alone knows; outside a step the variables are those of the whole allocation.
    private static int? OfSlurm()
    {
        string? Told(string name) => Environment.GetEnvironmentVariable(name);
        return Told("SLURM_STEP_ID") is null ? null : TasksOn(Told("SLURM_STEP_TASKS_PER_NODE") ?? Told("SLURM_TASKS_PER_NODE"), Told("SLURM_NODEID"));
    }

    /// <summary>How many tasks of a step Slurm runs on one of its nodes; null where it does not tell.</summary>
    /// <param name="tasks">"2(x3),1": two on each of the first three nodes, one on the fourth.</param>
    /// <param name="node">The node among those of the step, from 0.</param>
    internal static int? TasksOn(string? tasks, string? node)
    {
        if (!InvariantNumber.Count(node ?? "", out int place))
        {
            return null;
        }

        foreach (string group in (tasks ?? "").Split(','))
        {
            string[] parts = group.TrimEnd(')').Split("(x");
            int nodes = 1;
            if (parts.Length > 2 || !InvariantNumber.Count(parts[0], out int each) || (parts.Length == 2 && !InvariantNumber.Count(parts[1], out nodes)))
            {
                return null;
            }

            if ((place -= nodes) < 0)
            {
                return each;
            }
        }

        return null;
    }

    private static int? Number(string[] names) => names.Select(Environment.GetEnvironmentVariable)
        .Select(text => InvariantNumber.Count(text ?? "", out int number) ? number : (int?)null).FirstOrDefault(n => n is not null);

    private sealed class Mpi(MpiLibrary library) : Ranks(library.Rank, library.Count)
    {
        public override string About => $"{library.Count} ranks of {library.Version}";

        public override void End() => library.End();

        internal override void Sum(Span<float> values) => library.Sum(values);

        internal override void Gather(Span<byte> all, ReadOnlySpan<int> lengths) => library.Gather(all, lengths);

        internal override void FromFirst(Span<byte> bytes) => library.FromFirst(bytes);

        internal override void Meet() => library.Meet();
    }
}
