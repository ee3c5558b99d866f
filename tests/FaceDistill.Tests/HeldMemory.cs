using System.Runtime.CompilerServices;

namespace FaceDistill.Tests;

/// <summary>What an object holds of the managed heap. The heap is the whole process's, in which earlier tests' leftovers and the runtime's pools go at
/// any time, so that it is measured three times and the middle one taken.</summary>
internal static class HeldMemory
{
    private const int Times = 3;

    /// <summary>In bytes.</summary>
    /// <param name="make">Makes one; what it made on the way goes with it.</param>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static double Of(Func<object> make) => Enumerable.Range(0, Times).Select(_ =>
    {
        long before = Settled();
        object one = make();
        long after = Settled();
        GC.KeepAlive(one);
        return (double)(after - before);
    }).Order().ElementAt(Times / 2);

    private static long Settled()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
