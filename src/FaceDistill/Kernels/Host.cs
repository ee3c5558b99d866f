using System.Runtime.InteropServices;
using TorchSharp;

namespace FaceDistill.Kernels;

/// <summary>How the C library hands out the memory of torch's tensors and OpenCV's pictures.</summary>
internal static partial class HostMemory
{
    // malloc.h of the GNU C library.
    private const int TrimThreshold = -1, TopPad = -2, MmapThreshold = -3;

    /// <summary>
    /// Makes glibc keep what is freed for the next allocation. By itself it maps every block above 32 MB anew and gives the end of a heap back, so that a page
    /// fault and a zeroing are paid for every 4 kB of a wide student's activations and of many pictures: under a hypervisor, where a fault was seen to take 18
    /// microseconds, most of the time (docs/training.md has figures). The process then holds its peak until it ends: a program decides that, not a
    /// library; the command line does. Does nothing where the C library is another one.
    /// </summary>
    /// <returns>Whether the C library took the settings.</returns>
    public static bool KeepFreed()
    {
        if (!OperatingSystem.IsLinux() || !NativeLibrary.TryLoad("libc.so.6", out nint library))
        {
            return false;
        }

        // The name libc.so.6 and this symbol together are glibc's; musl has no mallopt.
        return NativeLibrary.TryGetExport(library, "mallopt", out _)
            && (MallOpt(MmapThreshold, 1 << 30) == 1 || MallOpt(MmapThreshold, 32 << 20) == 1) // before version 2.35 no more than that
            && MallOpt(TrimThreshold, -1) == 1 // never: mallopt(3)
            && MallOpt(TopPad, 64 << 20) == 1;
    }

    [LibraryImport("libc.so.6", EntryPoint = "mallopt")]
    private static partial int MallOpt(int parameter, int value);
}

/// <summary>torch's threads where several processes share a machine.</summary>
internal static class HostThreads
{
    /// <summary>The machine and its cores on which this process may compute, in words that are the same for who shares them.</summary>
    public static string Cores()
    {
        const string boot = "/proc/sys/kernel/random/boot_id", status = "/proc/self/status", allowed = "Cpus_allowed_list:"; // the same in each container
        string machine = File.Exists(boot) ? File.ReadAllText(boot).Trim() : Environment.MachineName;
        string? cores = File.Exists(status) ? File.ReadLines(status).FirstOrDefault(l => l.StartsWith(allowed, StringComparison.Ordinal)) : null;
        return $"{machine} {cores?[allowed.Length..].Trim()}";
    }

    /// <summary>Gives this process its part of the cores on which it may compute, unless the user has said it (OMP_NUM_THREADS): each would take all.</summary>
    /// <param name="processes">How many share them, with this one.</param>
    public static void Share(int processes)
    {
        TorchNative.EnsureLoaded();
        if (processes > 1 && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("OMP_NUM_THREADS")))
        {
            torch.set_num_threads(Math.Max(1, Environment.ProcessorCount / processes));
        }
    }
}

/// <summary>
/// Runs loops on the threads that libtorch itself computes with. Threads of our own would compete with torch's, which wait for their
/// next work spinning, not sleeping.
/// </summary>
internal static unsafe class OpenMp
{
    private static readonly delegate* unmanaged<delegate* unmanaged<nint, void>, nint, uint, uint, void> s_parallel = Find();

    /// <summary>Whether libtorch brings the GNU OpenMP library here (its Linux builds do).</summary>
    public static bool Available => s_parallel != null;

    /// <summary>Calls a function on each of torch's threads at once and returns when all are done.</summary>
    /// <param name="work">Called with <paramref name="data"/>; must not throw.</param>
    /// <param name="data">Shared by all threads.</param>
    /// <param name="threads">The most threads wanted.</param>
    /// <exception cref="PlatformNotSupportedException">Not <see cref="Available"/>.</exception>
    public static void Run(delegate* unmanaged<nint, void> work, nint data, int threads)
    {
        if (s_parallel == null)
        {
            throw new PlatformNotSupportedException("libtorch has no GNU OpenMP here");
        }

        s_parallel(work, data, (uint)threads, 0);
    }

    // GOMP_parallel(fn, data, num_threads, flags) is what GCC calls for "#pragma omp parallel" (libgomp manual, "Implementing PARALLEL").
    private static delegate* unmanaged<delegate* unmanaged<nint, void>, nint, uint, uint, void> Find()
    {
        TorchNative.EnsureLoaded();
        string? library = OperatingSystem.IsLinux() ? Directory.EnumerateFiles(TorchNative.Folder(), "libgomp*.so*").FirstOrDefault() : null;
        return library is not null && NativeLibrary.TryLoad(library, out nint handle) && NativeLibrary.TryGetExport(handle, "GOMP_parallel", out nint entry)
            ? (delegate* unmanaged<delegate* unmanaged<nint, void>, nint, uint, uint, void>)entry
            : null;
    }
}

/// <summary>Chooses where torch computes.</summary>
internal static class TorchDevice
{
    /// <summary>The values of <c>--device</c>.</summary>
    public static IReadOnlyList<string> Names { get; } = ["auto", "cpu", "cuda"];

    /// <summary>Finds the device of a name; "auto" is CUDA where there is one.</summary>
    /// <exception cref="FaceDistillException">No such name, or CUDA asked for where this build or machine has none.</exception>
    public static torch.Device Resolve(string name)
    {
        TorchNative.EnsureLoaded();
        return name switch
        {
            "cpu" => torch.CPU,
            "auto" => torch.cuda_is_available() ? torch.CUDA : torch.CPU,
            "cuda" => torch.cuda_is_available() ? torch.CUDA : throw new FaceDistillException(
                "no CUDA device here, or this is the CPU build; build with -p:Torch=cuda on a machine with an NVIDIA driver, or use --device cpu"),
            _ => throw new FaceDistillException($"no device '{name}'; there are {string.Join(", ", Names)}"),
        };
    }
}
