using System.Text;
using FaceDistill.Faces;

namespace FaceDistill.Datasets;

/// <summary>One picture of a data set.</summary>
/// <param name="Path">Relative to the data set's root, with '/' between folders.</param>
/// <param name="Identity">The folder that it lies in: a person; empty where it lies in the root.</param>
public readonly record struct FaceImage(string Path, string Identity)
{
    private readonly string? _name;

    /// <summary>The path within the folder that it was listed from: the same wherever several folders are joined.</summary>
    public string Name
    {
        get => _name ?? Path;
        init => _name = value;
    }

    /// <summary>64 bits of the name, by which its random views are drawn, whatever else is trained on (FNV-1a, Fowler, Noll and Vo, over UTF-16).</summary>
    public long Key
    {
        get
        {
            ulong hash = 14695981039346656037UL;
            foreach (char c in Name)
            {
                hash = (hash ^ c) * 1099511628211UL;
            }

            return (long)hash;
        }
    }
}

/// <summary>The pictures below a folder, in ordinal order of their paths; a sub-folder's name is the identity of what lies in it.</summary>
/// <param name="Root">The folder.</param>
/// <param name="Images">The pictures.</param>
/// <param name="Others">The other files (relative paths), which are not read.</param>
public sealed record FaceDataset(string Root, IReadOnlyList<FaceImage> Images, IReadOnlyList<string> Others)
{
    /// <summary>Lists a folder; nothing is opened.</summary>
    /// <exception cref="FaceDistillException">The folder is missing or cannot be read.</exception>
    public static FaceDataset List(string root)
    {
        if (!Directory.Exists(root))
        {
            throw new FaceDistillException($"no folder {root}");
        }

        // One spelling of a folder, with or without a separator at its end: it names caches and stands in manifests.
        string full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(root));
        try
        {
            string[] paths = [.. Directory.EnumerateFiles(full, "*", SearchOption.AllDirectories)
                .Select(p => System.IO.Path.GetRelativePath(full, p).Replace('\\', '/'))];
            Array.Sort(paths, StringComparer.Ordinal);
            return new FaceDataset(
                full,
                [.. paths.Where(PictureFile.IsPicture).Select(p => new FaceImage(p, IdentityOf(p)))],
                [.. paths.Where(p => !PictureFile.IsPicture(p))]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot list {root}: {e.Message}", e);
        }
    }

    /// <summary>The picture's full path.</summary>
    public string FullPath(FaceImage image) => System.IO.Path.Combine(Root, image.Path);

    private static string IdentityOf(string path)
    {
        int slash = path.LastIndexOf('/');
        return slash < 0 ? "" : path[..slash];
    }
}

/// <summary>Image paths that a user wrote, relative to a data set.</summary>
internal static class ImagePaths
{
    /// <summary>The path as data sets list it: '/' between folders, no "./" before it, no white space around it.</summary>
    public static string Normal(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        string normal = path.Trim().Replace('\\', '/');
        return normal.StartsWith("./", StringComparison.Ordinal) ? normal[2..] : normal;
    }

    /// <summary>Reads a list of images, for example a gallery: one path a line, UTF-8; empty lines do not count.</summary>
    /// <returns>The paths, in the file's order.</returns>
    /// <exception cref="FaceDistillException">Missing, not UTF-8, empty, or a path comes twice; the message names file and line.</exception>
    public static IReadOnlyList<string> ReadList(string path)
    {
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        int line = 0;
        try
        {
            foreach (string text in File.ReadLines(path, new UTF8Encoding(false, throwOnInvalidBytes: true)))
            {
                line++;
                string image = Normal(text);
                if (image.Length > 0 && !lines.TryAdd(image, line))
                {
                    throw new FaceDistillException($"{path} line {line}: {image} is on line {lines[image]} too; remove one");
                }
            }
        }
        catch (DecoderFallbackException e)
        {
            throw new FaceDistillException($"{path} is not UTF-8 text (after line {line}); save it as UTF-8", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read {path}: {e.Message}", e);
        }

        return lines.Count > 0 ? [.. lines.OrderBy(entry => entry.Value).Select(entry => entry.Key)]
            : throw new FaceDistillException($"{path} names no image; write one path a line");
    }
}
