using System.Runtime.InteropServices;
using System.Text;

namespace FaceDistill.Cluster;

/// <summary>
/// The functions of an MPI library that training needs, bound by ourselves: MPI fixes its functions, not what a communicator or a type is in memory, so
/// there are two binary interfaces among clusters. MPICH's (also Intel MPI, MVAPICH, Cray) has numbers, Open MPI's the addresses of objects; which of the
/// two a library is, its symbols tell.
/// </summary>
/// <remarks>
/// Handles are passed as machine words. Where MPICH takes an int, the lower half of the register is read, on x86-64 and ARM64 alike. The numbers are those
/// of MPICH's mpi.h, which its ABI initiative keeps (mpich.org/abi).
/// </remarks>
internal sealed unsafe partial class MpiLibrary
{
    private const int Funneled = 1; // MPI_THREAD_FUNNELED: one thread calls; 1 in both interfaces
    private const int MostVersion = 8192; // MPI_MAX_LIBRARY_VERSION_STRING of MPICH, the larger of the two

    private readonly nint _world, _float, _byte, _sum, _inPlace, _ignoredStatus;
    private readonly delegate* unmanaged<nint, nint, int, nint, nint, nint, int> _allreduce;
    private readonly delegate* unmanaged<nint, int, nint, nint, int*, int*, nint, nint, int> _allgatherv;
    private readonly delegate* unmanaged<nint, int, nint, int, nint, int> _bcast;
    private readonly delegate* unmanaged<nint, nint*, int> _ibarrier;
    private readonly delegate* unmanaged<nint*, int*, nint, int> _test;
    private readonly delegate* unmanaged<int> _finalize;

    private MpiLibrary(nint library, string path)
    {
        Path = path;
        nint Function(string name) => NativeLibrary.TryGetExport(library, name, out nint at) ? at
            : throw new FaceDistillException($"{path} is no whole MPI library: it lacks {name}; name another with {Variable}=FILE");
        bool addresses = NativeLibrary.TryGetExport(library, "ompi_mpi_comm_world", out _world);
        (_float, _byte, _sum, _inPlace, _ignoredStatus) = addresses
            ? (Function("ompi_mpi_float"), Function("ompi_mpi_byte"), Function("ompi_mpi_op_sum"), 1, 0)
            : (0x4c00040a, 0x4c00010d, 0x58000003, -1, 1);
        _world = addresses ? _world : 0x44000000;
        _allreduce = (delegate* unmanaged<nint, nint, int, nint, nint, nint, int>)Function("MPI_Allreduce");
        _allgatherv = (delegate* unmanaged<nint, int, nint, nint, int*, int*, nint, nint, int>)Function("MPI_Allgatherv");
        _bcast = (delegate* unmanaged<nint, int, nint, int, nint, int>)Function("MPI_Bcast");
        _ibarrier = (delegate* unmanaged<nint, nint*, int>)Function("MPI_Ibarrier");
        _test = (delegate* unmanaged<nint*, int*, nint, int>)Function("MPI_Test");
        _finalize = (delegate* unmanaged<int>)Function("MPI_Finalize");
        int provided = 0, rank = 0, count = 0, length = 0;
        Check(((delegate* unmanaged<nint, nint, int, int*, int>)Function("MPI_Init_thread"))(0, 0, Funneled, &provided), "MPI_Init_thread");
        Check(((delegate* unmanaged<nint, int*, int>)Function("MPI_Comm_rank"))(_world, &rank), "MPI_Comm_rank");
        Check(((delegate* unmanaged<nint, int*, int>)Function("MPI_Comm_size"))(_world, &count), "MPI_Comm_size");
        byte[] version = new byte[MostVersion];
        fixed (byte* text = version)
        {
            Check(((delegate* unmanaged<byte*, int*, int>)Function("MPI_Get_library_version"))(text, &length), "MPI_Get_library_version");
        }

        (Rank, Count, Version) =
            (rank, count, Encoding.UTF8.GetString(version, 0, Math.Clamp(length, 0, MostVersion)).Split('\n', ',')[0].Replace('\t', ' ').TrimEnd('\0'));
    }

