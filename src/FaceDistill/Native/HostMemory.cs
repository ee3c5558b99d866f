using System.Runtime.InteropServices;

namespace FaceDistill.Native;

/// <summary>How the C library hands out the memory of torch's tensors.</summary>
public static partial class HostMemory
{
    // malloc.h of the GNU C library.
    private const int TrimThreshold = -1, TopPad = -2, MmapThreshold = -3;

    /// <summary>
    /// Makes glibc keep what torch frees for the next allocation. By itself it maps every block above 32 MB anew, so that each training
    /// step of a wide student pays a page fault and a zeroing for every 4 kB of its large activations (1.0@160, batch 32,
    /// one pair of runs on two cores: 87 images/s without this, 101 with it; narrower students gained nothing certain). The process then holds its peak until it ends. Does nothing where the C library is another one.
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
            && MallOpt(MmapThreshold, 1 << 30) == 1
            && MallOpt(TrimThreshold, int.MaxValue) == 1
            && MallOpt(TopPad, 64 << 20) == 1;
    }

    [LibraryImport("libc.so.6", EntryPoint = "mallopt")]
    private static partial int MallOpt(int parameter, int value);
}
