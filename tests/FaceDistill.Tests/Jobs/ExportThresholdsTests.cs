using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Results;
using FaceDistill.Jobs;
using FaceDistill.Reports;

namespace FaceDistill.Tests.Jobs;

/// <summary>A threshold that an exported file does not carry is missing for a reason that is said.</summary>
public sealed class ExportThresholdsTests
{
    private const string File = "this file", Torch = "the student in TorchSharp";

    [Fact]
    public void All_there_means_nothing_to_say()
    {
        var (thresholds, missing) = ExportEvaluation.Thresholds([Row(File, 0.3f, 0.4f, 0.5f)], fileOnly: true, noted: false);
        Assert.Equal([(1e-3, 0.3f), (1e-4, 0.4f), (1e-5, 0.5f)], thresholds.Select(t => (t.Far, t.Threshold)));
        Assert.Null(missing);
    }

    [Fact]
    public void Rates_that_the_pairs_are_too_few_for_are_named()
    {
        var (thresholds, missing) = ExportEvaluation.Thresholds([Row(Torch, 0.3f, null, null)], fileOnly: false, noted: false);
        Assert.Equal(1e-3, Assert.Single(thresholds).Far);
        Assert.Equal("none at 1e-4, 1e-5, for which the 6,600 impostor pairs of all-pairs on people are too few", missing);
    }

    [Fact]
    public void A_rate_that_was_not_asked_for_is_not_called_one_of_too_few_pairs()
    {
        var row = Row(Torch, null, 0.4f, null);
        var (_, missing) = ExportEvaluation.Thresholds([row with { Result = row.Result with { ImpostorPairs = 20_000 } }], fileOnly: false, noted: false);
        Assert.Equal("none at 1e-5, for which the 20,000 impostor pairs of all-pairs on people are too few; none at 1e-3, which all-pairs on people was not "
            + "asked for", missing);
    }

    // Of a run's own notes there are decades alone; the curve that an export measures stands between them, from the highest rate to the lowest.
    [Fact]
    public void A_file_carries_every_rate_that_was_measured_on_ten_false_accepts_or_more()
    {
        var at = new Dictionary<string, float?> { ["1e-1"] = 0.1f, ["1e-2"] = 0.2f, ["1e-3"] = 0.3f, ["1e-4"] = 0.4f, ["1e-5"] = 0.5f, ["1e-6"] = 0.6f };
        var noted = Row(Torch, null, null, null) with { Result = new ModelResult(Torch, 120, 540, 600_000) { ThresholdAtFar = at } };
        Assert.Equal([1e-1, 1e-2, 1e-3, 1e-4, 1e-5], Far(noted)); // 1e-5 permits 6: on cards, but no point of the curve; nor is 1e-6
        var measured = noted with { Model = File, Result = noted.Result with { Curve = [new(0.5, 0.05f, "", 600_000), new(1e-1, 0.1f, "", 600_000),
            new(5e-5, 0.45f, "", 600_000)] } };
        Assert.Equal([0.5, 1e-1, 1e-2, 1e-3, 1e-4, 5e-5, 1e-5], Far(measured));
        Assert.Equal([1e-3, 1e-4, 1e-5], ExportEvaluation.OnCards(ExportEvaluation.Thresholds([measured], true, false).Thresholds).Select(t => t.Far));
    }

    [Fact]
    public void Thresholds_are_of_single_photographs_where_there_are_any_however_few()
    {
        static float[] Of(params ModelCardAccuracy[] rows) =>
            [.. ExportEvaluation.Thresholds(rows, fileOnly: false, noted: false).Thresholds.Select(t => t.Threshold)];
        static ModelCardAccuracy Large(ModelCardAccuracy row) => row with { Result = row.Result with { ImpostorPairs = 90_000 } };
        var photos = Row(Torch, 0.3f, null, null);
        var drawn = Large(Row(Torch, 0.1f, 0.2f, null)) with { Drawn = true };
        var pooled = Large(Row(Torch, 0.5f, 0.6f, 0.7f)) with { Protocol = Evaluator.Ijbc };
        Assert.Equal([0.3f], Of(pooled, drawn, photos));
        Assert.Equal([0.3f], Of(drawn with { Model = File }, photos));
        Assert.Equal([0.1f, 0.2f], Of(pooled, drawn));
        Assert.StartsWith("none, since ijbc on people gives none of single photos;", None([pooled]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "none was measured on this student; export with --evaluate")]
    [InlineData(true, "none was measured on this student (what the run notes is of other weights, or not by cosine); export with --evaluate")]
    public void Nothing_measured_is_told_from_other_weights_measured(bool noted, string expected) =>
        Assert.Equal(expected, None([Row("teacher", 0.3f, 0.4f, 0.5f)], noted: noted));

    [Fact]
    public void Each_other_reason_is_said()
    {
        Assert.StartsWith("none was measured on this file, and those of the student in TorchSharp do not hold",
            None([Row(Torch, 0.3f, 0.4f, 0.5f)], fileOnly: true),
            StringComparison.Ordinal);
        Assert.StartsWith("none, since the training faces hold, or may hold, people of all-pairs on people;",
            None([Row(Torch, 0.3f, 0.4f, 0.5f) with { Seen = true }]),
            StringComparison.Ordinal);
        Assert.StartsWith("none, since all-pairs on people gives none;",
            None([Row(Torch, 0.3f, 0.4f, 0.5f) with { Result = new ModelResult(Torch, 100, 10, 6600) }]), StringComparison.Ordinal);
    }

    private static IEnumerable<double> Far(ModelCardAccuracy row)
    {
        var (thresholds, missing) = ExportEvaluation.Thresholds([row], fileOnly: false, noted: false);
        Assert.Null(missing);
        Assert.All(thresholds, t => Assert.Equal(("all-pairs", 600_000L), (t.Protocol, t.ImpostorPairs)));
        return thresholds.Select(t => t.Far);
    }

    private static string? None(IReadOnlyList<ModelCardAccuracy> rows, bool fileOnly = false, bool noted = false)
    {
        var (thresholds, missing) = ExportEvaluation.Thresholds(rows, fileOnly, noted);
        Assert.Empty(thresholds);
        return missing;
    }

    private static ModelCardAccuracy Row(string model, float? at3, float? at4, float? at5) => new(model, "people", "all-pairs",
        new ModelResult(model, 120, 540, 6600) { ThresholdAtFar = new Dictionary<string, float?> { ["1e-3"] = at3, ["1e-4"] = at4, ["1e-5"] = at5 } }, false,
            null);
}
