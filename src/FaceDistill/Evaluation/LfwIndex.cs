using FaceDistill.Datasets;
using FaceDistill.Teachers;

namespace FaceDistill.Evaluation;

/// <summary>Finds the rows of a set by LFW image names.</summary>
internal sealed class LfwIndex
{
    private readonly Dictionary<string, int> _rows;

    /// <exception cref="FaceDistillException">Two paths have one name.</exception>
    public LfwIndex(EmbeddingSet set)
    {
        _rows = new Dictionary<string, int>(set.Count, StringComparer.Ordinal);
        for (int row = 0; row < set.Count; row++)
        {
            string name = LfwImage.NameOf(set.Paths[row]);
            if (!_rows.TryAdd(name, row))
            {
                throw new FaceDistillException($"{set.Name}: {set.Paths[row]} and {set.Paths[_rows[name]]} are both image {name}; keep one of them");
            }
        }
    }

    /// <summary>The row of an image, or -1.</summary>
    public int Row(string name) => _rows.GetValueOrDefault(name, -1);
}
