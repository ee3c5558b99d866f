using FaceDistill.Datasets;

namespace FaceDistill.Distillation;

/// <summary>Numbers the people of a list of faces, by the folder that a face lies in.</summary>
internal static class FacePeople
{
    /// <summary>Numbers them from 0, in ordinal order of their folders; a face without an identity has -1.</summary>
    /// <param name="images">The faces. Two folders are two people, also where both have the same name in two data sets.</param>
    public static (long[] People, int Count) Of(IReadOnlyList<FaceImage> images)
    {
        string?[] folders = [.. images.Select(i => i.Identity.Length > 0 ? Path.GetDirectoryName(i.Path) : null)];
        var numbers = folders.OfType<string>().Distinct().Order(StringComparer.Ordinal).Select((folder, i) => (folder, i)).ToDictionary(p => p.folder, p => (long)p.i, StringComparer.Ordinal);
        return ([.. folders.Select(f => f is null ? -1 : numbers[f])], numbers.Count);
    }
}
