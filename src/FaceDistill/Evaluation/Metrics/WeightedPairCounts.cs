using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FaceDistill.Evaluation.Metrics;

/// <summary>
/// Running sums of weights along a list of pairs by falling score, for the resamples of one batch at a time: a pair of identities
/// i and j weighs m_i m_j, a pair within identity i weighs m_i, m being how often an identity was drawn.
/// </summary>
/// <remarks>Sums are kept at the ends of blocks; inside a block they are added up when asked for.</remarks>
internal sealed class WeightedPairCounts
{
    private const int Lanes = IdentityResamples.Lanes;
    private const int Block = 1024; // 1024 m_i m_j stay below 2^31 up to m = 1448
    private readonly int[] _first;
    private readonly int[]? _second;
    private readonly int[] _times;
    private readonly List<long[]> _sums = [new long[Lanes]]; // at the start of each block, by lane

    /// <param name="first">The identity of each pair, or its first.</param>
    /// <param name="second">The other identity; null for pairs within one.</param>
    /// <param name="times">How often each identity comes: int32 [identities, Lanes].</param>
    /// <param name="enough">For each lane a sum beyond which nothing will be asked; null to add up all.</param>
    public WeightedPairCounts(int[] first, int[]? second, int[] times, long[]? enough)
    {
        (_first, _second, _times) = (first, second, times);
        for (int start = 0; start < first.Length; start += Block)
        {
            long[] sums = [.. _sums[^1]];
            AddBlock(start, Math.Min(first.Length, start + Block), sums);
            _sums.Add(sums);
            if (enough is not null && sums.Zip(enough, (sum, limit) => sum > limit).All(beyond => beyond))
            {
                break;
            }
        }
    }

    /// <summary>The sums of the pairs that were added up, by lane.</summary>
    public long[] Total => _sums[^1];

    /// <summary>The sum of the pairs before a position.</summary>
    public long Before(int position, int lane)
    {
        int block = position / Block;
        long sum = _sums[block][lane];
        for (int i = block * Block; i < position; i++)
        {
            sum += Weight(i, lane);
        }

        return sum;
    }

    /// <summary>The position of the first pair with which the sum is greater than a limit; -1 where none is.</summary>
    public int FirstBeyond(long limit, int lane)
    {
        int block = _sums.FindIndex(sums => sums[lane] > limit) - 1;
        if (block < 0)
        {
            return -1;
        }

        long sum = _sums[block][lane];
        int position = block * Block;
        while ((sum += Weight(position, lane)) <= limit)
        {
            position++;
        }

        return position;
    }

    private long Weight(int pair, int lane)
    {
        long weight = _times[(_first[pair] * Lanes) + lane];
        return _second is null ? weight : weight * _times[(_second[pair] * Lanes) + lane];
    }

    private void AddBlock(int start, int end, long[] sums)
    {
        ref int times = ref MemoryMarshal.GetArrayDataReference(_times);
        var sum = Vector512<int>.Zero;
        int[]? second = _second;
        for (int i = start; i < end; i++)
        {
            sum += second is null ? Row(ref times, _first[i]) : Row(ref times, _first[i]) * Row(ref times, second[i]);
        }

        for (int lane = 0; lane < Lanes; lane++)
        {
            sums[lane] += sum[lane];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Row(ref int times, int identity) => Vector512.LoadUnsafe(ref times, (nuint)identity * Lanes);
}
