using System.Numerics.Tensors;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Stores;

namespace FaceDistill.Evaluation.Metrics;

/// <summary>Finds them exactly in a stream of scores, in memory for as many as are asked for. Ties go by row, so that the
/// outcome does not depend on which worker saw which pair.</summary>
internal sealed class WorstPairs
{
    private readonly Extreme[] _impostors;
    private readonly Extreme _genuine;

    /// <param name="most">How many pairs of each kind to keep.</param>
    /// <param name="workers">How many threads add impostors.</param>
    public WorstPairs(int most, int workers)
    {
        _impostors = [.. Enumerable.Range(0, workers).Select(_ => new Extreme(most, -1))];
        _genuine = new Extreme(most, 1);
    }

    /// <summary>How many pairs of each kind are kept.</summary>
    public int Most => _genuine.Most;

    /// <summary>Adds the impostor scores of a row with consecutive rows; each worker from its own thread.</summary>
    public void AddImpostors(int worker, int row, int column, ReadOnlySpan<float> scores)
    {
        var list = _impostors[worker];
        if (list.Full && TensorPrimitives.Max(scores) < list.Bound)
        {
            return;
        }

        for (int i = 0; i < scores.Length; i++)
        {
            list.Add(scores[i], row, column + i);
        }
    }

    /// <summary>Adds one pair; from one thread.</summary>
    public void Add(float score, int first, int second, bool same) => (same ? _genuine : _impostors[0]).Add(score, first, second);

    /// <summary>Adds all genuine pairs.</summary>
    /// <param name="groups">Who is who.</param>
    /// <param name="scores">As <see cref="ThresholdPass.Genuine"/>: for each row, those with the later rows of its group.</param>
    public void AddGenuine(IdentityGroups groups, ReadOnlySpan<float> scores)
    {
        int at = 0;
        for (int row = 0; row < groups.End.Length; row++)
        {
            for (int other = row + 1; other < groups.End[row]; other++)
            {
                _genuine.Add(scores[at++], row, other);
            }
        }
    }

    /// <summary>What was found.</summary>
    /// <param name="set">The faces.</param>
    /// <param name="order">The set's row of each added row; null where they are the same.</param>
    public WorstPairsResult Of(EmbeddingSet set, int[]? order = null)
    {
        var all = new Extreme(_genuine.Most, -1);
        foreach (var (score, first, second) in _impostors.SelectMany(list => list.Pairs))
        {
            all.Add(score, first, second);
        }

        ScoredPair Named((float Score, int First, int Second) pair)
        {
            int a = order?[pair.First] ?? pair.First, b = order?[pair.Second] ?? pair.Second;
            return new ScoredPair(set.Paths[a], set.Paths[b], set.Identities[a], set.Identities[b], pair.Score);
        }

        return new WorstPairsResult([.. all.Pairs.Select(Named)], [.. _genuine.Pairs.Select(Named)]);
    }

    /// <summary>The first few pairs by sign x score, then by row, then by column.</summary>
    private sealed class Extreme(int most, int sign)
    {
        private readonly List<(float Score, int First, int Second)> _pairs = [];

        public int Most => most;

        public IReadOnlyList<(float Score, int First, int Second)> Pairs => _pairs;

        public bool Full => _pairs.Count == most;

        public float Bound => _pairs[^1].Score;

        public void Add(float score, int first, int second)
        {
            if (Full && !Before((score, first, second), _pairs[^1]))
            {
                return;
            }

            int at = _pairs.Count;
            while (at > 0 && Before((score, first, second), _pairs[at - 1]))
            {
                at--;
            }

            _pairs.Insert(at, (score, first, second));
            if (_pairs.Count > most)
            {
                _pairs.RemoveAt(most);
            }
        }

        private bool Before((float Score, int First, int Second) a, (float Score, int First, int Second) b) =>
            a.Score != b.Score ? sign * a.Score < sign * b.Score : (a.First, a.Second).CompareTo((b.First, b.Second)) < 0;
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

    /// <summary>What the scores that are taken exceed.</summary>
    public float Bound => bound;

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

        foreach (int i in new ScoresAbove(scores, bound))
        {
            list.Add(new TailPair(scores[i], groups.Group[row], groups.Group[column + i]));
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
