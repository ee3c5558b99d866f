namespace FaceDistill.Tests;

/// <summary>Real photos and models at hand below $FACEDISTILL_HOME (one or more folders); never part of the repository.</summary>
internal static class RealData
{
    private static readonly string[] Homes =
        (Environment.GetEnvironmentVariable("FACEDISTILL_HOME") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);

    /// <summary>LFW's folder with the protocol files and "images"; null where there is none.</summary>
    public static string? Lfw { get; } =
        Homes.Select(home => Path.Combine(home, "datasets", "lfw")).FirstOrDefault(lfw => Directory.Exists(Path.Combine(lfw, "images")));

    public const string DetectorFile = "face_detection_yunet_2026may.onnx";

    /// <summary>YuNet's file; null where there is none.</summary>
    public static string? Detector { get; } =
        Homes.Select(home => Path.Combine(home, "models", DetectorFile)).FirstOrDefault(File.Exists);

    /// <summary>The first photos of LFW's people, evenly spread over the alphabet.</summary>
    public static string[] LfwPhotos(int count)
    {
        string[] people = [.. Directory.EnumerateDirectories(Path.Combine(Lfw!, "images")).Order(StringComparer.Ordinal)];
        return [.. Enumerable.Range(0, count).Select(i => people[i * people.Length / count])
            .Select(folder => Directory.EnumerateFiles(folder, "*.jpg").Order(StringComparer.Ordinal).First())];
    }
}
