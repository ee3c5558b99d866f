using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Results;
using FaceDistill.Reports;
using FaceDistill.Runs;
using FaceDistill.Stores;
using FaceDistill.Students;
using FaceDistill.Tests.Evaluation;

namespace FaceDistill.Tests.Reports;

/// <summary>Reports of two models on random faces with enough impostor pairs for FAR 1e-4; one has a name that wants to be markup.</summary>
internal static class EvaluationReports
{
    public const string Hostile = "<script>alert(1)</script> & \"x\"";

    public static EvaluationReport Make(EvaluationOptions? options = null, string name = Hostile, int people = 60)
    {
        options ??= new EvaluationOptions { WorstPairs = EvaluationReport.WorstPairs, Resamples = 100 };
        string[] paths = [.. Enumerable.Range(0, people).SelectMany(person => Enumerable.Range(0, 4).Select(image => $"person{person:00}<b>/{image}.png"))];
        var result = Evaluator.RunAll(Evaluator.AllPairs, [Set("teacher", 1, 0.5f, paths), Set(name, 2, 1.2f, paths)], 0, null, options);
        result = result with { Models = [result.Models[0], result.Models[1] with { Cost = new StudentCost(27_400_000, 880_000, 1, 1) }] };
        return new EvaluationReport(
            result, options, "/data/<i>faces", "facedistill evaluate --report out", RunEnvironment.Here("cpu"),
            new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc));
    }

    private static EmbeddingSet Set(string name, int seed, float spread, string[] paths)
    {
        var noise = Sets.Random(name, seed, 16, paths);
        var people = Sets.Random(name, 99, 16, [.. paths.Where((_, i) => i % 4 == 0)]);
        float[] values = [.. noise.Values.Select((value, i) => (spread * value) + people.Values[(i / 64 * 16) + (i % 16)])];
        return new EmbeddingSet(name, 16, values, paths, noise.Identities);
    }
}
