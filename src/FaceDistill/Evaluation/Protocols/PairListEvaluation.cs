using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Stores;

namespace FaceDistill.Evaluation.Protocols;

/// <summary>Scores a user's own list of pairs by cosine.</summary>
internal static class PairListEvaluation
{
    private const int Folds = 10;
    private const int FewestPairs = 100; // fewer than ten pairs a fold say nothing

    private readonly record struct Scored(int Pair, int First, int Second, float Score, bool Same);

    /// <summary>Scores the list.</summary>
    /// <param name="set">The embeddings; found by path, with or without the extension. Pairs of images that it lacks are
    /// skipped and counted.</param>
    /// <param name="list">The pairs.</param>
    /// <param name="fars">The false accept rates; null for <see cref="FarTargets.Default"/>.</param>
    /// <param name="worst">Takes all scores; null for none.</param>
    /// <exception cref="FaceDistillException">An embedding is unusable, a path fits several images or is its pair's other
    /// image, or no genuine or no impostor pair is left.</exception>
    public static ModelResult Run(EmbeddingSet set, PairList list, IReadOnlyList<double>? fars = null, WorstPairs? worst = null)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(list);
        fars ??= FarTargets.Default;
        FarTargets.Check(fars);
        var missing = new SortedSet<string>(StringComparer.Ordinal);
        var scored = Score(set, list, missing);
        scored.ForEach(pair => worst?.Add(pair.Score, pair.First, pair.Second, pair.Same));
        float[] genuine = [.. scored.Where(pair => pair.Same).Select(pair => pair.Score)];
        float[] impostors = [.. scored.Where(pair => !pair.Same).Select(pair => pair.Score)];
        if (genuine.Length == 0 || impostors.Length == 0)
        {
            throw new FaceDistillException($"{set.Name}: of {list.File}, {genuine.Length} genuine and {impostors.Length} impostor pairs have both "
                + $"their images{(missing.Count > 0 ? $" (missing: {missing.Min})" : "")}; accuracy needs both kinds, and paths relative to the data set");
        }

        int[] used = [.. scored.SelectMany(pair => new[] { pair.First, pair.Second }).Distinct()];
        int people = used.Select(row => set.Identities[row]).Where(identity => identity.Length > 0).Distinct(StringComparer.Ordinal).Count();
        var tail = ExactThreshold.TailOf(impostors, fars);
        return new ModelResult(set.Name, used.Length, genuine.Length, impostors.Length)
        {
            Rates = new RatesAtFar(used.Length, people, genuine.Length, impostors.Length, [.. fars],
                [.. fars.Select(far => ExactThreshold.Point(far, impostors.LongLength, genuine, tail))]),
            // The folds are contiguous in each kind of pair, so that every fold holds both kinds in the list's proportion however the
            // list is sorted, and LFW's pairs fall into LFW's own folds.
            Folds = list.InOrder ? FoldAccuracy.Of(InOrder(set, list, scored), Folds, list.Pairs.Count - scored.Count)
                : scored.Count < FewestPairs || Math.Min(genuine.Length, impostors.Length) < Folds ? null
                : FoldAccuracy.Of(InFolds(genuine, same: true).Concat(InFolds(impostors, same: false)), Folds, list.Pairs.Count - scored.Count),
            Missing = [.. missing],
            RepeatedPairs = scored.Count - scored.DistinctBy(Rows).Count() is > 0 and var repeated ? repeated : null,
            Worst = worst?.Of(set),
        };
    }

    // The two images, under whatever spellings and in whichever order.
    private static (int, int) Rows(Scored pair) => (Math.Min(pair.First, pair.Second), Math.Max(pair.First, pair.Second));

    private static List<Scored> Score(EmbeddingSet set, PairList list, SortedSet<string> missing)
    {
        var vectors = ScoredVectors.Of(set);
        var index = new PathIndex(set);
        var scored = new List<Scored>(list.Pairs.Count);
        var said = new Dictionary<(int, int), bool>();
        foreach (var (pair, place) in list.Pairs.Select((pair, i) => (pair, i)))
        {
            int first = index.Row(pair.First);
            int second = index.Row(pair.Second);
            missing.UnionWith(first < 0 ? [pair.First] : []);
            missing.UnionWith(second < 0 ? [pair.Second] : []);
            if (first >= 0 && first == second)
            {
                throw new FaceDistillException($"{list.File}: {pair.First} and {pair.Second} are one image, {set.Paths[first]}; remove the pair");
            }

            if (first >= 0 && second >= 0)
            {
                scored.Add(new Scored(place, first, second, vectors.Score(first, second), pair.Same));
                var rows = Rows(scored[^1]);
                if (!said.TryAdd(rows, pair.Same) && said[rows] != pair.Same)
                {
                    throw new FaceDistillException(
                        $"{list.File} says of {pair.First} and {pair.Second} that they show one person and that they show two; keep one of the lines");
                }
            }
        }

        return scored;
    }

    // As scikit-learn's KFold without shuffling, by which the field measures: the first n modulo ten folds have one pair more.
    private static List<FoldPair> InOrder(EmbeddingSet set, PairList list, List<Scored> scored)
    {
        var (size, larger) = Math.DivRem(list.Pairs.Count, Folds);
        int Fold(int pair) => pair < larger * (size + 1) ? pair / (size + 1) : larger + ((pair - (larger * (size + 1))) / size);
        if (size == 0)
        {
            throw new FaceDistillException($"{list.File} has {list.Pairs.Count} pairs; ten folds need at least ten");
        }

        List<FoldPair> pairs = [.. scored.Select(pair => new FoldPair(Fold(pair.Pair), pair.Score, pair.Same))];
        int empty = Enumerable.Range(0, Folds).FirstOrDefault(fold => !pairs.Exists(pair => pair.Fold == fold), -1);
        return empty < 0 ? pairs
            : throw new FaceDistillException($"{set.Name}: no pair of fold {empty + 1} of {list.File} has both its pictures; embed all of them");
    }

    private static IEnumerable<FoldPair> InFolds(float[] scores, bool same) =>
        scores.Select((score, i) => new FoldPair((int)((long)i * Folds / scores.Length), score, same));
}
