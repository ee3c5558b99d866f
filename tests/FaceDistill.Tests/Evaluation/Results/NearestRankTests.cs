using FaceDistill.Evaluation.Results;

namespace FaceDistill.Tests.Evaluation.Results;

public sealed class NearestRankTests
{
    [Fact]
    public void A_percentile_is_a_value_that_was_measured()
    {
        double[] values = [.. Enumerable.Range(1, 20).Select(i => (double)i)];
        Assert.Equal((1.0, 2.0, 10.0, 19.0, 20.0, 1.0), (NearestRank.Of(values, 0.05), NearestRank.Of(values, 0.051), NearestRank.Of(values, 0.5),
            NearestRank.Of(values, 0.95), NearestRank.Of(values, 1), NearestRank.Of(values, 0.01)));
        Assert.Equal(7, NearestRank.Of([7], 0.95));
    }

    [Fact]
    public void An_export_s_spread_and_an_agreement_s_are_the_same_of_the_same_cosines()
    {
        var teacher = SignSets.Of("teacher", 1, 301, 30, 4);
        var student = SignSets.Student(teacher, 2, 3);
        double[] cosines = [.. teacher.Paths.Select((path, row) =>
            (double)SignSets.Cosine(teacher.Row(row), student.Row(Array.IndexOf(student.Paths, Path.ChangeExtension(path, ".jpg")))))];
        var agreement = FaceDistill.Evaluation.Agreement.AgreementMeasure.Run(teacher, student).Cosine;
        var export = FaceDistill.Export.CosineSpread.Of(cosines);
        Assert.Equal((agreement.Percentile5, agreement.Minimum), (export.Percentile5, export.Min));
    }
}
