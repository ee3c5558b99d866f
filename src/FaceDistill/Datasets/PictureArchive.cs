using FaceDistill.Faces;
using FaceDistill.Files;

namespace FaceDistill.Datasets;

/// <summary>Files that hold many pictures, told by their endings. A reader only lists: each picture is then read from its place when it is wanted.</summary>
internal static class PictureArchive
{
    private const string Remedy = "--data takes a folder, or a file .rec (MXNet RecordIO), .bin (verification pairs), .tar (WebDataset) or .parquet";
    private static readonly string[] Packed = [".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".zip"];
    private static readonly string[] InFolders = [".rec", ".tar", ".parquet"]; // a .bin beside a train.rec is another data set

    /// <summary>The names under which the formats keep whom a picture shows.</summary>
    public static IReadOnlyList<string> Labels { get; } = ["label", "identity", "person"];

    /// <summary>A label as an identity: a number gets seven digits, a text stays as it is where it can be a folder's name, as a person's is.</summary>
    /// <param name="label">The label.</param>
    /// <param name="where">Whose it is.</param>
    /// <exception cref="FaceDistillException">It can be none.</exception>
    public static string Identity(string label, Func<string> where)
    {
        ArgumentNullException.ThrowIfNull(label);
        ArgumentNullException.ThrowIfNull(where);
        bool folder = label.Length < 200 && !Path.IsPathRooted(label) && !label.Any(c => char.IsControl(c) || c == '\\')
            && (label.Length == 0 || !label.Split('/').Any(part => part.Trim() is "" or "." or ".."));
        return !folder ? throw new FaceDistillException(
            $"{where()}: the label '{ShownText.Of(label.Length > 80 ? label[..80] + "..." : label)}' can be no person's name")
            : label.Length is > 0 and < 7 && label.All(char.IsAsciiDigit) ? label.PadLeft(7, '0') : label;
    }

    /// <summary>The path of a picture: its person's folder, and the file that holds it with its name there.</summary>
    public static string PathOf(string identity, string root, string file, string name)
    {
        string holder = root == file ? Path.GetFileName(file) : Path.GetRelativePath(root, file);
        string own = $"{Path.ChangeExtension(holder, null)}-{name}".Replace(Path.DirectorySeparatorChar, '~').Replace('/', '~');
        return identity.Length > 0 ? $"{identity}/{own}" : own;
    }

    /// <summary>Whether a path is such a file; a card's .json is none.</summary>
    /// <exception cref="FaceDistillException">It is a file of another kind.</exception>
    public static bool IsFile(string path)
    {
        if (!File.Exists(path) || path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        return Ending(path) is ".rec" or ".bin" or ".tar" or ".parquet" ? true : throw new FaceDistillException(
            Packed.Any(e => path.EndsWith(e, StringComparison.OrdinalIgnoreCase))
                ? $"{path} is packed, so that no picture can be read from its place; unpack it (gunzip for .tar.gz: a .tar is read as it is)"
                : $"{path} is a file of no format that is read; {Remedy}");
    }

    /// <summary>The files of this kind in a folder that has no pictures of its own, in ordinal order; none in a folder of pictures.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="files">What lies below it.</param>
    /// <param name="pictures">Whether there are pictures.</param>
    /// <exception cref="FaceDistillException">It is not clear which are meant.</exception>
    public static IReadOnlyList<string> In(string folder, IReadOnlyList<FolderFile> files, bool pictures)
    {
        string[] names = [.. files.Where(f => f.Reason is null).Select(f => f.Path)];
        string[] found = [.. names.Where(name => InFolders.Contains(Ending(name)))];
        string[] kinds = [.. found.Select(Ending).Distinct()];
        string? record = found.FirstOrDefault(name => Ending(name) == ".rec");
        string? packed = names.FirstOrDefault(name => Packed.Any(e => name.EndsWith(e, StringComparison.OrdinalIgnoreCase)));
        string? wrong = pictures && record is not null && !record.Contains('/', StringComparison.Ordinal)
                ? $"holds pictures and {record}: name that file, or the folder of the pictures"
            : pictures ? null
            : kinds.Length > 1 ? $"holds {string.Join(" and ", kinds)} files (first: {found[0]}): name the one that is meant"
            : kinds is [".rec"] && found.Length > 1 ? $"holds {found.Length} .rec files (first: {found[0]}): name the one that is meant"
            : found.Length == 0 && packed is not null ? $"holds no picture, but {packed}, which is packed; unpack it (a .tar is read as it is)"
            : null;
        return wrong is not null ? throw new FaceDistillException($"{folder} {wrong}")
            : pictures ? [] : [.. found.Select(name => Path.Combine(folder, name)).Order(StringComparer.Ordinal)];
    }

    /// <summary>Lists the pictures of files of one kind.</summary>
    /// <param name="root">What the user named: the file, or the folder of several.</param>
    /// <param name="files">The files.</param>
    /// <param name="job">Told how far they are read.</param>
    /// <exception cref="FaceDistillException">A file is damaged or of another kind.</exception>
    public static FaceDataset Open(string root, IReadOnlyList<string> files, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(files);
        try
        {
            return Ending(files[0]) switch
            {
                ".rec" => RecordIo.Read(files[0], job),
                ".bin" => VerificationSet.Read(files[0], job),
                ".tar" => WebDataset.Read(root, files, job),
                ".parquet" => HubParquet.Read(root, files, job),
                _ => throw new FaceDistillException($"{root} is a file of no format that is read; {Remedy}"),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read {root}: {e.Message}", e);
        }
    }

    /// <summary>The template of pictures that are as InsightFace cuts them, 112 x 112; null for others.</summary>
    /// <param name="first">The first picture.</param>
    /// <param name="said">The size that a file beside it says; null where there is none.</param>
    /// <exception cref="FaceDistillException">It is no picture, or of another size than is said.</exception>
    public static string? TemplateOf(FilePlace first, (string File, int Width, int Height)? said)
    {
        using var picture = PictureFile.Read(first);
        return said is { } size && (picture.Width, picture.Height) != (size.Width, size.Height)
            ? throw new FaceDistillException(InvariantText.Of($"{first} is {picture.Width}x{picture.Height}, and {size.File} says {size.Width}x{size.Height}"))
            : picture is { Width: 112, Height: 112 } ? AlignmentTemplate.ArcFace.Name : null;
    }

    private static string Ending(string path) => Path.GetExtension(path).ToLowerInvariant();
}
