using FaceDistill.Datasets;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Protocols;
using FaceDistill.Evaluation.Results;
using FaceDistill.Formats;
using FaceDistill.Reports.Pages;
using FaceDistill.Stores;

namespace FaceDistill.Tests.Evaluation.Protocols;

public sealed class PairListEvaluationTests
{
    private static readonly double[] Fars = [0.3, 0.1, 1e-2, 2e-3, 1e-3];

    [Theory]
    [InlineData(1, 5)]
    [InlineData(2, 1)]
    [InlineData(3, 0)] // all images of a person alike
    public void Agrees_with_the_definition_where_nearly_all_scores_tie(int seed, int changes)
    {
        var set = SignSets.Of("model", seed, 120, 30, changes);
        var random = new Random(seed);
        var pairs = Enumerable.Range(0, 1500).Select(_ => (A: random.Next(120), B: random.Next(120))).Where(pair => pair.A != pair.B)
            .Select(pair => new ImagePair(set.Paths[pair.A], Path.ChangeExtension(set.Paths[pair.B], null), set.Identities[pair.A] == set.Identities[pair.B]))
                .ToList();
        var result = PairListEvaluation.Run(set, new PairList("list", pairs), Fars);
        var scored = pairs.Select(pair => (pair.Same, Score: SignSets.Cosine(Row(set, pair.First), Row(set, pair.Second)))).ToList();
        float[] genuine = [.. scored.Where(pair => pair.Same).Select(pair => pair.Score)];
        float[] impostors = [.. scored.Where(pair => !pair.Same).Select(pair => pair.Score)];
        Assert.Equal((genuine.Length, impostors.Length, 0), (result.GenuinePairs, result.ImpostorPairs, result.SkippedPairs));
        for (int i = 0; i < Fars.Length; i++)
        {
            float? threshold = SignSets.Threshold(Fars[i], impostors);
            Assert.Equal(threshold, result.Rates!.Points[i]?.Threshold);
            Assert.Equal(threshold is null ? null : impostors.Count(score => score >= threshold), result.Rates!.Points[i]?.FalseAccepts);
            Assert.Equal(threshold is null ? null : genuine.Count(score => score >= threshold) / (double)genuine.Length, result.Rates!.Points[i]?.Tar);
        }

        Assert.Equal(NaiveFolds(genuine, impostors), result.Folds!.Folds.Select(fold => fold.Accuracy));
    }

    [LfwFact]
    public void LFW_as_a_pair_list_gives_the_accuracy_of_LFW_folds()
    {
        var lfw = LfwPairs.Read(Path.Combine(LfwFactAttribute.Folder!, "pairs.txt"));
        string[] names = [.. lfw.Pairs.SelectMany(pair => new[] { pair.First, pair.Second }).Distinct()];
        var set = Sets.Random("random", 1, 8, [.. names.Select(name => $"{LfwImage.PersonOf(name)}/{name}.jpg")]);
        var list = new PairList("lfw", [.. lfw.Pairs.Select(pair => new ImagePair(At(pair.First), At(pair.Second), pair.Same))]);
        var expected = LfwFolds.Run(set, lfw);
        var actual = PairListEvaluation.Run(set, list);
        Assert.Equal(expected.Folds!.Folds, actual.Folds!.Folds);
        Assert.Equal((expected.TenFoldAccuracy, expected.TenFoldStandardError, expected.Images),
            (actual.TenFoldAccuracy, actual.TenFoldStandardError, actual.Images));
        Assert.Equal([30, 3], actual.Rates!.Points.Take(2).Select(point => (int)point!.FalseAccepts));
        Assert.All(actual.Rates.Points.Skip(2), Assert.Null); // 3,000 impostor pairs do not permit one at 1e-4
    }

    [Fact]
    public void Pairs_of_missing_images_are_skipped_and_counted()
    {
        var set = Sets.Of(2, [1, 0, 1, 0.1f, 0, 1], "a", "a", "b");
        var result = PairListEvaluation.Run(
            set, List(("a/0", "a/1.jpg", true), ("a/0.png", "b/2", false), ("a/0", "gone/1", true), ("gone/1", "gone/2", false)), [0.5]);
        Assert.Equal((1, 1, 3), (result.GenuinePairs, result.ImpostorPairs, result.Images));
        Assert.Equal(["gone/1", "gone/2"], result.Missing);
        Assert.Null(result.Folds);
        Assert.Null(result.Rates!.At(0.5)); // one impostor pair
    }

    [Fact]
    public void Pairs_that_stand_twice_are_counted_in_whichever_order()
    {
        var set = Sets.Of(2, [1, 0, 1, 0.1f, 0, 1], "a", "a", "b");
        var pairs = List(("a/0", "a/1", true), ("a/0", "b/2", false));
        Assert.Null(PairListEvaluation.Run(set, pairs, [0.5]).RepeatedPairs);
        var result = PairListEvaluation.Run(set, List(("a/0", "a/1", true), ("a/0", "b/2", false), ("a/1.png", "a/0", true), ("a/0", "a/1", true)), [0.5]);
        Assert.Equal((3, 2), (result.GenuinePairs, result.RepeatedPairs));
        Assert.Contains("2 pairs of the list stand there before, in this order or the other, and count once more: intervals and standard errors are too "
            + "narrow; keep one of each", ReportFormat.MissingWords(new EvaluationResult("pairs", [result])));
    }

