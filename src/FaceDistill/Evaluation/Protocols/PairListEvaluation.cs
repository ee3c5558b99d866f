using System.Numerics.Tensors;
using FaceDistill.Datasets;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation.Metrics;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Formats;
using FaceDistill.Kernels;
using FaceDistill.Stores;
using MathNet.Numerics.Statistics;

namespace FaceDistill.Evaluation.Protocols;

/// <summary>Scores a user's own list of pairs by cosine.</summary>
public static class PairListEvaluation
{
    private const int Folds = 10;
    private const int FewestPairs = 100; // fewer than ten pairs a fold say nothing

    private readonly record struct Scored(int First, int Second, float Score, bool Same);

    /// <summary>Scores the list.</summary>
    /// <param name="set">The embeddings; found by path, with or without the extension. Pairs of images that it lacks are
    /// skipped and counted.</param>
    /// <param name="list">The pairs.</param>
    /// <param name="fars">The false accept rates; null for <see cref="FarTargets.Default"/>.</param>
    /// <exception cref="FaceDistillException">An embedding is unusable, a path fits several images or is its pair's other
    /// image, or no genuine or no impostor pair is left.</exception>
    public static PairListResult Run(EmbeddingSet set, PairList list, IReadOnlyList<double>? fars = null) => Run(set, list, fars, null);

    internal static PairListResult Run(EmbeddingSet set, PairList list, IReadOnlyList<double>? fars, WorstPairs? worst)
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
        int skipped = list.Pairs.Count - scored.Count;
        var tail = ExactThreshold.TailOf(impostors, fars);
        var points = fars.Select(far => ExactThreshold.Point(far, impostors.LongLength, genuine, tail)).ToArray();
        return new PairListResult(
            set.Name, used.Length, people, genuine.Length, impostors.Length, skipped, [.. missing], [.. fars], points,
            scored.Count < FewestPairs || Math.Min(genuine.Length, impostors.Length) < Folds ? null
                : TenFold(genuine, impostors, used.Length, skipped, [.. missing]));
    }

    private static List<Scored> Score(EmbeddingSet set, PairList list, SortedSet<string> missing)
    {
        float[] unit = UnitEmbeddings.From(set);
        var index = new PathIndex(set);
        var scored = new List<Scored>(list.Pairs.Count);
        foreach (var pair in list.Pairs)
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
                var a = unit.AsSpan(first * set.Dimension, set.Dimension);
                var b = unit.AsSpan(second * set.Dimension, set.Dimension);
                scored.Add(new Scored(first, second, TensorPrimitives.Dot<float>(a, b), pair.Same));
            }
        }

        return scored;
    }

    /// <summary>
    /// The folds are contiguous in each kind of pair, so that every fold holds both kinds in the list's proportion however the
    /// list is sorted, and LFW's pairs fall into LFW's own folds.
    /// </summary>
    private static TenFoldResult TenFold(float[] genuine, float[] impostors, int images, int skipped, IReadOnlyList<string> missing)
    {
        var folds = FoldAccuracy.Of(InFolds(genuine, same: true).Concat(InFolds(impostors, same: false)), Folds);
        double[] accuracies = [.. folds.Select(fold => fold.Accuracy)];
        return new TenFoldResult(
            images, genuine.Length, impostors.Length, skipped, missing, accuracies, [.. folds.Select(fold => fold.Threshold)],
            accuracies.Mean(), accuracies.StandardDeviation() / Math.Sqrt(Folds));
    }

    private static IEnumerable<FoldPair> InFolds(float[] scores, bool same) =>
        scores.Select((score, i) => new FoldPair((int)((long)i * Folds / scores.Length), score, same));
}

/// <summary>The outcome of scoring a user's own list of pairs.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Images">Images that the scored pairs use.</param>
/// <param name="Identities">How many people the set names for them; 0 where it names none.</param>
/// <param name="GenuinePairs">Pairs of one person that were scored.</param>
/// <param name="ImpostorPairs">Pairs of two people that were scored.</param>
/// <param name="SkippedPairs">Pairs left out because an image is missing.</param>
/// <param name="MissingImages">The paths of those images, as the list has them.</param>
/// <param name="Fars">The false accept rates asked for.</param>
/// <param name="Points">One for each rate, in their order; null where the impostor pairs do not permit one false accept.</param>
/// <param name="TenFold">Accuracy over ten folds; null with fewer than 100 pairs, or fewer than ten of either kind.</param>
public sealed record PairListResult(
    string Name,
    int Images,
    int Identities,
    int GenuinePairs,
    int ImpostorPairs,
    int SkippedPairs,
    IReadOnlyList<string> MissingImages,
    IReadOnlyList<double> Fars,
    IReadOnlyList<FarPoint?> Points,
    TenFoldResult? TenFold)
{
    /// <summary>The point at a rate, or null where it was refused or not asked for.</summary>
    public FarPoint? At(double far) => Points.FirstOrDefault(point => point?.Far == far);

    /// <summary>The result as that of a model under a protocol.</summary>
    public ModelEvaluation ToModel() => new(
        Name, Images, GenuinePairs, ImpostorPairs, new AllPairsResult(Images, Identities, GenuinePairs, ImpostorPairs, Fars, Points), TenFold, MissingImages);
}

/// <summary>
/// Finds the rows of a set by path. Extensions do not count, because aligning may change them, unless a set has two images
/// that differ in nothing else.
/// </summary>
internal sealed class PathIndex
{
    private const int Ambiguous = -2;
    private readonly EmbeddingSet _set;
    private readonly Dictionary<string, int> _exact;
    private readonly Dictionary<string, int> _stems;

    public PathIndex(EmbeddingSet set)
    {
        _set = set;
        _exact = new Dictionary<string, int>(set.Count, StringComparer.Ordinal);
        _stems = new Dictionary<string, int>(set.Count, StringComparer.Ordinal);
        for (int row = 0; row < set.Count; row++)
        {
            _exact.TryAdd(set.Paths[row], row); // UnitEmbeddings refuses a path that comes twice
            string stem = Stem(set.Paths[row]);
            _stems[stem] = _stems.ContainsKey(stem) ? Ambiguous : row;
        }
    }

    /// <summary>The row of an image, or -1.</summary>
    /// <exception cref="FaceDistillException">Several images fit and none exactly.</exception>
    public int Row(string path)
    {
        if (_exact.TryGetValue(path, out int row) || _stems.TryGetValue(path, out row) || _stems.TryGetValue(Stem(path), out row))
        {
            return row != Ambiguous ? row
                : throw new FaceDistillException(
                    $"{_set.Name}: {path} may be any of several images that differ in their extension; write it with the extension");
        }

        return -1;
    }

    /// <summary>For each row of a set, the row of another that is of the same image.</summary>
    /// <exception cref="FaceDistillException">One of the sets has an image that the other lacks.</exception>
    public static int[] Match(EmbeddingSet set, EmbeddingSet other)
    {
        var index = new PathIndex(other);
        int[] rows = Array.ConvertAll(set.Paths, index.Row);
        int missing = Array.IndexOf(rows, -1);
        if (missing >= 0 || set.Count != other.Count || rows.Distinct().Count() != rows.Length)
        {
            throw new FaceDistillException($"{set.Name} has {set.Count} images and {other.Name} has {other.Count}"
                + $"{(missing < 0 ? "" : $" without {set.Paths[missing]}")}; embed both from the same folder");
        }

        return rows;
    }

    private static string Stem(string path) => Path.ChangeExtension(path, null);
}
