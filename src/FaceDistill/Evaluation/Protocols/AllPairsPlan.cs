using System.Diagnostics;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Files;
using FaceDistill.Stores;

namespace FaceDistill.Evaluation.Protocols;

/// <summary>What an evaluation of all pairs will do, known from the identities alone: what it looks for, what it needs, how often it looks at all
/// pairs.</summary>
internal sealed class AllPairsPlan
{
    private readonly IdentityGroups _groups;
    private readonly EvaluationOptions _options;
    private readonly long _permitted; // by the resampled rates, at most

    /// <param name="groups">Who is who.</param>
    /// <param name="options">What to tell.</param>
    public AllPairsPlan(IdentityGroups groups, EvaluationOptions options)
    {
        (_groups, _options) = (groups, options);
        long impostors = groups.ImpostorPairs;
        Fars = options.Fars ?? FarTargets.Usual(impostors);
        Curve = options.Curve ? FarTargets.Curve(impostors) : [];
        bool resample = options.Resamples > 0 && groups.Sizes.Count(size => size > 1) >= AllPairsEvaluation.FewestPeople;
        Resampled = resample ? [.. Fars.Where(far => FarTargets.Permitted(far, impostors) is > 0 and var p
            && AllPairsEvaluation.Tail(p, 1) <= MostKept)] : [];
        _permitted = Resampled.Select(far => FarTargets.Permitted(far, impostors)).DefaultIfEmpty().Max();
        Ranks = [.. ThresholdPass.AllRanks([.. Fars, .. Curve], impostors), .. Resampled.Count > 0 ? [Kept(1)] : Array.Empty<long>(),
            Math.Clamp(options.WorstPairs, 1, impostors)];
    }

    /// <summary>The false accept rates.</summary>
    public IReadOnlyList<double> Fars { get; }

    /// <summary>Those at which only thresholds are kept.</summary>
    public IReadOnlyList<double> Curve { get; }

    /// <summary>Those that get an interval.</summary>
    public IReadOnlyList<double> Resampled { get; }

    /// <summary>The ranks of the impostor scores that are asked for.</summary>
    public IReadOnlyList<long> Ranks { get; }

    /// <summary>Whether there is a second look at all pairs besides that for deep ranks.</summary>
    public bool SecondLook => _options.Metrics || Resampled.Count > 0 || _options.WorstPairs > 0 || Ranks.Any(rank => IsDeep(rank));

    // With their identities.
    private long MostKept => Math.Min(AllPairsEvaluation.MostTail, _options.Held / 2);

    private bool IsDeep(long rank) => ThresholdPass.IsDeep(rank, _options.Held);

    /// <summary>How many impostor pairs are kept with their identities.</summary>
    public long Kept(int widening) => Math.Min(AllPairsEvaluation.Tail(_permitted, widening), _groups.ImpostorPairs);

    /// <summary>Whether so much can be kept, and is more than half of it.</summary>
    public bool Widens(int widening) =>
        Kept(widening / 2) < _groups.ImpostorPairs && AllPairsEvaluation.Tail(_permitted, widening) <= MostKept;

    /// <summary>Refuses what would fail after hours.</summary>
    /// <param name="name">What is measured, for messages.</param>
    /// <param name="coming">What is not in memory yet, bytes.</param>
    /// <param name="free">How much memory there is for it all, bytes; null for what this machine has besides that in use.</param>
    /// <exception cref="FaceDistillException">There are too many genuine pairs for the metrics, too little memory, or rates of which none permits a false
    /// accept.</exception>
    public void Check(string name, long coming = 0, long? free = null)
    {
        if (_options.Fars is { } asked && asked.All(far => FarTargets.Permitted(far, _groups.ImpostorPairs) < 1))
        {
            throw new FaceDistillException(InvariantText.Of($"{name}: {_groups.ImpostorPairs:N0} pairs of two people permit no false accept at a rate of ")
                + $"{string.Join(", ", asked.Select(FarTargets.Label))}; ask for a larger one, or evaluate at least {FarTargets.Enough(asked.Max())}");
        }

        if (_options.Metrics)
        {
            MetricsPass.Check(_groups.GenuinePairs, name);
        }

        long room = free ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes - Environment.WorkingSet, needed = Bytes();
        if (coming + needed > room)
        {
            string embeddings = coming > 0 ? InvariantText.Of($"the embeddings take {Gigabytes(coming)}, and ") : "";
            throw new FaceDistillException(
                $"{name}: {embeddings}scoring {InvariantText.Of($"{_groups.GenuinePairs:N0}")} genuine pairs needs {Gigabytes(needed)} of memory, where "
                + $"{Gigabytes(Math.Max(0, room))} are left; " + (_options.Metrics ? "leave the metrics out (--no-metrics), or evaluate" : "evaluate")
                + " fewer images");
        }
    }