    /// <summary>The environment variable that names the library's file; for clusters that keep it where nobody looks.</summary>
    public const string Variable = "FACEDISTILL_MPI";

    /// <summary>Where it was found.</summary>
    public string Path { get; }

    /// <summary>What it calls itself.</summary>
    public string Version { get; }

    /// <summary>This process among all, from 0.</summary>
    public int Rank { get; }

    /// <summary>How many there are.</summary>
    public int Count { get; }

    /// <summary>Loads and initialises the first of several libraries that is there.</summary>
    /// <param name="names">File names or paths.</param>
    /// <exception cref="FaceDistillException">None is there, or it does not start.</exception>
    public static MpiLibrary Open(IReadOnlyList<string> names)
    {
        foreach (string name in names)
        {
            if (Load(name) is not 0 and var library)
            {
                return new MpiLibrary(library, name);
            }
        }

        throw new FaceDistillException($"this process was started by MPI, and no MPI library is found ({string.Join(", ", names)}); "
            + $"name the one of that mpirun with {Variable}=FILE");
    }

    /// <summary>Replaces values by their sums over all ranks; every rank gets the same.</summary>
    public void Sum(Span<float> values)
    {
        const int most = 1 << 28; // counts are ints, and messages of gigabytes gain nothing
        for (int first = 0; first < values.Length; first += most)
        {
            var part = values.Slice(first, Math.Min(most, values.Length - first));
            fixed (float* at = part)
            {
                Check(_allreduce(_inPlace, (nint)at, part.Length, _float, _sum, _world), "MPI_Allreduce");
            }
        }
    }

    /// <summary>Gives each rank's part to all.</summary>
    /// <param name="all">The parts in the order of the ranks; its own is there already.</param>
    /// <param name="lengths">How many bytes each has; 2 GB in all at most.</param>
    public void Gather(Span<byte> all, ReadOnlySpan<int> lengths)
    {
        Span<int> places = stackalloc int[lengths.Length];
        for (int rank = 1; rank < places.Length; rank++)
        {
            places[rank] = places[rank - 1] + lengths[rank - 1];
        }

        fixed (byte* at = all)
        fixed (int* counts = lengths, firsts = places)
        {
            Check(_allgatherv(_inPlace, 0, _byte, (nint)at, counts, firsts, _byte, _world), "MPI_Allgatherv");
        }
    }

    /// <summary>Gives the first rank's bytes to all.</summary>
    public void FromFirst(Span<byte> bytes)
    {
        fixed (byte* at = bytes)
        {
            Check(_bcast((nint)at, bytes.Length, _byte, 0, _world), "MPI_Bcast");
        }
    }

    /// <summary>Waits, without keeping a core busy, until all ranks have come.</summary>
    public void Meet()
    {
        nint request = 0;
        int done = 0;
        Check(_ibarrier(_world, &request), "MPI_Ibarrier");
        for (int waits = 0; ; waits++)
        {
            Check(_test(&request, &done, _ignoredStatus), "MPI_Test");
            if (done != 0)
            {
                return;
            }

            Thread.Sleep(waits < 100 ? 0 : waits < 1000 ? 1 : 20);
        }
    }

    /// <summary>Takes leave of the other ranks, who do likewise.</summary>
    public void End() => Check(_finalize(), "MPI_Finalize");

    // The library's own way with an error is to end the job with its words; this is for those that return one.
    private void Check(int code, string function)
    {
        if (code != 0)
        {
            throw new FaceDistillException($"{function} of {Path} failed with {code}; the job's other ranks may be gone");
        }
    }

    // Open MPI's own plug-ins look for its symbols among those that are open to all (RTLD_GLOBAL).
    private static nint Load(string name)
    {
        const int now = 2, globalOfLinux = 0x100, globalOfMac = 8;
        return OperatingSystem.IsWindows() ? (NativeLibrary.TryLoad(name, out nint library) ? library : 0)
            : DlOpen(name, now | (OperatingSystem.IsMacOS() ? globalOfMac : globalOfLinux));
    }

    [LibraryImport("libc", EntryPoint = "dlopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint DlOpen(string file, int flags);
}
