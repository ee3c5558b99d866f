using System.Runtime.InteropServices;
using FaceDistill.Kernels;

namespace FaceDistill.Tests.Kernels;

public sealed class HostMemoryTests
{
    private const int Block = 40 << 20; // above the 32 MB from which glibc maps each block anew

    // Where test.sh has set the same beforehand, this shows that the settings do what is said of them, and that the C library takes them.
    [Fact]
    public void What_is_freed_is_handed_out_again_without_page_faults()
    {
        if (!OperatingSystem.IsLinux() || !NativeLibrary.TryLoad("libc.so.6", out _))
        {
            Assert.False(HostMemory.KeepFreed());
            return;
        }

        Assert.True(HostMemory.KeepFreed());
        long faults = 0;
        var thread = new Thread(() =>
        {
            for (int round = 0; round < 5; round++) // the first ones make the heap, and compile this
            {
                long before = Faults();
                Use();
                faults = Faults() - before;
            }
        });
        thread.Start();
        thread.Join();
        Assert.InRange(faults, 0, Block / Environment.SystemPageSize / 10); // each page of the block, 10,240, by itself
    }

    private static unsafe void Use()
    {
        void* block = NativeMemory.Alloc(Block);
        NativeMemory.Fill(block, Block, 1);
        NativeMemory.Free(block);
    }

    // minflt of proc(5), of this thread: the tenth field, the eighth after the name.
    private static long Faults()
    {
        string stat = File.ReadAllText("/proc/thread-self/stat");
        return long.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[7], System.Globalization.CultureInfo.InvariantCulture);
    }
}
