using System.Security.Cryptography;
using System.Text;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Agreement;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Protocols;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Files;
using FaceDistill.Stores;

namespace FaceDistill.Evaluation;

/// <summary>Runs a verification protocol, by its name on the command line, on the embeddings of models.</summary>
internal static class Evaluator
{
    /// <summary>Every pair of a labelled set.</summary>
    public const string AllPairs = "all-pairs";

    /// <summary>LFW's ten folds; reads pairs.txt.</summary>
    public const string LfwTenFold = "lfw-10fold";

    /// <summary>Every pair of the people in LFW's View 1 test list; reads peopleDevTest.txt.</summary>
    public const string LfwView1Test = "lfw-view1-test";

    /// <summary>A user's own list of pairs; reads pairs.csv in the data set's folder.</summary>
    public const string Pairs = "pairs";

    /// <summary>Probes searched in a gallery, with and without unknown people.</summary>
    public const string Identification = "identification";

    /// <summary>BLUFR's ten trials on LFW; reads the toolkit's lists, or draws own trials as its paper describes them.</summary>
    public const string Blufr = "blufr";

    /// <summary>The names of the protocols.</summary>
    public static IReadOnlyList<string> Protocols { get; } = [AllPairs, LfwTenFold, LfwView1Test, Pairs, Identification, Blufr];

    /// <summary>Those that score all pairs, and so give a TAR at 1e-4 and thresholds from a data set alone.</summary>
    public static IReadOnlyList<string> AllPairsProtocols { get; } = [AllPairs, LfwView1Test];

    /// <summary>Runs a protocol on one model.</summary>
    /// <param name="protocol">One of <see cref="Protocols"/>.</param>
    /// <param name="set">The model's embeddings.</param>
    /// <param name="protocolFolder">Where LFW's protocol files lie: this folder or the one above it (LFW keeps its images
    /// in a folder beside them); may be null for all-pairs.</param>
    /// <param name="options">What to tell; null for the defaults.</param>
    /// <param name="job">Told how many pairs are done.</param>
    /// <exception cref="FaceDistillException">Unknown protocol or option, missing or malformed file, unusable embeddings.</exception>
    public static ModelResult Run(
        string protocol, EmbeddingSet set, string? protocolFolder = null, EvaluationOptions? options = null, JobContext? job = null)
    {
        job ??= JobContext.None;
        ArgumentNullException.ThrowIfNull(set);
        options ??= new EvaluationOptions();
        options.Check();
        var worst = options.WorstPairs > 0 ? new WorstPairs(options.WorstPairs, 1) : null;
        switch (protocol)
        {
            case AllPairs:
                return AllPairsEvaluation.Run(set, options, [], job);
            case LfwView1Test:
                var part = LfwView1.Of(set, LfwPeople.Read(Find(protocol, protocolFolder, "peopleDevTest.txt")));
                return AllPairsEvaluation.Run(part.Set, options, part.MissingImages, job);
            case not null when Protocols.Contains(protocol) && options.Score != ScoreKind.Cosine:
                throw new FaceDistillException($"{protocol} scores by cosine only; leave out --score, or choose another protocol");
            case LfwTenFold:
                return LfwFolds.Run(set, LfwPairs.Read(Find(protocol, protocolFolder, "pairs.txt")), worst);
            case Pairs:
                return PairListEvaluation.Run(set, options.PairFile is { } file ? PairList.Read(file) : PairList.In(protocolFolder), options.Fars, worst);
            case Identification:
                var gallery = options.GalleryFile is { } listed ? ImagePaths.ReadList(listed) : null;
                return FaceDistill.Evaluation.Protocols.Identification.Run(
                    set, new IdentificationOptions(gallery, options.UnknownShare, options.Seed), job);
            case Blufr:
                var trials = options.BlufrLists is { } lists ? BlufrTrials.Of(set, BlufrLists.Read(lists))
                    : BlufrTrials.In(set, protocolFolder, new BlufrDraw(Seed: options.Seed));
                return FaceDistill.Evaluation.Protocols.Blufr.Run(set, trials, job);
            default:
                throw new FaceDistillException($"no protocol '{protocol}'; there are {string.Join(", ", Protocols)}");
        }
    }

