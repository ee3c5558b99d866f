using FaceDistill.Teachers;

namespace FaceDistill.Evaluation;

/// <summary>
/// Finds the rows of a set by path. Extensions do not count, because aligning may change them, unless a set has two images
/// that differ in nothing else.
/// </summary>
internal sealed class PathIndex
{
    private const int Ambiguous = -2;
    private readonly EmbeddingSet _set;
    private readonly Dictionary<string, int> _exact;
    private readonly Dictionary<string, int> _stems;

    public PathIndex(EmbeddingSet set)
    {
        _set = set;
        _exact = new Dictionary<string, int>(set.Count, StringComparer.Ordinal);
        _stems = new Dictionary<string, int>(set.Count, StringComparer.Ordinal);
        for (int row = 0; row < set.Count; row++)
        {
            _exact.TryAdd(set.Paths[row], row); // UnitEmbeddings refuses a path that comes twice
            string stem = Stem(set.Paths[row]);
            _stems[stem] = _stems.ContainsKey(stem) ? Ambiguous : row;
        }
    }

    /// <summary>The row of an image, or -1.</summary>
    /// <exception cref="FaceDistillException">Several images fit and none exactly.</exception>
    public int Row(string path)
    {
        if (_exact.TryGetValue(path, out int row) || _stems.TryGetValue(path, out row) || _stems.TryGetValue(Stem(path), out row))
        {
            return row != Ambiguous ? row
                : throw new FaceDistillException($"{_set.Name}: {path} may be any of several images that differ in their extension; write it with the extension");
        }

        return -1;
    }

    /// <summary>For each row of a set, the row of another that is of the same image.</summary>
    /// <exception cref="FaceDistillException">One of the sets has an image that the other lacks.</exception>
    public static int[] Match(EmbeddingSet set, EmbeddingSet other)
    {
        var index = new PathIndex(other);
        int[] rows = Array.ConvertAll(set.Paths, index.Row);
        int missing = Array.IndexOf(rows, -1);
        if (missing >= 0 || set.Count != other.Count || rows.Distinct().Count() != rows.Length)
        {
            throw new FaceDistillException($"{set.Name} has {set.Count} images and {other.Name} has {other.Count}"
                + $"{(missing < 0 ? "" : $" without {set.Paths[missing]}")}; embed both from the same folder");
        }

        return rows;
    }

    private static string Stem(string path) => Path.ChangeExtension(path, null);
}