    [Fact]
    public void Unusable_lists_are_refused()
    {
        var set = new EmbeddingSet("m", 1, [1, 2, 3], ["a/1.png", "a/1.jpg", "a/2.png"], ["a", "a", "a"]);
        Assert.Contains("0 impostor pairs", Message(set, ("a/1.png", "a/2", true)), StringComparison.Ordinal);
        Assert.Contains("differ in their extension", Message(set, ("a/1", "a/2", true)), StringComparison.Ordinal);
        Assert.Contains("are one image, a/2.png", Message(set, ("a/2", "a/2.png", true)), StringComparison.Ordinal);
        Assert.Contains("(missing: x/1)", Message(set, ("x/1", "x/2", true)), StringComparison.Ordinal);
        Assert.Contains("says of a/2 and a/1.png that they show one person and that they show two",
            Message(set, ("a/1.png", "a/2.png", true), ("a/2", "a/1.png", false)),
            StringComparison.Ordinal);
        Assert.Contains("are one image, a/2.png", Message(set, (@"a\2", "a/2", true)), StringComparison.Ordinal);
    }

    [Fact]
    public void The_protocol_reads_the_list_in_the_data_sets_folder()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder["pairs.csv"], "a,b,same\na/0,a/1,1\na/0,b/2,0\na/1,b/2,0\ngone,b/2,0\n");
        var set = Sets.Of(2, [1, 0, 1, 0.1f, 0, 1], "a", "a", "b");
        var model = Evaluator.Run(Evaluator.Pairs, set, folder.Path, new EvaluationOptions { Fars = [0.5] });
        Assert.Equal((3, 1, 2, 2), (model.Images, model.GenuinePairs, model.ImpostorPairs, model.Rates!.Identities));
        Assert.Equal((1, 1.0), (model.Rates.At(0.5)!.FalseAccepts, model.Rates.At(0.5)!.Tar));
        Assert.Equal(["gone"], model.Missing);
        Assert.Contains("--pairs FILE", Assert.Throws<FaceDistillException>(() => Evaluator.Run(Evaluator.Pairs, set)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Few_pairs_get_no_folds_and_sorted_lists_get_folds_of_both_kinds()
    {
        var set = SignSets.Of("m", 4, 60, 12, 2);
        Assert.Null(PairListEvaluation.Run(set, Ordered(set, 50, 49)).Folds);
        Assert.Null(PairListEvaluation.Run(set, Ordered(set, 9, 300)).Folds);
        Assert.InRange(PairListEvaluation.Run(set, Ordered(set, 50, 50)).Folds!.Accuracy, 0.8, 1);
    }

    private static PairList Ordered(EmbeddingSet set, int genuine, int impostors)
    {
        var all = Enumerable.Range(0, set.Count).SelectMany(a => Enumerable.Range(a + 1, set.Count - a - 1)
            .Select(b => new ImagePair(set.Paths[a], set.Paths[b], set.Identities[a] == set.Identities[b]))).ToList();
        return new PairList("list", [.. all.Where(pair => pair.Same).Take(genuine), .. all.Where(pair => !pair.Same).Take(impostors)]);
    }

    /// <summary>Tries every gap between scores on nine folds, the lowest first that is best, and applies it to the tenth.</summary>
    private static double[] NaiveFolds(float[] genuine, float[] impostors)
    {
        var pairs = genuine.Select((score, i) => (Fold: i * 10 / genuine.Length, Score: score, Same: true))
            .Concat(impostors.Select((score, i) => (Fold: i * 10 / impostors.Length, Score: score, Same: false))).ToList();
        return [.. Enumerable.Range(0, 10).Select(fold =>
        {
            var others = pairs.Where(pair => pair.Fold != fold).ToList();
            float[] scores = [-1, .. others.Select(pair => pair.Score).Distinct().Order()];
            float best = scores.Skip(1).Select((score, i) => (score + scores[i]) / 2).Append(scores[^1] + 1)
                .MaxBy(threshold => others.Count(pair => pair.Score >= threshold == pair.Same));
            return pairs.Where(pair => pair.Fold == fold).Average(pair => pair.Score >= best == pair.Same ? 1.0 : 0.0);
        })];
    }

    private static ReadOnlySpan<float> Row(EmbeddingSet set, string path) =>
        set.Row(Array.FindIndex(set.Paths, own => Path.ChangeExtension(own, null) == Path.ChangeExtension(path, null)));

    private static string At(string name) => $"{LfwImage.PersonOf(name)}/{name}";

    private static PairList List(params (string A, string B, bool Same)[] pairs) =>
        new("list.csv", [.. pairs.Select(pair => new ImagePair(pair.A, pair.B, pair.Same))]);

    private static string Message(EmbeddingSet set, params (string A, string B, bool Same)[] pairs) =>
        Assert.Throws<FaceDistillException>(() => PairListEvaluation.Run(set, List(pairs))).Message;
}
