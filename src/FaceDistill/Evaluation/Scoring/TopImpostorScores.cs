using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FaceDistill.Evaluation.Scoring;

/// <summary>
/// Keeps the highest impostor scores of a stream, exactly: enough of them to know the score of every rank up to
/// <see cref="Ranks"/>, in memory for about twice as many.
/// </summary>
/// <remarks>
/// Held are all scores seen so far that are greater than <see cref="Bound"/>. When they become too many, the bound rises to
/// the score of rank <see cref="Ranks"/>. Scores that tie with the bound need not be held: whatever rank the held ones do
/// not reach has the bound's own score. So a model that gives one and the same score everywhere costs no more memory.
/// </remarks>
internal sealed class TopImpostorScores : IRankedScores
{
    private readonly ScoreList[] _lists;
    private readonly long _limit;
    private bool _risen;

    /// <param name="ranks">The lowest rank (from 1) that will be asked for; no more than the scores that will be added.</param>
    /// <param name="workers">How many threads add, each to its own list.</param>
    /// <param name="slack">The least number of scores held before the bound rises: small tails need no thrift.</param>
    /// <param name="bound">Scores up to this one are taken for too low from the start; see <see cref="Complete"/>.</param>
    public TopImpostorScores(long ranks, int workers, long slack, float bound = float.NegativeInfinity)
    {
        (Ranks, Bound) = (ranks, bound);
        _limit = Math.Max(2 * ranks, slack);
        _lists = [.. Enumerable.Range(0, workers).Select(_ => new ScoreList())];
    }

    /// <summary>The lowest rank that can be asked for.</summary>
    public long Ranks { get; }

    /// <summary>Scores up to this one are not held.</summary>
    public float Bound { get; private set; }

    /// <summary>Whether every rank is known: not where the bound was set too high at the start.</summary>
    public bool Complete => _risen || Bound == float.NegativeInfinity || Held >= Ranks;

    /// <summary>How many scores are held.</summary>
    public long Held => _lists.Sum(list => list.Count);

    /// <summary>Adds scores; each worker from its own thread.</summary>
    public void Add(int worker, ReadOnlySpan<float> scores) => _lists[worker].AddAbove(scores, Bound);

    /// <summary>Adds a score; each worker from its own thread.</summary>
    public void Add(int worker, float score)
    {
        if (score > Bound)
        {
            _lists[worker].Add(score);
        }
    }

    /// <summary>Raises the bound where too much is held; no worker may be adding.</summary>
    public void Trim()
    {
        if (Held > _limit)
        {
            (Bound, _risen) = (ScoreAt(Ranks), true);
            Parallel.ForEach(_lists, list => list.KeepAbove(Bound));
        }
    }

    /// <summary>The score of a rank: 1 is the highest.</summary>
    public float ScoreAt(long rank)
    {
        if (rank > Held)
        {
            return Bound;
        }

        // Radix selection: the upper 16 bits of the ordered keys first, then the lower 16 among the keys that share them.
        uint upper = Find(null, ref rank);
        uint lower = Find(upper, ref rank);
        return FromKey((upper << 16) | lower);
    }

    /// <summary>How many scores are greater than one that is not below <see cref="Bound"/>.</summary>
    public long CountAbove(float score) => _lists.AsParallel().Sum(list => list.Chunks().Sum(chunk =>
    {
        long count = 0;
        foreach (float held in chunk.Span)
        {
            count += held > score ? 1 : 0;
        }

        return count;
    }));

    /// <summary>
    /// The 16 bits of the key of this rank: the upper ones, or the lower ones among keys with these upper ones; the rank
    /// becomes that among the keys that share them.
    /// </summary>
    private uint Find(uint? upper, ref long rank)
    {
        var counts = _lists.AsParallel().Select(list => Histogram(list, upper)).ToArray();
        for (int bin = 65535; bin >= 0; bin--)
        {
            long here = 0;
            foreach (uint[] count in counts)
            {
                here += count[bin];
            }

            if (rank <= here)
            {
                return (uint)bin;
            }

            rank -= here;
        }

        throw new InvalidOperationException("rank beyond the scores held");
    }

    private static uint[] Histogram(ScoreList list, uint? upper)
    {
        uint[] counts = new uint[65536];
        foreach (var chunk in list.Chunks())
        {
            foreach (float score in chunk.Span)
            {
                uint key = ToKey(score);
                if (upper is null)
                {
                    counts[key >> 16]++;
                }
                else if (key >> 16 == upper)
                {
                    counts[key & 0xFFFF]++;
                }
            }
        }

        return counts;
    }

    /// <summary>Unsigned integers in the order of the floats: the sign bit flipped, and all others of negative numbers.</summary>
    internal static uint ToKey(float score)
    {
        uint bits = BitConverter.SingleToUInt32Bits(score);
        return (bits & 0x80000000) != 0 ? ~bits : bits | 0x80000000;
    }

    internal static float FromKey(uint key) =>
        BitConverter.UInt32BitsToSingle((key & 0x80000000) != 0 ? key & 0x7FFFFFFF : ~key);
}

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

    /// <summary>Adds one.</summary>
    public void Add(float score)
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
