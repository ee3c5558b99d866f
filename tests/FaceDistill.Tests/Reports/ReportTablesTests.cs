using FaceDistill.Evaluation;
using FaceDistill.Evaluation.Protocols;
using FaceDistill.Evaluation.Results;
using FaceDistill.Reports;
using FaceDistill.Tests.Evaluation;

namespace FaceDistill.Tests.Reports;

public sealed class ReportTablesTests
{
    [Fact]
    public void What_a_search_lacked_stands_below_its_rates()
    {
        var set = SignSets.Of("m", 5, 400, 20, 3);
        string[] gallery = [.. set.Paths.Where((_, row) => row is >= 3 and < 12), "gone/1.png"];
        var found = Identification.Run(set, new IdentificationOptions(gallery, Fars: [0.1]));
        var section = ReportTables.Identification(new EvaluationResult(Evaluator.Identification, [found]))!;
        Assert.Contains("Of the protocol, 1 image missing: m.", section.Body.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_blufrs_trials_lacked_stands_below_their_rates()
    {
        var rate = new TrialRate(0.5, 0.1, 0.4);
        var model = new ModelResult("m", 10, 5, 40) { Blufr = new BlufrResult("m", "trials", rate, rate, 2, []), Missing = ["a", "b"] };
        var section = ReportTables.Blufr(new EvaluationResult(Evaluator.Blufr, [model]))!;
        Assert.Contains("Of the protocol, 2 images missing: m.", section.Body.ToString(), StringComparison.Ordinal);
    }
}
