using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FaceDistill.Evaluation;

/// <summary>An impostor score and the numbers of its two identities.</summary>
internal readonly record struct TailPair(float Score, int First, int Second);

/// <summary>Collects the impostor scores above a bound, with whose they are.</summary>
/// <param name="groups">Who is who.</param>
/// <param name="bound">Only greater scores are taken.</param>
/// <param name="workers">How many threads add.</param>
/// <param name="most">With more pairs than that, <see cref="Overflowed"/> is set and no more are taken.</param>
internal sealed class TailPairs(IdentityGroups groups, float bound, int workers, long most)
{
    private readonly List<TailPair>[] _lists = [.. Enumerable.Range(0, workers).Select(_ => new List<TailPair>())];

    /// <summary>Whether the pairs were too many, so that <see cref="Sorted"/> is of no use.</summary>
    public bool Overflowed => _lists.Sum(list => (long)list.Count) > most;

    /// <summary>Adds scores of a row with consecutive rows; each worker from its own thread.</summary>
    public void Add(int worker, int row, int column, ReadOnlySpan<float> scores)
    {
        var list = _lists[worker];
        if (list.Count > most)
        {
            return;
        }

        ref float first = ref MemoryMarshal.GetReference(scores);
        var limit = Vector512.Create(bound);
        int i = 0;
        for (; i <= scores.Length - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            ulong hits = Vector512.GreaterThan(Vector512.LoadUnsafe(ref first, (nuint)i), limit).ExtractMostSignificantBits();
            for (; hits != 0; hits &= hits - 1)
            {
                int at = i + BitOperations.TrailingZeroCount(hits);
                list.Add(new TailPair(scores[at], groups.Group[row], groups.Group[column + at]));
            }
        }

        for (; i < scores.Length; i++)
        {
            if (scores[i] > bound)
            {
                list.Add(new TailPair(scores[i], groups.Group[row], groups.Group[column + i]));
            }
        }
    }

    /// <summary>All that was taken, by falling score.</summary>
    public TailPair[] Sorted()
    {
        TailPair[] pairs = [.. _lists.SelectMany(list => list)];
        uint[] keys = Array.ConvertAll(pairs, pair => ~ImpostorTail.ToKey(pair.Score));
        Array.Sort(keys, pairs);
        return pairs;
    }
}
