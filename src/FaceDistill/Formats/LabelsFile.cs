using System.Text;

namespace FaceDistill.Formats;

/// <summary>The identities that belong to the rows of a matrix: a UTF-8 text file, one identity a line.</summary>
public static class LabelsFile
{
    /// <summary>Reads the identities; white space around them does not count.</summary>
    /// <param name="path">The file.</param>
    /// <param name="count">How many there must be.</param>
    /// <exception cref="FaceDistillException">Missing, not UTF-8, an empty line, or another count; the message names file and row.</exception>
    public static string[] Read(string path, int count)
    {
        var labels = new List<string>();
        try
        {
            foreach (string line in File.ReadLines(path, new UTF8Encoding(false, throwOnInvalidBytes: true)))
            {
                if (labels.Count == count)
                {
                    throw new FaceDistillException($"{path} line {count + 1}: more identities than the {count} embeddings");
                }

                string label = line.Trim();
                labels.Add(label.Length > 0 ? label : throw new FaceDistillException($"{path} line {labels.Count + 1}: no identity"));
            }
        }
        catch (DecoderFallbackException e)
        {
            throw new FaceDistillException($"{path} is not UTF-8 text (after line {labels.Count}); save it as UTF-8", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read {path}: {e.Message}", e);
        }

        return labels.Count == count ? [.. labels]
            : throw new FaceDistillException($"{path} ends at line {labels.Count}; there are {count} embeddings, one identity a line");
    }
}
