using System.Numerics.Tensors;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Files;
using FaceDistill.Stores;
using FaceDistill.Views;

namespace FaceDistill.Evaluation.Protocols;

/// <summary>
/// Identification: probes are searched in a gallery, once with everybody in it (closed set: rank-1 and rank-5) and once with
/// people who are not (open set: detection and identification rate at a false alarm rate).
/// </summary>
internal static class Identification
{
    /// <summary>Searches all images that are not in the gallery.</summary>
    /// <param name="set">The embeddings, each with its identity.</param>
    /// <param name="options">The gallery and the unknown people; null for the defaults.</param>
    /// <param name="job">Told how many probes of the present search are done.</param>
    /// <exception cref="FaceDistillException">An embedding is unusable, an identity is missing, the gallery has none of the
    /// images, or there is no probe of somebody in it.</exception>
    public static ModelResult Run(EmbeddingSet set, IdentificationOptions? options = null, JobContext? job = null)
    {
        job ??= JobContext.None;
        ArgumentNullException.ThrowIfNull(set);
        options ??= new IdentificationOptions();
        IdentityGroups.Of(set);
        var missing = new List<string>();
        int[] gallery = options.Gallery is { } paths ? Listed(set, paths, missing) : FirstImages(set);
        UnitEmbeddings.Check(set);
        var inGallery = gallery.ToHashSet();
        int[] probes = [.. Enumerable.Range(0, set.Count).Where(row => !inGallery.Contains(row))];
        var people = gallery.Select(row => set.Identities[row]).ToHashSet(StringComparer.Ordinal);
        int[] known = [.. probes.Where(row => people.Contains(set.Identities[row]))];
        if (known.Length == 0)
        {
            throw new FaceDistillException(
                $"{set.Name}: no image outside the gallery shows one of its {people.Count} people; identification needs a second image of somebody");
        }

        var outcomes = IdentificationSearch.Run(set, gallery, known, job);
        var taken = Unknown(people, options, strangers: known.Length < probes.Length);
        int[] left = [.. gallery.Where(row => !taken.Contains(set.Identities[row]))];
        int[] searched = [.. Enumerable.Range(0, set.Count).Where(row => !inGallery.Contains(row) || taken.Contains(set.Identities[row]))];
        long genuine = GenuinePairs(set, gallery, known);
        return new ModelResult(set.Name, gallery.Length + known.Length, genuine, ((long)gallery.Length * known.Length) - genuine)
        {
            Identification = new IdentificationResult
            {
                Name = set.Name,
                GalleryImages = gallery.Length,
                GalleryIdentities = people.Count,
                Probes = known.Length,
                Rank1 = Share(outcomes, 1),
                Rank5 = Share(outcomes, 5),
                OpenSet = OpenSet(set, left, searched, options.Fars ?? IdentificationOptions.DefaultFars, job),
                MissingImages = missing.Count,
            },
            Missing = missing,
        };
    }

