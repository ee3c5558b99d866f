using FaceDistill.Evaluation.Agreement;
using FaceDistill.Evaluation.Protocols;
using FaceDistill.Evaluation.Results;
using FaceDistill.Evaluation.Scoring;
using FaceDistill.Files;
using FaceDistill.Stores;

namespace FaceDistill.Evaluation;

/// <summary>How long an evaluation will take, known before its first look at all pairs.</summary>
internal static class EvaluationTime
{
    private const double Long = 60; // seconds: less is not worth a line

    /// <summary>Tells it in a line, where it is long.</summary>
    /// <param name="protocol">One of <see cref="Evaluator.Protocols"/>.</param>
    /// <param name="sets">The models' embeddings.</param>
    /// <param name="teacher">Which of them the others' agreement is measured with; null for none.</param>
    /// <param name="options">As for <see cref="Evaluator.Run"/>.</param>
    /// <param name="job">Told.</param>
    /// <exception cref="FaceDistillException">As <see cref="Evaluator.Run"/>.</exception>
    public static void Tell(string protocol, IReadOnlyList<EmbeddingSet> sets, int? teacher, EvaluationOptions options, JobContext job)
    {
        if (Seconds(protocol, sets, teacher, options) is not { } told || told.All < Long)
        {
            return;
        }

        string metrics = told.Metrics > 0 ? $", {Words(told.Metrics)} of it for the metrics (--no-metrics leaves them out)" : "";
        string agreement = told.Agreement > 0 ? $", {Words(told.Agreement)} for the search in the teacher's gallery (--no-agreement)" : "";
        job.Say?.Invoke($"scoring all pairs takes about {Words(told.All)} here{metrics}{agreement}");
    }

    /// <summary>How long it takes at least to score all pairs of large sets, by what some faces take here.</summary>
    /// <param name="protocol">One of <see cref="Evaluator.Protocols"/>.</param>
    /// <param name="sets">The models' embeddings.</param>
    /// <param name="teacher">Which of them the others' agreement is measured with; null for none.</param>
    /// <param name="options">As for <see cref="Evaluator.Run"/>.</param>
    /// <returns>Seconds, and how many of them are the metrics' and the agreement's; null for small sets, and protocols that do not score all pairs.</returns>
    /// <exception cref="FaceDistillException">As <see cref="Evaluator.Run"/>.</exception>
    public static (double All, double Metrics, double Agreement)? Seconds(
        string protocol, IReadOnlyList<EmbeddingSet> sets, int? teacher, EvaluationOptions options)
    {
        const int large = 1 << 16; // faces: two thousand million pairs
        if (protocol != Evaluator.AllPairs || sets.All(set => set.Count < large))
        {
            return null;
        }

        double all = 0, metrics = 0, agreement = 0;
        foreach (var (set, i) in sets.Select((set, i) => (set, i)))
        {
            var groups = IdentityGroups.Of(set);
            var plan = new AllPairsPlan(groups, options);
            plan.Check(set.Name);
            var pair = PairSeconds.Measure(set, groups, options);
            var seconds = plan.Seconds(pair);
            bool compared = teacher is { } reference && reference != i && sets[reference].Dimension == set.Dimension;
            agreement += compared ? CrossModelSearch.Seconds(groups, options.Fars, pair) : 0;
            (all, metrics) = (all + seconds.All, metrics + seconds.Metrics);
        }

        return (all + agreement, metrics, agreement);
    }

    /// <summary>A time as it is told: minutes, from two hours on hours.</summary>
    internal static string Words(double seconds) =>
        seconds < 7200 ? InvariantText.Of($"{seconds / 60:0.#} minutes") : InvariantText.Of($"{seconds / 3600:0.0} hours");
}
