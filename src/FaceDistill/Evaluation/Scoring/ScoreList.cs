using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using FaceDistill.Formats;
using FaceDistill.Kernels;

namespace FaceDistill.Evaluation.Scoring;

/// <summary>A growing list of scores in chunks (growing never copies); one thread at a time uses it.</summary>
internal sealed class ScoreList
{
    private const int ChunkLength = 1 << 18;
    private readonly List<float[]> _chunks = [];
    private readonly Stack<float[]> _spare = new();
    private float[] _last = [];
    private int _used; // in the last chunk

    /// <summary>How many scores it holds.</summary>
    public long Count => _chunks.Count == 0 ? 0 : ((long)(_chunks.Count - 1) * ChunkLength) + _used;

    /// <summary>Adds the scores that are greater than the bound, with the widest vectors that the processor has.</summary>
    public void AddAbove(ReadOnlySpan<float> scores, float bound)
    {
        int done = Vector512.IsHardwareAccelerated ? AddAbove512(scores, bound) : AddAbove256(scores, bound);
        AddAboveScalar(scores[done..], bound);
    }

    /// <summary>Adds from whole groups of 16; returns how many scores it looked at.</summary>
    internal int AddAbove512(ReadOnlySpan<float> scores, float bound)
    {
        var limit = Vector512.Create(bound);
        ref float first = ref MemoryMarshal.GetReference(scores);
        int i = 0;
        for (; i <= scores.Length - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            ulong hits = Vector512.GreaterThan(Vector512.LoadUnsafe(ref first, (nuint)i), limit).ExtractMostSignificantBits();
            for (; hits != 0; hits &= hits - 1)
            {
                Add(scores[i + BitOperations.TrailingZeroCount(hits)]);
            }
        }

        return i;
    }

    /// <summary>Adds from whole groups of 8; returns how many scores it looked at.</summary>
    internal int AddAbove256(ReadOnlySpan<float> scores, float bound)
    {
        var limit = Vector256.Create(bound);
        ref float first = ref MemoryMarshal.GetReference(scores);
        int i = 0;
        for (; i <= scores.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            uint hits = Vector256.GreaterThan(Vector256.LoadUnsafe(ref first, (nuint)i), limit).ExtractMostSignificantBits();
            for (; hits != 0; hits &= hits - 1)
            {
                Add(scores[i + BitOperations.TrailingZeroCount(hits)]);
            }
        }

        return i;
    }

    /// <summary>Adds one by one.</summary>
    internal void AddAboveScalar(ReadOnlySpan<float> scores, float bound)
    {
        foreach (float score in scores)
        {
            if (score > bound)
            {
                Add(score);
            }
        }
    }

    /// <summary>Keeps only the scores that are greater than the bound.</summary>
    public void KeepAbove(float bound)
    {
        float[][] old = [.. _chunks];
        int lastUsed = _used;
        _chunks.Clear();
        _last = [];
        _used = 0;
        int reused = 0;
        for (int i = 0; i < old.Length; i++)
        {
            foreach (float score in old[i].AsSpan(0, i == old.Length - 1 ? lastUsed : ChunkLength))
            {
                if (score > bound)
                {
                    if (_used == _last.Length)
                    {
                        Begin(old[reused++]); // never ahead of what is being read
                    }

                    _last[_used++] = score;
                }
            }
        }

        foreach (float[] chunk in old.AsSpan(reused))
        {
            _spare.Push(chunk);
        }
    }

    /// <summary>The scores, chunk by chunk.</summary>
    public IEnumerable<ReadOnlyMemory<float>> Chunks() =>
        _chunks.Select((chunk, i) => (ReadOnlyMemory<float>)chunk.AsMemory(0, i == _chunks.Count - 1 ? _used : ChunkLength));

    private void Add(float score)
    {
        if (_used == _last.Length)
        {
            Begin(_spare.TryPop(out float[]? chunk) ? chunk : new float[ChunkLength]);
        }

        _last[_used++] = score;
    }

    private void Begin(float[] chunk)
    {
        _chunks.Add(chunk);
        _last = chunk;
        _used = 0;
    }
}

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
        uint[] keys = Array.ConvertAll(pairs, pair => ~TopImpostorScores.ToKey(pair.Score));
        Array.Sort(keys, pairs);
        return pairs;
    }
}
