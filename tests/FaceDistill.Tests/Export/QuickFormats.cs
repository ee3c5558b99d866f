using FaceDistill.Export;

namespace FaceDistill.Tests.Export;

/// <summary>Every export format; int8 without its search for the best calibration, which has tests of its own.</summary>
internal static class QuickFormats
{
    public static IReadOnlyList<ExportFormat> All { get; } = [.. ExportFormat.All.Select(f => f is Int8Format ? new Int8Format
    {
        Options = new Int8Options { Method = CalibrationMethod.MinMax, Equalize = false, CorrectBias = false, CalibrationFaces = 16, SelectionFaces = 16 },
    } : f)];
}
