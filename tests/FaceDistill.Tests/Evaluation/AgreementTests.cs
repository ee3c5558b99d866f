using System.Text.Json;
using FaceDistill.Evaluation.Agreement;
using FaceDistill.Files;
using FaceDistill.Formats;
using FaceDistill.Stores;

namespace FaceDistill.Tests.Evaluation;

public sealed class AgreementTests
{
    [Fact]
    public void Agrees_with_the_naive_twin()
    {
        var teacher = SignSets.Of("teacher", 1, 301, 30, 4);
        var student = SignSets.Student(teacher, 2, 3);
        var result = AgreementMeasure.Run(teacher, student);
        double[] cosines = [.. teacher.Paths.Select((path, row) =>
            (double)SignSets.Cosine(teacher.Row(row), student.Row(Array.IndexOf(student.Paths, Path.ChangeExtension(path, ".jpg")))))];
        double[] rising = [.. cosines.Order()];
        Assert.Equal(301, result.Images);
        Assert.Equal(cosines.Average(), result.Cosine.Mean, 1e-12);
        Assert.Equal(rising[150], result.Cosine.Median);
        Assert.Equal(rising[15], result.Cosine.Percentile5); // a twentieth of 301 is 15.05
        Assert.Equal(rising[0], result.Cosine.Minimum);
        Assert.Equal(rising.Take(20), result.Worst.Select(image => image.Cosine));
        Assert.All(result.Worst, image => Assert.Equal(cosines[Array.IndexOf(teacher.Paths, image.Path)], image.Cosine));
        Assert.Equal(result.Worst, result.Worst.OrderBy(image => image.Cosine).ThenBy(image => image.Path, StringComparer.Ordinal));
        Assert.True(result.Histogram[0].Count > 0 && result.Histogram[^1].Count > 0);
        Assert.Equal(301, result.Histogram.Sum(bin => bin.Count));
        Assert.All(result.Histogram, bin => Assert.Equal(cosines.Count(c => c >= bin.From && (c < bin.To || (bin.To == 1 && c == 1))), bin.Count));
    }

    [Fact]
    public void Chance_is_the_mean_over_other_images()
    {
        var teacher = SignSets.Of("teacher", 3, 40, 10, 4);
        var student = SignSets.Student(teacher, 4, 2);
        var others = teacher.Paths.SelectMany((path, i) => student.Paths
            .Select((other, j) =>
                (Same: Path.ChangeExtension(path, null) == Path.ChangeExtension(other, null), Cosine: SignSets.Cosine(teacher.Row(i), student.Row(j)))))
            .Where(pair => !pair.Same).ToList();
        Assert.Equal(40 * 39, others.Count);
        Assert.Equal(others.Average(pair => pair.Cosine), AgreementMeasure.Run(teacher, student).Cosine.OtherImages!.Value, 1e-6);
    }

    [Fact]
    public void Length_does_not_count_and_a_model_agrees_with_itself()
    {
        var set = Sets.Random("m", 5, 33, [.. Enumerable.Range(0, 50).Select(i => $"p{i / 2}/{i}.png")]);
        var longer = new EmbeddingSet("longer", 33, [.. set.Values.Select((value, i) => value * (1 + (i / 33)))], set.Paths, set.Identities);
        var result = AgreementMeasure.Run(set, longer);
        Assert.Equal(1, result.Cosine.Minimum, 1e-6);
        Assert.Equal(50, result.Histogram[^1].Count);
    }

    [Fact]
    public void Another_dimension_is_one_clear_error() =>
        Assert.Contains("m gives 2 values an image and m gives 3", Assert.Throws<FaceDistillException>(() => AgreementMeasure.Run(
            Sets.Random("m", 1, 2, ["a/1"]), Sets.Random("m", 1, 3, ["a/1"]))).Message, StringComparison.Ordinal);

    [Fact]
    public void Json_has_both_and_leaves_out_the_search_without_identities()
    {
        var teacher = SignSets.Of("teacher", 6, 300, 30, 3);
        var student = SignSets.Student(teacher, 7, 1);
        using var json = JsonDocument.Parse(JsonFile.Serialize(AgreementMeasure.Run(teacher, student, [1e-2, 1e-4, 1e-6])));
        Assert.Equal(AgreementMeasure.Run(teacher, student).Cosine.Percentile5, json.RootElement.GetProperty("cosine").GetProperty("percentile5").GetDouble());
        Assert.Equal(20, json.RootElement.GetProperty("worst").GetArrayLength());
        int[] bins = [.. json.RootElement.GetProperty("histogram").EnumerateArray().Select(bin => bin.GetProperty("count").GetInt32())];
        Assert.Equal(300, bins.Sum());
        Assert.True(bins[0] > 0 && bins[^1] > 0);
        var search = json.RootElement.GetProperty("search");
        Assert.Equal(["teacher-teacher", "student-student", "teacher-student"],
            search.EnumerateArray().Select(entry => $"{entry.GetProperty("gallery").GetString()}-{entry.GetProperty("probe").GetString()}"));
        Assert.Equal(CrossModelSearch.Run(teacher, student)[2].TarAtFar["1e-4"], search[2].GetProperty("tarAtFar").GetProperty("1e-4").GetDouble());
        Assert.Equal(JsonValueKind.Null, search[2].GetProperty("tarAtFar").GetProperty("1e-6").ValueKind);
        var nameless = new EmbeddingSet("teacher", SignSets.Dimension, teacher.Values, teacher.Paths, new string[300].Select(_ => "").ToArray());
        using var without = JsonDocument.Parse(JsonFile.Serialize(AgreementMeasure.Run(nameless, student)));
        Assert.False(without.RootElement.TryGetProperty("search", out _));
    }
}
