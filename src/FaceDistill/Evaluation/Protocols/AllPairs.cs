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
/// them more lightly. Where some resample's threshold lies below what was kept, all is done again with twice as much; a rate
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
    /// <exception cref="FaceDistillException">As <see cref="ThresholdPass"/>.</exception>
    public static ModelResult Run(EmbeddingSet set, EvaluationOptions options, IReadOnlyList<string> missing, JobContext job)
    {
        var groups = IdentityGroups.Of(set);
        var fars = options.Fars ?? FarTargets.Affordable(groups.ImpostorPairs);
        var vectors = ScoredVectors.Of(set, groups.Order, options.Score);
        bool resample = options.Resamples > 0 && groups.Sizes.Count(size => size > 1) >= FewestPeople;
        double[] resampled = resample ? [.. fars.Where(far => FarTargets.Permitted(far, groups.ImpostorPairs) is > 0 and var p && Tail(p, 1) <= MostTail)] : [];
        var curve = options.Curve ? FarTargets.Curve(groups.ImpostorPairs) : [];
        double[] all = [.. fars, .. curve];
        for (int widening = 1; ; widening *= 2)
        {
            long permitted = resampled.Length == 0 ? 0 : resampled.Max(far => FarTargets.Permitted(far, groups.ImpostorPairs));
            long kept = Math.Min(Tail(permitted, widening), groups.ImpostorPairs);
            var first = ThresholdPass.At(vectors, groups, Math.Max(ThresholdPass.Ranks(all, groups.ImpostorPairs), kept), job);
            var tail = resampled.Length == 0 ? null : new TailPairs(groups, Bound(first, kept), TileRows.Workers, MostTail);
            var worst = options.WorstPairs > 0 ? new WorstPairs(options.WorstPairs, TileRows.Workers) : null;
            worst?.AddGenuine(groups, first.Genuine);
            var look = options.Metrics || tail is not null || worst is not null
                ? new MetricsPass(vectors, first, options.Metrics, tail, set.Name, worst) : null;
            look?.Run(job);
            var thresholds = curve.Select(far => ExactThreshold.Of(far, groups.ImpostorPairs, first.Tail)!.Value).ToArray();
            var (uncertainty, rates) = tail is null ? (null, null) : Uncertainty(set, options, first, tail, resampled, thresholds, job.Cancel);
            bool wider = kept < groups.ImpostorPairs && Tail(permitted, widening * 2) <= MostTail;
            if (uncertainty is null || tail!.Overflowed || !wider || resampled.All(far => uncertainty.At(far) is not null))
            {
                return new ModelResult(set.Name, set.Count, groups.GenuinePairs, groups.ImpostorPairs)
                {
                    Rates = first.Result(fars),
                    Metrics = look?.Metrics(),
                    Uncertainty = uncertainty,
                    Curve = options.Curve ? [.. curve.Select((far, i) => new StudentThreshold(far, thresholds[i], "", groups.ImpostorPairs)
                    {
                        FarInterval95 = rates?[i] is { } resamples ? TarUncertainty.Percentile(resamples) : null,
                    })] : null,
                    Missing = missing,
                    Worst = worst?.Of(set, groups.Order),
                };
            }
        }
    }

    /// <summary>How many impostor pairs to keep for a rate that permits this many: at first a quarter more, which is enough on
    /// LFW, and never few: a small tail varies more from resample to resample, and costs little.</summary>
    private static long Tail(long permitted, int widening) => (permitted + Math.Max(LeastSlack, permitted / 4)) * widening;

    /// <summary>Scores greater than this are kept: those of the first ranks with all their ties, so that no resample's
    /// threshold falls among ties of which only some are known.</summary>
    private static float Bound(ThresholdPass first, long kept) =>
        kept >= first.Groups.ImpostorPairs ? float.NegativeInfinity : MathF.BitDecrement(first.Tail.ScoreAt(kept));

    // Of the rates, and the false accept rates of the curve's thresholds in each resample.
    private static (TarUncertainty Tars, double[]?[]? FalseAcceptRates) Uncertainty(
        EmbeddingSet set, EvaluationOptions options, ThresholdPass first, TailPairs tail, double[] fars, float[] curve, CancellationToken cancel)
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
        return (new TarUncertainty(fars, bootstrap?.Run(fars, resamples, cancel) ?? new double[]?[fars.Length], Key(set, options)),
            bootstrap?.FalseAcceptRates(curve, tail.Bound, resamples, cancel));
    }

    /// <summary>The same for two models exactly where they have the same faces of the same people and the same draws.</summary>
    private static string Key(EmbeddingSet set, EvaluationOptions options)
    {
        var faces = set.Paths.Zip(set.Identities, (path, identity) => $"{Path.ChangeExtension(path, null)}\n{identity}\n").Order(StringComparer.Ordinal);
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(faces)));
        return InvariantText.Of($"{options.Seed} {options.Resamples} {Convert.ToHexString(hash)}");
    }
}