    private static long GenuinePairs(EmbeddingSet set, int[] gallery, int[] probes)
    {
        var images = gallery.CountBy(row => set.Identities[row], StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        return probes.Sum(row => (long)images[set.Identities[row]]);
    }

    /// <summary>Searches probes of people in the gallery and of others.</summary>
    /// <param name="set">Paths and identities.</param>
    /// <param name="gallery">The gallery's rows.</param>
    /// <param name="probes">The probes' rows.</param>
    /// <param name="fars">The false alarm rates.</param>
    /// <param name="job">Told how many probes are done.</param>
    /// <exception cref="FaceDistillException">There is no probe of somebody in the gallery, or of somebody else.</exception>
    internal static OpenSetResult OpenSet(
        EmbeddingSet set, int[] gallery, int[] probes, IReadOnlyList<double> fars, JobContext job)
    {
        FarTargets.Check(fars);
        var outcomes = gallery.Length == 0 || probes.Length == 0 ? [] : IdentificationSearch.Run(set, gallery, probes, job);
        ProbeOutcome[] known = [.. outcomes.Where(outcome => outcome.Known)];
        float[] alarms = [.. outcomes.Where(outcome => !outcome.Known).Select(outcome => outcome.Best)];
        if (known.Length == 0 || alarms.Length == 0)
        {
            throw new FaceDistillException($"{set.Name}: {known.Length} probes of people in the gallery and {alarms.Length} of others; "
                + "open-set identification needs both: choose another share of unknown people or another gallery");
        }

        var people = gallery.Select(row => set.Identities[row]).ToHashSet(StringComparer.Ordinal);
        var tail = ExactThreshold.TailOf(alarms, fars);
        DirPoint?[] points = [.. fars.Select(far => Point(far, known, alarms.Length, tail))];
        var unknown = probes.Select(row => set.Identities[row]).Where(identity => !people.Contains(identity));
        return new OpenSetResult
        {
            GalleryImages = gallery.Length,
            GalleryIdentities = people.Count,
            KnownProbes = known.Length,
            UnknownProbes = alarms.Length,
            UnknownIdentities = unknown.Distinct(StringComparer.Ordinal).Count(),
            DirAtFar = FarPoint.ByLabel(fars, points, point => point?.Dir),
            ThresholdAtFar = FarPoint.ByLabel(fars, points, point => point?.Threshold),
            FalseAlarmsAtFar = FarPoint.ByLabel(fars, points, point => point?.FalseAlarms),
            Points = points,
        };
    }

    private static DirPoint? Point(double far, ProbeOutcome[] known, int unknown, TopImpostorScores tail)
    {
        if (ExactThreshold.Of(far, unknown, tail) is not { } threshold)
        {
            return null;
        }

        int identified = known.Count(outcome => outcome.Rank == 1 && outcome.Own >= threshold);
        return new DirPoint(far, threshold, ExactThreshold.FalseAccepts(threshold, tail), identified, (double)identified / known.Length);
    }

    private static double Share(ProbeOutcome[] outcomes, int rank) => outcomes.Count(outcome => outcome.Rank <= rank) / (double)outcomes.Length;

    private static int[] FirstImages(EmbeddingSet set) =>
        [.. Enumerable.Range(0, set.Count).DistinctBy(row => set.Identities[row], StringComparer.Ordinal)];

    private static int[] Listed(EmbeddingSet set, IReadOnlyList<string> paths, List<string> missing)
    {
        var index = new PathIndex(set);
        var rows = new Dictionary<int, string>();
        foreach (string path in paths)
        {
            int row = index.Row(path);
            if (row < 0)
            {
                missing.Add(path);
            }
            else if (!rows.TryAdd(row, path))
            {
                throw new FaceDistillException($"{set.Name}: {rows[row]} and {path} of the gallery are one image; remove one of them");
            }
        }

        return rows.Count > 0 ? [.. rows.Keys]
            : throw new FaceDistillException(
                $"{set.Name}: none of the gallery's {paths.Count} images is there ({string.Join(", ", paths.Take(1))}, ...); write paths relative to the "
                + "data set");
    }

    /// <summary>Who is taken out of the gallery: by name and seed, whatever the order of the images.</summary>
    private static HashSet<string> Unknown(HashSet<string> people, IdentificationOptions options, bool strangers)
    {
        double share = options.UnknownShare ?? (strangers ? 0 : 0.5);
        if (!(share >= 0 && share < 1))
        {
            throw new FaceDistillException(InvariantText.Of($"the share of unknown people must be at least 0 and below 1, not {share}"));
        }

        string[] names = [.. people.Order(StringComparer.Ordinal)];
        int[] order = SeededChoice.Permutation(names.Length, options.Seed, 0);
        return [.. order.Take((int)Math.Round(share * names.Length)).Select(i => names[i])];
    }
}

/// <summary>How probes are searched in a gallery.</summary>
/// <param name="Gallery">Paths of the gallery's images, with or without extension; null for the first image of each identity.</param>
/// <param name="UnknownShare">The share of the gallery's identities that the open-set search takes out of it, at least 0 and below 1, to have
/// probes of unknown people; null for none where the gallery lacks people anyway, and otherwise a half.</param>
/// <param name="Seed">Decides who is taken out.</param>
/// <param name="Fars">The false alarm rates; null for 1e-2 and 1e-3.</param>
internal sealed record IdentificationOptions(
    IReadOnlyList<string>? Gallery = null, double? UnknownShare = null, long Seed = 1, IReadOnlyList<double>? Fars = null)
{
    /// <summary>1e-2 and 1e-3.</summary>
    public static IReadOnlyList<double> DefaultFars { get; } = [1e-2, 1e-3];
}

/// <summary>What the search of a probe found.</summary>
/// <param name="Best">The best score in the whole gallery.</param>
/// <param name="Own">The best score among the gallery's images of the probe's own identity; NaN where it has none.</param>
/// <param name="Rank">How many identities score as well as the own one or better, itself included: 1 is right and alone; 0 where
/// the gallery lacks the identity.</param>
internal readonly record struct ProbeOutcome(float Best, float Own, int Rank)
{
    /// <summary>Whether the probe's identity is in the gallery.</summary>
    public bool Known => Rank > 0;
}

/// <summary>Searches every probe in a gallery by cosine; an identity's score is that of its best image.</summary>
internal static class IdentificationSearch
{
    /// <summary>Searches.</summary>
    /// <param name="set">Paths and identities; each of them given.</param>
    /// <param name="gallery">The gallery's rows, at least one.</param>
    /// <param name="probes">The probes' rows, at least one.</param>
    /// <param name="job">Told after each tile of probes.</param>
    /// <returns>One for each probe, in their order.</returns>
    public static ProbeOutcome[] Run(
        EmbeddingSet set, IReadOnlyList<int> gallery, IReadOnlyList<int> probes, JobContext job)
    {
        var identities = gallery.GroupBy(row => set.Identities[row], StringComparer.Ordinal).ToList();
        var numbers = identities.Select((group, i) => (group.Key, i)).ToDictionary(entry => entry.Key, entry => entry.i, StringComparer.Ordinal);
        int[] starts = new int[identities.Count + 1]; // of each identity's images among the columns
        for (int i = 0; i < identities.Count; i++)
        {
            starts[i + 1] = starts[i] + identities[i].Count();
        }

        int[] own = [.. probes.Select(row => numbers.GetValueOrDefault(set.Identities[row], -1))];
        var outcomes = new ProbeOutcome[probes.Count];
        using var tiles = new CrossTiles(
            new ScoredVectors(set.Values, set.Dimension, [.. probes]),
            new ScoredVectors(set.Values, set.Dimension, [.. identities.SelectMany(group => group)]));
        foreach (var tile in tiles.All())
        {
            job.Cancel.ThrowIfCancellationRequested();
            tiles.Multiply(tile);
            Parallel.For(0, tile.Rows, i => outcomes[tile.Row + i] =
                Outcome(tiles.Scores.AsSpan(i * tiles.Columns, tiles.Columns), starts, own[tile.Row + i]));
            job.Progress?.Report(new WorkProgress("searching", tile.Row + tile.Rows, probes.Count, "probes"));
        }

        return outcomes;
    }

    private static ProbeOutcome Outcome(ReadOnlySpan<float> scores, int[] starts, int own)
    {
        if (own < 0)
        {
            return new ProbeOutcome(TensorPrimitives.Max(scores), float.NaN, 0);
        }

        float ownScore = TensorPrimitives.Max(scores[starts[own]..starts[own + 1]]);
        float best = float.NegativeInfinity;
        int rank = 0;
        for (int identity = 0; identity + 1 < starts.Length; identity++)
        {
            float score = scores[starts[identity]];
            for (int i = starts[identity] + 1; i < starts[identity + 1]; i++)
            {
                score = MathF.Max(score, scores[i]);
            }

            best = MathF.Max(best, score);
            rank += score >= ownScore ? 1 : 0;
        }

        return new ProbeOutcome(best, ownScore, rank);
    }
}
