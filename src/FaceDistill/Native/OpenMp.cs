using System.Runtime.InteropServices;

namespace FaceDistill.Native;

/// <summary>
/// Runs loops on the threads that libtorch itself computes with. Threads of our own would compete with torch's, which wait for their
/// next work spinning, not sleeping.
/// </summary>
public static unsafe class OpenMp
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