    /// <summary>How much memory measuring takes at most, besides the embeddings.</summary>
    public long Bytes()
    {
        long genuine = _groups.GenuinePairs, workers = TileRows.Workers, faces = _groups.Order.Length, deep = Ranks.Distinct().LongCount(IsDeep);
        long scores = (4 * genuine) + (8 * Ranks.Where(rank => !IsDeep(rank)).DefaultIfEmpty(1).Max())
            + (deep > 0 ? (deep * DeepRanks.BytesOfRank) + (workers * DeepRanks.BytesOfWorker) : 0);
        long metrics = _options.Metrics ? (genuine * (30 + (12 * workers))) + (4 * faces * workers) : 0;
        long tail = Resampled.Count == 0 ? 0 : (12 * genuine) + (36 * Kept(1));
        return scores + metrics + tail + (24 * faces);
    }

    /// <summary>How long it takes to look at all pairs as often as this plan does.</summary>
    /// <param name="pair">What a pair takes.</param>
    /// <returns>Seconds, and how many of them are the metrics'.</returns>
    public (double All, double Metrics) Seconds(PairSeconds pair)
    {
        double pairs = _groups.GenuinePairs + _groups.ImpostorPairs, fast = pairs * pair.Fast, metrics = _options.Metrics ? pairs * pair.Exact : 0;
        return (fast + (_options.Metrics ? metrics : SecondLook ? fast : 0), metrics);
    }

    private static string Gigabytes(long bytes) => InvariantText.Of($"{bytes / 1e9:0.0} GB");
}

/// <summary>How long a pair takes here: the seconds in a look that takes thresholds, and in one that takes metrics.</summary>
/// <param name="Fast">From the product of a tile in float32, or of distances in double precision.</param>
/// <param name="Exact">From the metrics of some faces.</param>
internal readonly record struct PairSeconds(double Fast, double Exact)
{
    private const int Faces = 4608, OfPerson = 20;
    private const double Enough = 1.5; // seconds for each measurement

    /// <summary>Measures it on some faces of a set, in a few seconds.</summary>
    /// <exception cref="FaceDistillException">One of their embeddings is unusable.</exception>
    public static PairSeconds Measure(EmbeddingSet set, IdentityGroups groups, EvaluationOptions options)
    {
        var some = new List<int>(Faces);
        foreach (bool several in new[] { true, false })
        {
            for (int row = 0, first = 0; row < groups.End.Length && some.Count < Faces; row++)
            {
                first = row > 0 && groups.End[row - 1] == row ? row : first;
                if (groups.End[row] - first > 1 == several && row - first < OfPerson)
                {
                    some.Add(row);
                }
            }
        }

        var vectors = ScoredVectors.Of(set, [.. some.Select(row => groups.Order[row])], options.Score);
        var part = new IdentityGroups([.. some.Select(row => groups.Names[groups.Group[row]])]);
        using var tiles = new PairTiles(vectors);
        var tile = tiles.All().First();
        double fast = Best(() =>
        {
            if (vectors.Cosine)
            {
                tiles.MultiplyFast(tile);
            }
            else
            {
                tiles.Multiply(tile);
            }
        }) / ((double)tile.Rows * tile.Columns);
        if (!options.Metrics)
        {
            return new PairSeconds(fast, 0);
        }

        var look = new MetricsPass(vectors, ThresholdPass.At(vectors, part, 1, JobContext.None), true, null, set.Name);
        return new PairSeconds(fast, Best(() => look.Run(JobContext.None)) / (part.GenuinePairs + part.ImpostorPairs));
    }

    // The first times are those of code that is not yet compiled for speed.
    private static double Best(Action work)
    {
        long begin = Stopwatch.GetTimestamp();
        double best = double.PositiveInfinity;
        for (int i = 0; i < 3 || Stopwatch.GetElapsedTime(begin).TotalSeconds < Enough; i++)
        {
            long start = Stopwatch.GetTimestamp();
            work();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }
}
