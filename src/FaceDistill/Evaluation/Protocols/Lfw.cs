using FaceDistill.Datasets;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Stores;
using MathNet.Numerics.Statistics;

namespace FaceDistill.Evaluation.Protocols;

/// <summary>
/// LFW's View 2 protocol (Huang et al. 2007, section 4): for each fold, the threshold that is right most often on the other
/// folds is applied to it; told are the mean accuracy and its standard error.
/// </summary>
internal static class LfwFolds
{
    /// <summary>Runs the protocol.</summary>
    /// <param name="set">The embeddings; found by image name, whatever the extension. Pairs of images that it lacks are
    /// skipped and counted.</param>
    /// <param name="pairs">The list, of at least two folds.</param>
    /// <param name="worst">Takes all scores; null for none.</param>
    /// <exception cref="FaceDistillException">An embedding is unusable, or a fold has no pair left.</exception>
    public static ModelResult Run(EmbeddingSet set, LfwPairs pairs, WorstPairs? worst = null)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(pairs);
        if (pairs.Folds < 2)
        {
            throw new FaceDistillException($"{pairs.File} has {pairs.Folds} fold; the threshold needs others to be chosen on");
        }

        var missing = new SortedSet<string>(StringComparer.Ordinal);
        var used = new HashSet<int>();
        var scored = Score(set, pairs, missing, used, worst);
        for (int fold = 0; fold < pairs.Folds; fold++)
        {
            if (!scored.Exists(pair => pair.Fold == fold))
            {
                throw new FaceDistillException($"{set.Name}: no pair of fold {fold + 1} of {pairs.File} has both its images "
                    + $"(missing: {string.Join(", ", missing.Take(3))}...); embed the whole of LFW");
            }
        }

        return new ModelResult(set.Name, used.Count, scored.Count(pair => pair.Same), scored.Count(pair => !pair.Same))
        {
            Folds = FoldAccuracy.Of(scored, pairs.Folds, pairs.Pairs.Count - scored.Count),
            Missing = [.. missing],
            Worst = worst?.Of(set),
        };
    }

    private static List<FoldPair> Score(EmbeddingSet set, LfwPairs pairs, SortedSet<string> missing, HashSet<int> used, WorstPairs? worst)
    {
        var vectors = ScoredVectors.Of(set);
        var index = new LfwIndex(set);
        var scored = new List<FoldPair>(pairs.Pairs.Count);
        foreach (var pair in pairs.Pairs)
        {
            int first = index.Row(pair.First);
            int second = index.Row(pair.Second);
            if (first >= 0 && second >= 0)
            {
                used.Add(first);
                used.Add(second);
                float score = vectors.Score(first, second);
                scored.Add(new FoldPair(pair.Fold, score, pair.Same));
                worst?.Add(score, first, second, pair.Same);
            }
            else
            {
                missing.UnionWith(first < 0 ? [pair.First] : []);
                missing.UnionWith(second < 0 ? [pair.Second] : []);
            }
        }

        return scored;
    }
}

/// <summary>Finds the rows of a set by LFW image names.</summary>
internal sealed class LfwIndex
{
    private readonly Dictionary<string, int> _rows;

    /// <exception cref="FaceDistillException">Two paths have one name.</exception>
    public LfwIndex(EmbeddingSet set)
    {
        _rows = new Dictionary<string, int>(set.Count, StringComparer.Ordinal);
        for (int row = 0; row < set.Count; row++)
        {
            string name = LfwImage.NameOf(set.Paths[row]);
            if (!_rows.TryAdd(name, row))
            {
                throw new FaceDistillException($"{set.Name}: {set.Paths[row]} and {set.Paths[_rows[name]]} are both image {name}; keep one of them");
            }
        }
    }

    /// <summary>The row of an image, or -1.</summary>
    public int Row(string name) => _rows.GetValueOrDefault(name, -1);
}

/// <summary>The part of a set that shows the people of LFW's View 1 test list; its people are not in the training list.</summary>
/// <param name="Set">The images of those people, each with the name in its file name as its identity.</param>
/// <param name="MissingImages">Listed images that the whole set lacks.</param>
internal sealed record LfwView1(EmbeddingSet Set, IReadOnlyList<string> MissingImages)
{
    /// <summary>Takes the listed images out of a set.</summary>
    /// <exception cref="FaceDistillException">None of them is there.</exception>
    public static LfwView1 Of(EmbeddingSet set, LfwPeople people)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentNullException.ThrowIfNull(people);
        var index = new LfwIndex(set);
        var rows = new List<int>();
        var names = new Dictionary<int, string>();
        var missing = new List<string>();
        foreach (var person in people.People)
        {
            for (int number = 1; number <= person.Images; number++)
            {
                string image = LfwImage.Name(person.Name, number);
                int row = index.Row(image);
                if (row >= 0)
                {
                    rows.Add(row);
                    names[row] = person.Name;
                }
                else
                {
                    missing.Add(image);
                }
            }
        }

        return rows.Count > 0 ? new LfwView1(set.Of(rows, row => names[row]), missing)
            : throw new FaceDistillException($"{set.Name}: none of the {missing.Count} images of {people.File} is there; embed LFW");
    }
}

/// <summary>A scored pair that belongs to a fold.</summary>
/// <param name="Fold">From 0.</param>
/// <param name="Score">Cosine.</param>
/// <param name="Same">Whether both images show one person.</param>
internal readonly record struct FoldPair(int Fold, float Score, bool Same);

/// <summary>Accuracy over folds: the threshold that is right most often on the other folds is applied to each.</summary>
internal static class FoldAccuracy
{
    /// <summary>Each fold's accuracy and the threshold that gave it, with their mean.</summary>
    /// <param name="pairs">All pairs, in any order; every fold has one.</param>
    /// <param name="folds">How many folds, at least 2.</param>
    /// <param name="skipped">How many pairs were left out.</param>
    public static FoldsResult Of(IEnumerable<FoldPair> pairs, int folds, int skipped)
    {
        FoldPair[] falling = [.. pairs.OrderByDescending(pair => pair.Score)];
        (double Accuracy, float Threshold)[] each = [.. Enumerable.Range(0, folds).Select(fold =>
        {
            float threshold = BestThreshold(falling.Where(pair => pair.Fold != fold).ToList());
            return (falling.Where(pair => pair.Fold == fold).Average(pair => pair.Score >= threshold == pair.Same ? 1.0 : 0.0), threshold);
        })];
        double[] accuracies = [.. each.Select(fold => fold.Accuracy)];
        return new FoldsResult(each, skipped, accuracies.Mean(), accuracies.StandardDeviation() / Math.Sqrt(folds));
    }

    /// <summary>
    /// The threshold with most right decisions, the smallest where several are equally good; it lies midway between the
    /// lowest score that it accepts and the next lower one.
    /// </summary>
    /// <param name="pairs">By falling score, at least one.</param>
    private static float BestThreshold(List<FoldPair> pairs)
    {
        int right = pairs.Count(pair => !pair.Same); // all rejected
        int best = right;
        float threshold = MathF.BitIncrement(pairs[0].Score);
        for (int i = 0; i < pairs.Count; i++)
        {
            right += pairs[i].Same ? 1 : -1;
            float next = i + 1 < pairs.Count ? pairs[i + 1].Score : -1;
            bool tied = i + 1 < pairs.Count && next == pairs[i].Score;
            if (!tied && right >= best)
            {
                best = right;
                threshold = MathF.Max(MathF.BitIncrement(next), (pairs[i].Score + next) / 2);
            }
        }

        return threshold;
    }
}
