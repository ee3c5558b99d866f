using FaceDistill.Evaluation;
using FaceDistill.Formats;
using FaceDistill.Teachers;

namespace FaceDistill.Export;

/// <summary>Reads the thresholds that an exported file carries, and finds one.</summary>
public static class StudentThresholds
{
    // A rate is typed: 0.0001 and 1e-4 are one, 1e-4 and 1.1e-4 are not.
    private const double RelativeTolerance = 1e-9;

    /// <summary>The thresholds of a file; none where its metadata have no <see cref="StudentThreshold.MetadataKey"/>.</summary>
    /// <param name="path">An .onnx file.</param>
    /// <exception cref="FaceDistillException">The file is no model, or the list is malformed.</exception>
    public static IReadOnlyList<StudentThreshold> Read(string path)
    {
        using var session = OnnxTeacher.Open(path);
        return session.ModelMetadata.CustomMetadataMap.TryGetValue(StudentThreshold.MetadataKey, out string? text)
            ? JsonFile.Parse<StudentThreshold[]>(text, $"{path}, metadata {StudentThreshold.MetadataKey}") : [];
    }

    /// <summary>The cosine at a false accept rate.</summary>
    /// <param name="thresholds">Those of the file.</param>
    /// <param name="far">The false accept rate.</param>
    /// <param name="path">The file, for the message.</param>
    /// <exception cref="FaceDistillException">There is none for that rate.</exception>
    public static float At(IReadOnlyList<StudentThreshold> thresholds, double far, string path)
    {
        ArgumentNullException.ThrowIfNull(thresholds);
        var found = thresholds.FirstOrDefault(t => Math.Abs(t.Far - far) <= far * RelativeTolerance);
        return found is not null ? found.Threshold : throw new FaceDistillException(thresholds.Count == 0
            ? $"{path} carries no threshold: measured none; export with --evaluate"
            : $"{path} carries no threshold for FAR {FarTargets.Label(far)}; it has those for {string.Join(", ", thresholds.Select(t => FarTargets.Label(t.Far)))}; measure others with 'facedistill evaluate'");
    }
}
