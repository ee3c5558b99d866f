using System.Text.Json.Serialization;

namespace FaceDistill.Evaluation;

/// <summary>How a student agrees with its teacher, as JSON. Rates are fractions, not percent.</summary>
/// <param name="Teacher">The teacher's name.</param>
/// <param name="Student">The student's name.</param>
/// <param name="Images">How many images.</param>
/// <param name="Cosine">Cosine between both embeddings of an image.</param>
/// <param name="Histogram">Bins of 0.02, from the first that holds an image to the last.</param>
/// <param name="Worst">The 20 images that agree least; the worst first.</param>
public sealed record AgreementJson(
    string Teacher,
    string Student,
    int Images,
    CosineJson Cosine,
    IReadOnlyList<AgreementBin> Histogram,
    IReadOnlyList<ImageAgreement> Worst)
{
    /// <summary>Teacher-teacher, student-student and teacher-student, in this order; left out where the images have no identity.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<CrossSearchJson>? Search { get; init; }

    /// <summary>The document of both results.</summary>
    /// <param name="agreement">Image by image.</param>
    /// <param name="search">Search across the models; null where there is none.</param>
    public static AgreementJson Of(AgreementResult agreement, CrossModelResult? search)
    {
        ArgumentNullException.ThrowIfNull(agreement);
        return new AgreementJson(
            agreement.Teacher, agreement.Student, agreement.Images,
            new CosineJson(agreement.Mean, agreement.Median, agreement.Percentile5, agreement.Minimum,
                double.IsNaN(agreement.OtherImages) ? null : agreement.OtherImages),
            [.. agreement.Histogram.SkipWhile(bin => bin.Count == 0).Reverse().SkipWhile(bin => bin.Count == 0).Reverse()], agreement.Worst)
        {
            Search = search is null ? null :
            [
                CrossSearchJson.Of(search.Teacher, search.Teacher, search.TeacherTeacher),
                CrossSearchJson.Of(search.Student, search.Student, search.StudentStudent),
                CrossSearchJson.Of(search.Teacher, search.Student, search.TeacherStudent),
            ],
        };
    }
}

/// <summary>The distribution of the agreement of <see cref="AgreementJson"/>.</summary>
/// <param name="Mean">Mean.</param>
/// <param name="Median">Median.</param>
/// <param name="Percentile5">5th percentile.</param>
/// <param name="Minimum">Minimum.</param>
/// <param name="OtherImages">Mean between embeddings of different images: agreement by chance; null with one image.</param>
public sealed record CosineJson(double Mean, double Median, double Percentile5, double Minimum, double? OtherImages);

/// <summary>Accuracy where one model embeds the gallery and another the probes, as JSON.</summary>
/// <param name="Gallery">The model of the one image of each pair.</param>
/// <param name="Probe">The model of the other.</param>
/// <param name="GenuinePairs">Pairs of one person; ordered pairs where the models differ.</param>
/// <param name="ImpostorPairs">Pairs of two people, likewise.</param>
/// <param name="TarAtFar">True accept rate by false accept rate ("1e-4"); null where too few impostor pairs permit none.</param>
/// <param name="ThresholdAtFar">Cosine threshold by false accept rate.</param>
public sealed record CrossSearchJson(
    string Gallery,
    string Probe,
    long GenuinePairs,
    long ImpostorPairs,
    IReadOnlyDictionary<string, double?> TarAtFar,
    IReadOnlyDictionary<string, float?> ThresholdAtFar)
{
    /// <summary>The document of a result.</summary>
    public static CrossSearchJson Of(string gallery, string probe, AllPairsResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return new CrossSearchJson(
            gallery, probe, result.GenuinePairs, result.ImpostorPairs,
            ByFar(result, point => point?.Tar), ByFar(result, point => point?.Threshold));
    }

    private static Dictionary<string, T?> ByFar<T>(AllPairsResult result, Func<FarPoint?, T?> value)
        where T : struct =>
        result.Fars.Select((far, i) => (Key: FarTargets.Label(far), Value: value(result.Points[i])))
            .DistinctBy(entry => entry.Key).ToDictionary(entry => entry.Key, entry => entry.Value);
}