    /// <summary>Runs a protocol on several models of the same images.</summary>
    /// <param name="protocol">One of <see cref="Protocols"/>.</param>
    /// <param name="sets">The models' embeddings.</param>
    /// <param name="reference">Which of them is the teacher that the others' retention is measured against; null for none.</param>
    /// <param name="protocolFolder">As for one model.</param>
    /// <param name="options">What to tell; null for the defaults.</param>
    /// <param name="job">Told how many pairs of the present model are done.</param>
    /// <exception cref="FaceDistillException">As for one model; also where a model has other images than the reference.</exception>
    public static EvaluationResult RunAll(
        string protocol,
        IReadOnlyList<EmbeddingSet> sets,
        int? reference,
        string? protocolFolder = null,
        EvaluationOptions? options = null,
        JobContext? job = null)
    {
        job ??= JobContext.None;
        ArgumentNullException.ThrowIfNull(sets);
        if (reference is { } teacher)
        {
            CheckSameImages(sets, sets[teacher]);
        }

        ModelResult[] models = [.. sets.Select(set => Run(protocol, set, protocolFolder, options, job))];
        var comparisons = models.SelectMany((a, i) => models.Skip(i + 1).Select(b => ModelComparison.Of(a, b))).OfType<ModelComparison>().ToList();
        return new EvaluationResult(protocol, [.. models.Select((m, i) => reference is { } of && of != i ? m.Beside(models[of]) : m)])
        {
            Reference = reference,
            Score = options is { Score: not ScoreKind.Cosine and var score } ? score : null,
            Comparisons = comparisons.Count > 0 ? comparisons : null,
        };
    }

    /// <summary>Compares each model with the teacher, on the images that a protocol scores all with all.</summary>
    /// <param name="protocol">One of <see cref="Protocols"/>.</param>
    /// <param name="sets">The models' embeddings.</param>
    /// <param name="teacher">Which of them is the teacher.</param>
    /// <param name="protocolFolder">Where the protocol's files lie.</param>
    /// <param name="fars">The false accept rates of the search; null for the defaults.</param>
    /// <param name="job">Told how many pairs are scored.</param>
    /// <returns>One for each model of the teacher's dimension; null where there is none, or the protocol does not score all pairs.</returns>
    /// <exception cref="FaceDistillException">As for one model.</exception>
    public static IReadOnlyList<AgreementResult>? Agreements(
        string protocol, IReadOnlyList<EmbeddingSet> sets, int teacher, string? protocolFolder, IReadOnlyList<double>? fars, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(sets);
        if (AllPairsOf(protocol, sets[teacher], protocolFolder) is not { } reference)
        {
            return null;
        }

        foreach (var set in sets.Where(set => set.Dimension != reference.Dimension))
        {
            job.Say?.Invoke($"{set.Name} gives {set.Dimension} values and {reference.Name} {reference.Dimension}: two spaces, so their agreement is not "
                + $"measured");
        }

        AgreementResult[] results = [.. sets.Where((set, i) => i != teacher && set.Dimension == reference.Dimension)
            .Select(set => AgreementMeasure.Run(reference, AllPairsOf(protocol, set, protocolFolder)!, fars, job))];
        return results.Length > 0 ? results : null;
    }

    /// <summary>The images whose pairs a protocol scores, all with all; null where it does not score all pairs.</summary>
    /// <exception cref="FaceDistillException">As <see cref="Run"/>.</exception>
    private static EmbeddingSet? AllPairsOf(string protocol, EmbeddingSet set, string? protocolFolder) => protocol switch
    {
        AllPairs => set,
        LfwView1Test => LfwView1.Of(set, LfwPeople.Read(Find(protocol, protocolFolder, "peopleDevTest.txt"))).Set,
        _ => null,
    };

