using System.Text.Json;
using FaceDistill.Embeddings;
using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Results;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Stores;
using FaceDistill.Tests.Evaluation.Metrics;

namespace FaceDistill.Tests.Evaluation.Results;

public sealed class ModelComparisonTests
{
    private static readonly EvaluationOptions Options = new() { Resamples = 200 };

    [Fact]
    public void The_p_value_counts_both_sides_of_zero()
    {
        Assert.Equal(2.0 / 100, ModelComparison.TwoSided([.. Enumerable.Repeat(0.1, 99)]));
        Assert.Equal(2.0 / 100, ModelComparison.TwoSided([.. Enumerable.Repeat(-0.1, 99)]));
        Assert.Equal(1, ModelComparison.TwoSided([.. Enumerable.Repeat(0.0, 99)]));
        Assert.Equal(2.0 * 11 / 100, ModelComparison.TwoSided([.. Enumerable.Range(0, 99).Select(i => i < 10 ? -1.0 : 1.0)]), 1e-12);
    }

    [Fact]
    public void A_better_model_a_copy_and_a_noisier_one_are_told_apart()
    {
        var good = TarBootstrapTests.Noisy("good", 120, 3, 0.5f, 1);
        var copy = new EmbeddingSet("copy", good.Dimension, good.Values, good.Paths, good.Identities);
        var random = new Random(3);
        var worse = new EmbeddingSet("worse", good.Dimension, [.. good.Values.Select(v => v + ((random.NextSingle() - 0.5f) * 2))],
            [.. good.Paths.Select(path => Path.ChangeExtension(path, ".jpg"))], good.Identities);
        var result = Evaluator.RunAll(Evaluator.AllPairs, [good, copy, worse], 0, null, Options);
        var comparisons = result.Comparisons!;
        Assert.Equal(["good copy", "good worse", "copy worse"], comparisons.Select(c => $"{c.A} {c.B}"));
        Assert.Equal((0.0, 1.0), (comparisons[0].DifferenceAt1e4, comparisons[0].PValue));
        Assert.Equal([0, 0], comparisons[0].Interval95);
        Assert.Equal(2.0 / 201, comparisons[1].PValue);
        Assert.True(comparisons[1].Interval95[0] > 0 && comparisons[1].Interval95[1] > comparisons[1].DifferenceAt1e4);
        Assert.Equal([1, 1], result.Models[1].RetentionInterval95At1e4!);
        Assert.Null(result.Models[0].RetentionInterval95At1e4);
        var kept = result.Models[2].RetentionInterval95At1e4!;
        Assert.InRange(result.Models[2].RetentionAt1e4!.Value, kept[0], kept[1]);
    }

    [Fact]
    public void Models_of_other_faces_are_not_compared()
    {
        var sets = new[] { TarBootstrapTests.Noisy("a", 120, 3, 0.5f, 1), TarBootstrapTests.Noisy("b", 119, 3, 0.5f, 1) };
        var result = Evaluator.RunAll(Evaluator.AllPairs, sets, null, null, Options);
        Assert.All(result.Models, model => Assert.NotNull(model.Uncertainty!.At(1e-4)));
        Assert.Null(result.Comparisons);
    }

    [Fact]
    public void Json_has_the_new_keys_and_reads_back()
    {
        var sets = new[] { TarBootstrapTests.Noisy("a", 120, 3, 0.5f, 1), TarBootstrapTests.Noisy("b", 120, 3, 0.6f, 1) };
        string text = JsonFile.Serialize(Evaluator.RunAll(Evaluator.AllPairs, sets, 0, null, Options with { Score = ScoreKind.Euclidean }));
        using var json = JsonDocument.Parse(text);
        Assert.Equal("euclidean", json.RootElement.GetProperty("score").GetString());
        var model = json.RootElement.GetProperty("models")[1];
        Assert.Equal(["1e-1", "1e-2", "1e-3", "1e-4"], model.GetProperty("tarInterval95AtFar").EnumerateObject().Select(p => p.Name));
        Assert.Equal(2, model.GetProperty("tarInterval95AtFar").GetProperty("1e-4").GetArrayLength());
        Assert.Equal(2, model.GetProperty("retentionInterval95At1e-4").GetArrayLength());
        Assert.All("eer auc minDcf rank1".Split(' '), key => Assert.InRange(model.GetProperty(key).GetDouble(), 0, 1));
        Assert.True(model.GetProperty("dPrime").GetDouble() > 0);
        var comparison = json.RootElement.GetProperty("comparisons")[0];
        Assert.Equal(("a", "b", 2),
            (comparison.GetProperty("a").GetString(), comparison.GetProperty("b").GetString(), comparison.GetProperty("interval95").GetArrayLength()));
        Assert.True(comparison.TryGetProperty("differenceAt1e-4", out _) && comparison.TryGetProperty("pValue", out _));
        Assert.Equal(text, JsonFile.Serialize(JsonFile.Parse<EvaluationResult>(text, "test")));
    }

    [Fact]
    public void What_was_not_asked_for_is_left_out()
    {
        var set = TarBootstrapTests.Noisy("a", 120, 3, 0.5f, 1);
        var plain = Evaluator.RunAll(Evaluator.AllPairs, [set], null, null, new EvaluationOptions { Metrics = false, Resamples = 0 });
        string text = JsonFile.Serialize(plain);
        Assert.All("tarInterval95AtFar eer rank1 comparisons score".Split(' '), key => Assert.DoesNotContain(key, text, StringComparison.Ordinal));
        Assert.Null(Evaluator.Run(Evaluator.AllPairs, TarBootstrapTests.Noisy("few", 9, 3, 0.5f, 1)).Uncertainty); // 9 people
        Assert.NotNull(Evaluator.Run(Evaluator.AllPairs, TarBootstrapTests.Noisy("more", 10, 3, 0.5f, 1), null, Options).Uncertainty);
    }

    [Theory]
    [InlineData(99, ScoreKind.Cosine, 0.1, "99 resamples")]
    [InlineData(-1, ScoreKind.Cosine, 0.1, "-1 resamples")]
    [InlineData(1_000_001, ScoreKind.Cosine, 0.1, "1000001 resamples")]
    [InlineData(100, (ScoreKind)7, 0.1, "no score 7")]
    [InlineData(100, ScoreKind.Cosine, 1.5, "false accept rates")]
    public void Options_out_of_range_are_refused(int resamples, ScoreKind score, double far, string reason)
    {
        var options = new EvaluationOptions { Resamples = resamples, Score = score, Fars = [far] };
        Assert.Contains(reason, Assert.Throws<FaceDistillException>(options.Check).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rates_that_would_cost_too_much_are_not_among_the_defaults()
    {
        Assert.Equal([1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6], FarTargets.Usual(87_294_039));
        Assert.Equal([1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7], FarTargets.Usual(5_000_000_000));
    }
}
