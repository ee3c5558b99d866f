using System.Text;

namespace FaceDistill.Datasets;

/// <summary>Image paths that a user wrote, relative to a data set.</summary>
public static class ImagePaths
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
