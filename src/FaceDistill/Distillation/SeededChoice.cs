namespace FaceDistill.Distillation;

/// <summary>
/// Random choices that depend on nothing but their keys (seed, epoch, index, purpose), so that neither threads nor an interruption
/// change them: the mixing function of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
/// </summary>
public static class SeededChoice
{
    /// <summary>64 random bits of four keys.</summary>
    public static ulong Bits(long seed, long epoch, long index, long purpose = 0) =>
        Mix(Mix(Mix(Mix((ulong)seed) + (ulong)epoch) + (ulong)index) + (ulong)purpose);

    /// <summary>The numbers 0 to count - 1 in the random order of an epoch.</summary>
    public static int[] Permutation(int count, long seed, long epoch)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        var keys = Array.ConvertAll(order, i => Bits(seed, epoch, i));
        Array.Sort(keys, order);
        return order;
    }

    private static ulong Mix(ulong z)
    {
        z += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
}
