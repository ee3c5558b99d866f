using FaceDistill.Datasets;
using System.Security.Cryptography;
using System.Text;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Files;
using FaceDistill.Stores;

namespace FaceDistill.Evaluation.Protocols;

/// <summary>Everything that is told of a model whose pairs are all scored: accuracy, metrics, intervals.</summary>
/// <remarks>
/// The intervals need the highest impostor scores with their identities, deeper than the rate itself: a resample may weigh
/// them more lightly. Where some resample's threshold lies below what was kept, twice as much is looked for again; a rate
/// that would need more than <see cref="MostTail"/> pairs gets no interval rather than a clipped one. Nor does a set with
/// fewer than <see cref="FewestPeople"/> people of two images or more: so few cannot stand for others.
/// </remarks>
internal static class AllPairsEvaluation
{
    /// <summary>The most impostor pairs that are kept with their identities: about 600 MB while they are sorted.</summary>
    public const long MostTail = 1 << 24;

    /// <summary>The fewest people with two images or more for intervals.</summary>
    public const int FewestPeople = 10;

    private const long LeastSlack = 1 << 19; // 6 MB

    /// <summary>Measures a model.</summary>
    /// <exception cref="FaceDistillException">As <see cref="ThresholdPass"/>, or as <see cref="AllPairsPlan.Check"/>.</exception>
    public static ModelResult Run(EmbeddingSet set, EvaluationOptions options, IReadOnlyList<string> missing, JobContext job)
    {
        var groups = IdentityGroups.Of(set);
        var plan = new AllPairsPlan(groups, options);
        plan.Check(set.Name);
        var vectors = ScoredVectors.Of(set, groups.Order, options.Score);
        var first = ThresholdPass.At(new ScoredPairs(vectors, vectors, groups), plan.Ranks, plan.SecondLook ? job.Part(1, 2) : job, held: options.Held);
        var tail = plan.Resampled.Count == 0 ? null : new TailPairs(groups, Bound(first, plan.Kept(1)), TileRows.Workers, MostTail);
        var worst = options.WorstPairs > 0 ? new WorstPairs(options.WorstPairs, TileRows.Workers) : null;
        worst?.AddGenuine(groups, first.Genuine);
        var look = plan.SecondLook ? new MetricsPass(vectors, first, options.Metrics, tail, set.Name, worst) : null;
        look?.Run(job.Part(2, 2));
        var metrics = look?.Metrics();
        float[] thresholds = [.. plan.Curve.Select(far => ExactThreshold.Of(far, groups.ImpostorPairs, first.Ranked)!.Value)];
        var (uncertainty, rates) = tail is null ? (null, null) : Uncertainty(set, options, first, tail, plan.Resampled, thresholds, job.Cancel);
        for (int widening = 2; uncertainty is not null && !tail!.Overflowed && plan.Widens(widening) && plan.Resampled.Any(far => uncertainty.At(far) is null);
            widening *= 2)
        {
            var deeper = ThresholdPass.At(first.Pairs, [plan.Kept(widening)], job);
            tail = new TailPairs(groups, Bound(deeper, plan.Kept(widening)), TileRows.Workers, MostTail);
            new MetricsPass(vectors, deeper, false, tail, set.Name).Run(job);
            (uncertainty, rates) = Uncertainty(set, options, deeper, tail, plan.Resampled, thresholds, job.Cancel);
        }

        return new ModelResult(set.Name, set.Count, groups.GenuinePairs, groups.ImpostorPairs)
        {
            Rates = first.Result(plan.Fars),
            Metrics = metrics,
            Uncertainty = uncertainty,
            Curve = options.Curve ? [.. plan.Curve.Select((far, i) => new StudentThreshold(far, thresholds[i], "", groups.ImpostorPairs)
            {
                FarInterval95 = rates?[i] is { } resamples ? TarUncertainty.Percentile(resamples) : null,
            })] : null,
            Missing = missing,
            Worst = worst?.Of(set, groups.Order),
        };
    }

    /// <summary>How many impostor pairs to keep for a rate that permits this many: at first a quarter more, which is enough on
    /// LFW, and never few: a small tail varies more from resample to resample, and costs little.</summary>
    internal static long Tail(long permitted, int widening) => (permitted + Math.Max(LeastSlack, permitted / 4)) * widening;

    /// <summary>Scores greater than this are kept: those of the first ranks with all their ties, so that no resample's
    /// threshold falls among ties of which only some are known.</summary>
    private static float Bound(ThresholdPass first, long kept) =>
        kept >= first.Groups.ImpostorPairs ? float.NegativeInfinity : MathF.BitDecrement(first.Tail.ScoreAt(kept));

    // Of the rates, and the false accept rates of the curve's thresholds in each resample.
    private static (TarUncertainty Tars, double[]?[]? FalseAcceptRates) Uncertainty(
        EmbeddingSet set, EvaluationOptions options, ThresholdPass first, TailPairs tail, IReadOnlyList<double> fars, float[] curve, CancellationToken cancel)
    {
        var groups = first.Groups;
        string[] names = [.. groups.Names.Order(StringComparer.Ordinal)]; // an order that does not depend on the faces'
        int[] number = [.. groups.Names.Select(name => Array.BinarySearch(names, name, StringComparer.Ordinal))];
        bool[] genuine = new bool[names.Length];
        for (int i = 0; i < number.Length; i++)
        {
            genuine[number[i]] = groups.Sizes[i] > 1;
        }

        var resamples = new IdentityResamples(options.Seed, options.Resamples, genuine);
        var bootstrap = tail.Overflowed ? null : new TarBootstrap(first, tail.Sorted(), number);
        return (new TarUncertainty(fars, bootstrap?.Run(fars, resamples, cancel) ?? new double[]?[fars.Count], Key(set, options)),
            bootstrap?.FalseAcceptRates(curve, tail.Bound, resamples, cancel));
    }

    /// <summary>The same for two models exactly where they have the same faces of the same people and the same draws.</summary>
    private static string Key(EmbeddingSet set, EvaluationOptions options)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string face in set.Paths.Zip(set.Identities, (path, identity) => $"{ImagePaths.Stem(path)}\n{identity}\n")
            .Order(StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(face));
        }

        return InvariantText.Of($"{options.Seed} {options.Resamples} {Convert.ToHexString(hash.GetHashAndReset())}");
    }
}
