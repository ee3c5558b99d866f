using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Protocols;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Tests.Evaluation.Scoring;

namespace FaceDistill.Tests.Evaluation.Protocols;

/// <summary>What an evaluation says before it looks at the first pair.</summary>
public sealed class AllPairsPlanTests
{
    private const int Million = 1_000_000;

    [Fact]
    public void A_million_faces_need_little_memory_besides_their_embeddings_whatever_the_rates()
    {
        var groups = new IdentityGroups(People(Million, 20));
        Assert.Equal((9_500_000L, 499_990_000_000L), (groups.GenuinePairs, groups.ImpostorPairs));
        foreach (double[]? fars in new double[]?[] { null, [1e-3, 1e-4, 1e-5, 1e-6, 1e-7], [0.9, 0.5, 1e-1, 1e-2] })
        {
            var plan = new AllPairsPlan(groups, new EvaluationOptions { Fars = fars });
            Assert.InRange(plan.Bytes(), 1, 2_000_000_000 + (12 * groups.GenuinePairs * TileRows.Workers));
            Assert.All(plan.Resampled, far => Assert.True(far <= 1e-5));
        }

        Assert.Equal([1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7], new AllPairsPlan(groups, new EvaluationOptions()).Fars);
    }

    [Fact]
    public void What_fails_at_the_end_is_refused_at_the_start()
    {
        var options = new EvaluationOptions();
        string[] few = [.. People(20_000, 20_000), .. People(40, 20)]; // one person with 199,990,000 pairs
        Assert.Contains("x.npy: the metrics of 199,990,", Message(() => Evaluator.CheckPeople(Evaluator.AllPairs, "x.npy", few, 0, options)),
            StringComparison.Ordinal);
        Evaluator.CheckPeople(Evaluator.AllPairs, "x.npy", few, 0, options with { Metrics = false, Resamples = 0 });
        string[] people = People(1000, 10);
        Assert.Equal("x.npy: 495,000 pairs of two people permit no false accept at a rate of 1e-7, 1e-6; ask for a larger one, or evaluate at least "
            + "1,000,000 pairs of two people: some 1,420 photos of different people",
            Message(() => Evaluator.CheckPeople(Evaluator.AllPairs, "x.npy", people, 0, options with { Fars = [1e-7, 1e-6] })));
        Evaluator.CheckPeople(Evaluator.AllPairs, "x.npy", people, 0, options with { Fars = [1e-7, 1e-5] });
        Assert.Contains("no genuine pair", Message(() => Evaluator.CheckPeople(Evaluator.AllPairs, "x.npy", People(50, 1), 0, options)),
            StringComparison.Ordinal);
        Evaluator.CheckPeople(Evaluator.Identification, "x.npy", People(50, 1), 0, options); // has its own rules
    }

    [Fact]
    public void Too_little_memory_is_told_with_what_is_needed_and_what_helps()
    {
        var plan = new AllPairsPlan(new IdentityGroups(People(40_000, 200)), new EvaluationOptions());
        plan.Check("m", free: plan.Bytes());
        string message = Message(() => plan.Check("m", coming: 2_000_000_000, free: plan.Bytes() + 1_000_000_000));
        Assert.StartsWith("m: the embeddings take 2.0 GB, and scoring 3,980,000 genuine pairs needs ", message, StringComparison.Ordinal);
        Assert.Contains("leave the metrics out (--no-metrics), or evaluate fewer images", message, StringComparison.Ordinal);
        Assert.Contains(" are left", Message(() => plan.Check("m", coming: long.MaxValue / 2)), StringComparison.Ordinal); // this machine's own
    }

    [Fact]
    public void A_later_model_is_looked_at_before_the_first_is_scored()
    {
        var set = DeepRanksTests.Drawn(300, 8, 0);
        var bad = new FaceDistill.Stores.EmbeddingSet("bad", 8, [.. set.Values], set.Paths, set.Identities);
        bad.Values[17] = float.NaN;
        var seen = new List<WorkProgress>();
        string message = Message(() => Evaluator.RunAll(Evaluator.AllPairs, [set, bad], null, job: new JobContext(Progress: new Told(seen.Add))));
        Assert.StartsWith("bad: the embedding in row 3 ", message, StringComparison.Ordinal);
        Assert.Empty(seen);
    }

    [Fact]
    public void The_time_is_estimated_for_large_sets_from_some_of_their_faces()
    {
        var options = new EvaluationOptions();
        Assert.Null(EvaluationTime.Seconds(Evaluator.AllPairs, [DeepRanksTests.Drawn(300, 8, 0)], null, options));
        var large = DeepRanksTests.Drawn(66_000, 2, 0);
        var (all, metrics, agreement) = EvaluationTime.Seconds(Evaluator.AllPairs, [large, large], 0, options)!.Value;
        Assert.True(all > metrics + agreement && metrics > 0 && agreement > 0, $"{all} s, {metrics} of them for the metrics, {agreement} for the agreement");
        var plain = EvaluationTime.Seconds(Evaluator.AllPairs, [large], null, options with { Metrics = false, Resamples = 0 })!.Value;
        Assert.Equal((0, 0), (plain.Metrics, plain.Agreement));
        Assert.Null(EvaluationTime.Seconds(Evaluator.Identification, [large], null, options));
        var pair = new PairSeconds(1, 3);
        var groups = new IdentityGroups(People(40, 20)); // 780 pairs
        (double, double) Of(EvaluationOptions o) => new AllPairsPlan(groups, o).Seconds(pair);
        Assert.Equal((4 * 780, 3 * 780), Of(options));
        Assert.Equal((1 * 780, 0), Of(options with { Metrics = false }));                            // two people: no intervals, one look
        Assert.Equal((2 * 780, 0), Of(options with { Metrics = false, WorstPairs = 5 }));            // a second look
        Assert.Equal((2 * 780, 0), Of(options with { Metrics = false, Fars = [0.5], Held = 100 })); // likewise, for a deep rank
    }

    [Fact]
    public void A_long_time_is_told_in_one_line()
    {
        Assert.Equal(("1.5 minutes", "119.9 minutes", "2.0 hours"), (EvaluationTime.Words(90), EvaluationTime.Words(7196), EvaluationTime.Words(7200)));
        var lines = new List<string>();
        EvaluationTime.Tell(Evaluator.AllPairs, [DeepRanksTests.Drawn(300, 8, 0)], null, new EvaluationOptions(), new JobContext(lines.Add));
        Assert.Empty(lines);
    }

    private static string[] People(int faces, int each) => [.. Enumerable.Range(0, faces).Select(i => $"{each}-{i / each}")];

    private static string Message(Action action) => Assert.Throws<FaceDistillException>(action).Message;

    private sealed class Told(Action<WorkProgress> report) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => report(value);
    }
}
