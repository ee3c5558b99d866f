using FaceDistill.Datasets;
using FaceDistill.Evaluation.Protocols;
using FaceDistill.Formats;
using FaceDistill.Stores;

namespace FaceDistill.Tests.Evaluation.Protocols;

/// <summary>Faces on the unit circle: person p's images lie near an angle of their own, so each cosine is known.</summary>
public sealed class LfwFoldsTests
{
    [Fact]
    public void Separable_pairs_are_all_right()
    {
        var result = LfwFolds.Run(Circle(6, spread: 5), Pairs(3, 2));
        Assert.Equal((1.0, 0.0), (result.Folds!.Accuracy, result.Folds!.StandardError));
        Assert.Equal((6, 6, 0, 12), (result.GenuinePairs, result.ImpostorPairs, result.SkippedPairs, result.Images));
        // Genuine pairs are 5 degrees apart, impostors 65: the threshold lies midway between the cosines.
        Assert.All(result.Folds!.Folds.Select(fold => fold.Threshold), t => Assert.Equal((Cos(5) + Cos(65)) / 2, t, 1e-6));
    }

    [Fact]
    public void The_threshold_comes_from_the_other_folds()
    {
        // Fold 1's genuine pair is 60 degrees apart and its impostor pair 30; in the others they are 10 and 80. The
        // threshold of the others rejects the first and accepts the second: fold 1 is all wrong, the others all right.
        var pairs = new LfwPairs("pairs.txt", 3,
        [
            new(0, "z_0000", "z_0060", true), new(0, "z_0000", "z_0030", false),
            new(1, "z_0000", "z_0010", true), new(1, "z_0000", "z_0080", false),
            new(2, "z_0000", "z_0010", true), new(2, "z_0000", "z_0080", false),
        ]);
        var result = LfwFolds.Run(Degrees("z", 0, 10, 30, 60, 80), pairs);
        Assert.Equal([0, 1, 1], result.Folds!.Folds.Select(fold => fold.Accuracy));
        Assert.Equal(2 / 3.0, result.Folds!.Accuracy, 12);
        Assert.Equal(1 / 3.0, result.Folds!.StandardError, 12); // the sample deviation of 0, 1, 1 is the root of 1/3
    }

    [Fact]
    public void Of_equally_good_thresholds_the_smallest_is_taken()
    {
        // Others: genuine at 10 and 60 degrees, impostors at 30 and 80. Accepting all above 10 to 30 or above 60 to 80
        // degrees is right 3 times of 4; the smallest threshold lies between the cosines of 60 and 80.
        LfwPair[] fold = [new(0, "z_0000", "z_0010", true), new(0, "z_0000", "z_0060", true), new(0, "z_0000", "z_0030", false),
            new(0, "z_0000", "z_0080", false)];
        var pairs = new LfwPairs("pairs.txt", 2, [.. fold, .. fold.Select(pair => pair with { Fold = 1 })]);
        var result = LfwFolds.Run(Degrees("z", 0, 10, 30, 60, 80), pairs);
        Assert.All(result.Folds!.Folds.Select(fold => fold.Threshold), t => Assert.Equal((Cos(60) + Cos(80)) / 2, t, 1e-6));
        Assert.Equal([0.75, 0.75], result.Folds!.Folds.Select(fold => fold.Accuracy));
    }

    [Fact]
    public void A_model_that_says_the_same_of_all_is_right_half_the_time()
    {
        var circle = Circle(6, spread: 5);
        float[] constant = [.. Enumerable.Repeat(1f, circle.Values.Length)];
        var result = LfwFolds.Run(new EmbeddingSet("constant", 2, constant, circle.Paths, circle.Identities), Pairs(3, 2));
        Assert.Equal(0.5, result.Folds!.Accuracy, 12);
    }

    [Fact]
    public void Pairs_of_missing_images_are_skipped_and_counted()
    {
        var whole = Circle(6, spread: 5);
        int[] kept = [.. Enumerable.Range(0, whole.Count).Where(row => whole.Paths[row] != "p0/p0_0001.jpg")];
        var part = new EmbeddingSet(
            "part", 2, [.. kept.SelectMany(row => whole.Row(row).ToArray())], [.. kept.Select(row => whole.Paths[row])],
            [.. kept.Select(row => whole.Identities[row])]);
        var pairs = Pairs(3, 2);
        var result = LfwFolds.Run(part, pairs);
        int lost = pairs.Pairs.Count(pair => pair.First == "p0_0001" || pair.Second == "p0_0001");
        Assert.True(lost > 0);
        Assert.Equal(lost, result.SkippedPairs);
        Assert.Equal(12 - lost, result.GenuinePairs + result.ImpostorPairs);
        Assert.Equal(["p0_0001"], result.Missing);
    }

    [Fact]
    public void A_set_without_any_of_the_images_is_refused()
    {
        var set = Sets.Of(1, [1, 2], "a", "b");
        string message = Assert.Throws<FaceDistillException>(() => LfwFolds.Run(set, Pairs(2, 2))).Message;
        Assert.Contains("no pair of fold 1 of pairs.txt", message, StringComparison.Ordinal);
        Assert.Contains("p0_0001", message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_fold_is_refused() =>
        Assert.Throws<FaceDistillException>(() => LfwFolds.Run(Circle(6, 5), Pairs(1, 6)));

    private static double Cos(double degrees) => Math.Cos(degrees * Math.PI / 180);

    private static LfwPairs Pairs(int folds, int size) => new("pairs.txt", folds,
    [
        .. Enumerable.Range(0, folds * size).Select(i => new LfwPair(i / size, $"p{i}_0001", $"p{i}_0002", true)),
        .. Enumerable.Range(0, folds * size).Select(i => new LfwPair(i / size, $"p{i}_0001", $"p{(i + 1) % (folds * size)}_0002", false)),
    ]);

    private static EmbeddingSet Circle(int people, double spread) => new(
        "circle",
        2,
        [.. Enumerable.Range(0, people * 2).SelectMany(i => At((360.0 / people * (i / 2)) + (i % 2 * spread)))],
        [.. Enumerable.Range(0, people * 2).Select(i => $"p{i / 2}/p{i / 2}_{(i % 2) + 1:D4}.jpg")],
        [.. Enumerable.Range(0, people * 2).Select(i => $"p{i / 2}")]);

    private static EmbeddingSet Degrees(string person, params int[] degrees) => new(
        "degrees", 2, [.. degrees.SelectMany(d => At(d))], [.. degrees.Select(d => $"{person}_{d:D4}.png")], [.. degrees.Select(_ => person)]);

    private static float[] At(double degrees) => [(float)Cos(degrees), (float)Cos(degrees - 90)];
}
