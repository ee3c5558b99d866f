using FaceDistill.Datasets;
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

    /// <summary>The pairs of a verification set (lfw.bin), in ten folds of consecutive pairs.</summary>
    public const string PairsTenFold = "pairs10";

    /// <summary>Probes searched in a gallery, with and without unknown people.</summary>
    public const string Identification = "identification";

    /// <summary>BLUFR's ten trials on LFW; reads the toolkit's lists, or draws own trials as its paper describes them.</summary>
    public const string Blufr = "blufr";

    /// <summary>IJB-B's and IJB-C's published pairs of templates, and their probes in two galleries; read the files of <see cref="IjbFiles"/>.</summary>
    public const string Ijbb = "ijbb", Ijbc = "ijbc", IjbbSearch = "ijbb-1n", IjbcSearch = "ijbc-1n";

    /// <summary>The names of the protocols.</summary>
    public static IReadOnlyList<string> Protocols { get; } =
        [AllPairs, LfwTenFold, LfwView1Test, Pairs, PairsTenFold, Identification, Blufr, Ijbb, Ijbc, IjbbSearch, IjbcSearch];

    /// <summary>Those whose faces are aligned by the points that their files give.</summary>
    public static IReadOnlyList<string> IjbProtocols { get; } = [Ijbb, Ijbc, IjbbSearch, IjbcSearch];

    /// <summary>The files of such a protocol.</summary>
    /// <exception cref="FaceDistillException">One is missing or malformed.</exception>
    public static IjbFiles IjbOf(string protocol, string? folder) => IjbFiles.Read(folder, protocol[..Ijbb.Length]);

    /// <summary>Whether a protocol names the pairs that it gets most wrong.</summary>
    public static bool NamesWorstPairs(string protocol) => protocol is AllPairs or LfwView1Test or LfwTenFold or Pairs or PairsTenFold;

    /// <summary>Whether the seed decides whom a protocol tests, not their intervals alone.</summary>
    internal static bool Draws(string protocol, string? folder, EvaluationOptions options) =>
        protocol == Identification || (protocol == Blufr && options.BlufrLists is null && BlufrTrials.PlaceIn(folder) is null);

    /// <summary>A user's own list of pairs.</summary>
    /// <exception cref="FaceDistillException">It is missing or malformed.</exception>
    internal static PairList PairsOf(string? folder, EvaluationOptions options) =>
        options.PairFile is { } file ? PairList.Read(file) : PairList.In(folder);

    /// <summary>Those that score all pairs, and so give a TAR at 1e-4 and thresholds from a data set alone.</summary>
    public static IReadOnlyList<string> AllPairsProtocols { get; } = [AllPairs, LfwView1Test];

    /// <summary>Refuses what cannot be measured, before any model is run.</summary>
    /// <param name="protocol">One of <see cref="Protocols"/>.</param>
    /// <param name="protocolFolder">As for <see cref="Run"/>.</param>
    /// <param name="options">As for <see cref="Run"/>.</param>
    /// <exception cref="FaceDistillException">There is no such protocol, an option is out of range or not for this protocol, or a list is missing or
    /// malformed.</exception>
    public static void Check(string protocol, string? protocolFolder, EvaluationOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        object? lists = protocol switch
        {
            not (PairsTenFold or Pairs) when VerificationSet.Is(protocolFolder) => throw new FaceDistillException(
                $"{protocolFolder} holds pairs and does not say whom they show; measure it with --protocol {PairsTenFold}"),
            AllPairs => null,
            LfwView1Test => LfwPeople.Read(Find(protocol, protocolFolder, "peopleDevTest.txt")),
            not null when Protocols.Contains(protocol) && options.Score != ScoreKind.Cosine =>
                throw new FaceDistillException($"{protocol} scores by cosine only; leave out --score, or choose another protocol"),
            LfwTenFold => LfwPairs.Read(Find(protocol, protocolFolder, "pairs.txt")),
            Pairs => PairsOf(protocolFolder, options),
            PairsTenFold => VerificationSet.Pairs(protocolFolder),
            Identification => options.GalleryFile is { } listed ? ImagePaths.ReadList(listed) : null,
            Blufr => options.BlufrLists is { } folder ? BlufrLists.Read(folder) : null,
            Ijbb or Ijbc => IjbOf(protocol, protocolFolder).CheckPairs(),
            IjbbSearch or IjbcSearch => Ijb.Lists(IjbOf(protocol, protocolFolder)),
            _ => throw new FaceDistillException($"no protocol '{protocol}'; there are {string.Join(", ", Protocols)}"),
        };
    }

    /// <summary>Refuses what cannot be measured of these people, before their embeddings are read.</summary>
    /// <param name="protocol">One of <see cref="Protocols"/>.</param>
    /// <param name="name">The embeddings' name, for messages.</param>
    /// <param name="identities">Who they show.</param>
    /// <param name="bytes">The memory that they will take.</param>
    /// <param name="options">As for <see cref="Run"/>.</param>
    /// <param name="path">The path of each face, for messages; null where there is none.</param>
    /// <exception cref="FaceDistillException">Whom a face shows is not known, there is no pair of one person, or none of two, or they are too many for the
    /// memory, or for no rate enough.</exception>
    public static void CheckPeople(string protocol, string name, IReadOnlyList<string> identities, long bytes, EvaluationOptions options,
        Func<int, string>? path = null)
    {
        if (protocol == AllPairs)
        {
            IdentityGroups.CheckNames(name, identities, row => path?.Invoke(row) ?? InvariantText.Of($"{RowNames.Numbered}{row}"));
            var groups = new IdentityGroups(identities);
            groups.CheckPairs(name);
            new AllPairsPlan(groups, options).Check(name, bytes);
        }
    }

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
                return PairListEvaluation.Run(set, PairsOf(protocolFolder, options), options.Fars, worst);
            case PairsTenFold:
                return PairListEvaluation.Run(set, VerificationSet.Pairs(protocolFolder), options.Fars, worst);
            case Ijbb or Ijbc:
                return Ijb.Verification(set, IjbOf(protocol, protocolFolder), options, job);
            case IjbbSearch or IjbcSearch:
                return Ijb.Search(set, IjbOf(protocol, protocolFolder), options, job);
            case Identification:
                var gallery = options.GalleryFile is { } listed ? ImagePaths.ReadList(listed) : null;
                return FaceDistill.Evaluation.Protocols.Identification.Run(
                    set, new IdentificationOptions(gallery, options.UnknownShare, options.Seed, options.Fars), job);
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

        foreach (var set in sets.Count > 1 && protocol == AllPairs ? sets : []) // before the first takes its time
        {
            CheckPeople(protocol, set.Name, set.Identities, 0, options ?? new EvaluationOptions(), row => set.Paths[row]);
            UnitEmbeddings.Check(set);
        }

        ModelResult[] models = [.. sets.Select((set, i) => Run(protocol, set, protocolFolder, options, sets.Count > 1 ? job.Part(i + 1, sets.Count) : job))];
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
    /// <param name="measured">What was measured of the models, which is not measured again; null for nothing.</param>
    /// <returns>One for each model of the teacher's dimension; null where there is none, or the protocol does not score all pairs.</returns>
    /// <exception cref="FaceDistillException">As for one model.</exception>
    public static IReadOnlyList<AgreementResult>? Agreements(
        string protocol, IReadOnlyList<EmbeddingSet> sets, int teacher, string? protocolFolder, IReadOnlyList<double>? fars, JobContext job,
        IReadOnlyList<ModelResult>? measured = null)
    {
        ArgumentNullException.ThrowIfNull(sets);
        if (AllPairsOf(protocol, sets[teacher], protocolFolder) is not { } reference)
        {
            return null;
        }

        foreach (var set in sets.Where(set => set.Dimension != reference.Dimension))
        {
            job.Say?.Invoke($"{set.Name} gives {set.Dimension} values and {reference.Name} {reference.Dimension}: two spaces, so their agreement is not "
                + "measured");
        }

        AgreementResult[] results = [.. Enumerable.Range(0, sets.Count).Where(i => i != teacher && sets[i].Dimension == reference.Dimension)
            .Select(i => AgreementMeasure.Run(
                reference, AllPairsOf(protocol, sets[i], protocolFolder)!, fars, job, (measured?[teacher].Rates, measured?[i].Rates)))];
        return results.Length > 0 ? results : null;
    }

    /// <summary>The embeddings that are measured, of whom they show: of LFW's View 1 those of the test people, by a list of pairs those that it names.
    /// </summary>
    /// <exception cref="FaceDistillException">As <see cref="Run"/>.</exception>
    internal static EmbeddingSet Measured(string protocol, EmbeddingSet set, string? protocolFolder, EvaluationOptions options) => protocol switch
    {
        Pairs => NeededPictures.In(set, NeededPictures.Of(PairsOf(protocolFolder, options))),
        LfwView1Test => LfwView1.Of(set, LfwPeople.Read(Find(protocol, protocolFolder, "peopleDevTest.txt"))).Set,
        LfwTenFold => set.Of([.. Enumerable.Range(0, set.Count)], row => PersonOf(protocol, set.Paths[row])),
        _ => set,
    };

    /// <summary>Whom a picture shows: LFW's protocols know it by the picture's name, however it lies; others by its folder.
    /// </summary>
    /// <returns>Empty where neither tells.</returns>
    internal static string PersonOf(string protocol, string path) =>
        (protocol is LfwView1Test or LfwTenFold ? LfwImage.PersonOf(LfwImage.NameOf(path)) : null) ?? FaceDataset.IdentityOf(path);

    // Null where it does not score all pairs.
    private static EmbeddingSet? AllPairsOf(string protocol, EmbeddingSet set, string? protocolFolder) =>
        AllPairsProtocols.Contains(protocol) ? Measured(protocol, set, protocolFolder, new EvaluationOptions()) : null;

    /// <summary>The path of one of LFW's lists, in the folder or the one above it.</summary>
    /// <exception cref="FaceDistillException">It is in neither.</exception>
    internal static string Find(string protocol, string? folder, string file)
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
        var wanted = reference.Paths.Select(path => ImagePaths.Stem(path)).ToHashSet(StringComparer.Ordinal);
        foreach (var set in sets)
        {
            string? other = set.Paths.FirstOrDefault(path => !wanted.Contains(ImagePaths.Stem(path)));
            if (other is not null || set.Count != reference.Count)
            {
                throw new FaceDistillException($"{set.Name} has {set.Count} images and {reference.Name} has {reference.Count}"
                    + $"{(other is null ? "" : $" without {other}")}; embed both from the same folder");
            }
        }
    }
}
