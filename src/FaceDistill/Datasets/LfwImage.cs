using System.Globalization;

namespace FaceDistill.Datasets;

/// <summary>Names of LFW images: "Aaron_Eckhart_0001" is image 1 of Aaron_Eckhart, in a folder with his name.</summary>
public static class LfwImage
{
    /// <summary>The name of a person's image.</summary>
    public static string Name(string person, int number) => string.Create(CultureInfo.InvariantCulture, $"{person}_{number:D4}");

    /// <summary>The image's name in a path: its last part, without the extension, which differs once images are aligned.</summary>
    public static string NameOf(string path) => Path.GetFileNameWithoutExtension(path);

    /// <summary>The person in an image's name, or null where it does not end in an underscore and four digits.</summary>
    public static string? PersonOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length > 5 && name[^5] == '_' && name.AsSpan(name.Length - 4).IndexOfAnyExceptInRange('0', '9') < 0 ? name[..^5] : null;
    }
}