    private static string Find(string protocol, string? folder, string file)
    {
        foreach (string? place in new[] { folder, Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder ?? "."))) })
        {
            if (folder is not null && place is not null && File.Exists(Path.Combine(place, file)))
            {
                return Path.Combine(place, file);
            }
        }

        throw new FaceDistillException($"{protocol} needs LFW's {file}, which is not in {folder ?? "any folder given"}; name LFW's folder with --data");
    }

    /// <summary>Accuracy on other images is no measure of retention. Extensions do not count: aligning may change them.</summary>
    private static void CheckSameImages(IReadOnlyList<EmbeddingSet> sets, EmbeddingSet reference)
    {
        var wanted = reference.Paths.Select(path => Path.ChangeExtension(path, null)).ToHashSet(StringComparer.Ordinal);
        foreach (var set in sets)
        {
            string? other = set.Paths.FirstOrDefault(path => !wanted.Contains(Path.ChangeExtension(path, null)));
            if (other is not null || set.Count != reference.Count)
            {
                throw new FaceDistillException($"{set.Name} has {set.Count} images and {reference.Name} has {reference.Count}"
                    + $"{(other is null ? "" : $" without {other}")}; embed both from the same folder");
            }
        }
    }
}

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
        for (int widening = 1; ; widening *= 2)
        {
            long permitted = resampled.Length == 0 ? 0 : resampled.Max(far => FarTargets.Permitted(far, groups.ImpostorPairs));
            long kept = Math.Min(Tail(permitted, widening), groups.ImpostorPairs);
            var first = ThresholdPass.At(vectors, groups, Math.Max(ThresholdPass.Ranks(fars, groups.ImpostorPairs), kept), job);
            var tail = resampled.Length == 0 ? null : new TailPairs(groups, Bound(first, kept), TileRows.Workers, MostTail);
            var worst = options.WorstPairs > 0 ? new WorstPairs(options.WorstPairs, TileRows.Workers) : null;
            worst?.AddGenuine(groups, first.Genuine);
            var look = options.Metrics || tail is not null || worst is not null
                ? new MetricsPass(vectors, first, options.Metrics, tail, set.Name, worst) : null;
            look?.Run(job);
            var uncertainty = tail is null ? null : Uncertainty(set, options, first, tail, resampled, job.Cancel);
            bool wider = kept < groups.ImpostorPairs && Tail(permitted, widening * 2) <= MostTail;
            if (uncertainty is null || tail!.Overflowed || !wider || resampled.All(far => uncertainty.At(far) is not null))
            {
                return new ModelResult(set.Name, set.Count, groups.GenuinePairs, groups.ImpostorPairs)
                {
                    Rates = first.Result(fars),
                    Metrics = look?.Metrics(),
                    Uncertainty = uncertainty,
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

    private static TarUncertainty Uncertainty(
        EmbeddingSet set, EvaluationOptions options, ThresholdPass first, TailPairs tail, double[] fars, CancellationToken cancel)
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
        double[]?[] tars = tail.Overflowed ? new double[]?[fars.Length]
            : new TarBootstrap(first, tail.Sorted(), number).Run(fars, resamples, cancel);
        return new TarUncertainty(fars, tars, Key(set, options));
    }

    /// <summary>The same for two models exactly where they have the same faces of the same people and the same draws.</summary>
    private static string Key(EmbeddingSet set, EvaluationOptions options)
    {
        var faces = set.Paths.Zip(set.Identities, (path, identity) => $"{Path.ChangeExtension(path, null)}\n{identity}\n").Order(StringComparer.Ordinal);
        byte[] hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Concat(faces)));
        return InvariantText.Of($"{options.Seed} {options.Resamples} {Convert.ToHexString(hash)}");
    }
}
