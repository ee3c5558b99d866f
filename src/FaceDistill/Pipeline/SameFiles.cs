namespace FaceDistill.Pipeline;

/// <summary>Finds pictures whose photo, or aligned face, is byte for byte one that was added before.</summary>
internal sealed class SameFiles
{
    private readonly Dictionary<string, int> _photos = new(StringComparer.Ordinal), _aligned = new(StringComparer.Ordinal);

    /// <summary>Adds pictures, numbered from <paramref name="first"/>; those that were there already are returned, with the first of their like.</summary>
    public List<(int Row, int Other)> Add((string Photo, string Aligned)[] hashes, int first)
    {
        var found = new List<(int, int)>();
        for (int i = 0; i < hashes.Length; i++)
        {
            int other = Of(hashes[i]);
            if (other >= 0)
            {
                found.Add((first + i, other));
                continue;
            }

            _aligned.Add(hashes[i].Aligned, first + i);
            if (hashes[i].Photo.Length > 0)
            {
                _photos.Add(hashes[i].Photo, first + i);
            }
        }

        return found;
    }

    /// <summary>The pictures that are also among those added.</summary>
    public List<(int Row, int Other)> In((string Photo, string Aligned)[] hashes) =>
        [.. hashes.Select((hash, row) => (row, Of(hash))).Where(pair => pair.Item2 >= 0)];

    private int Of((string Photo, string Aligned) hash) =>
        _photos.TryGetValue(hash.Photo, out int photo) ? photo : _aligned.GetValueOrDefault(hash.Aligned, -1);
}
