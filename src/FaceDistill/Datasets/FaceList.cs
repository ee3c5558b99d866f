using System.Collections;
using System.Runtime.InteropServices;
using System.Text;
using FaceDistill.Files;

namespace FaceDistill.Datasets;

/// <summary>
/// A list of pictures in some tens of bytes each, which makes them as they are asked for: folders and identities are there once, names as bytes, and nothing
/// that no picture has.
/// </summary>
internal sealed class FaceList : IReadOnlyList<FaceImage>
{
    private readonly NameList _paths, _files;
    private readonly Strings _identities = new();
    private readonly int[] _identity;
    private readonly ContentHash[]? _hashes, _photos;
    private readonly int[]? _shown;
    private readonly (long Offset, long Length)[]? _parts;

    private FaceList(IReadOnlyList<FaceImage> images)
    {
        Count = images.Count;
        _identity = new int[Count];
        (_paths, _files) = (new NameList(Count), new NameList(Count));
        var all = images.AsEnumerable();
        _hashes = all.Any(i => !i.Hash.IsNone) ? new ContentHash[Count] : null;
        _photos = all.Any(i => !i.Photo.IsNone) ? new ContentHash[Count] : null;
        _shown = all.Any(i => i.Shown != 0) ? new int[Count] : null;
        _parts = all.Any(i => !i.Place.IsWhole) ? new (long, long)[Count] : null;
        HasPlaces = all.Any(i => i.Place.File is not null);
        int at = 0;
        foreach (var image in images)
        {
            _identity[at] = _identities.NumberOf(image.Identity);
            Put(_hashes, at, image.Hash);
            Put(_photos, at, image.Photo);
            Put(_shown, at, image.Shown);
            Put(_parts, at, (image.Place.Offset, image.Place.Length));
            _paths.Add(image.Path);
            if (HasPlaces)
            {
                _files.Add(Shortened(image));
            }

            at++;
        }
    }

    /// <inheritdoc/>
    public int Count { get; }

    private bool HasPlaces { get; }

    /// <inheritdoc/>
    public FaceImage this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            var (offset, length) = _parts?[index] ?? default;
            return new FaceImage(_paths[index], _identities[_identity[index]])
            {
                Hash = _hashes?[index] ?? default,
                Photo = _photos?[index] ?? default,
                Shown = _shown?[index] ?? 0,
                Place = HasPlaces && _files[index] is { Length: > 0 } file ? new FilePlace(Whole(file, index), offset, length) : default,
            };
        }
    }

    // The name of a face in the cache says what is known of it anyway: its folder alone is kept.
    private static string Shortened(FaceImage image) => image.Place.File is not { } file ? ""
        : !image.Photo.IsNone && !image.Hash.IsNone && Path.GetDirectoryName(file) is { } folder && Path.GetDirectoryName(folder) is { } cache
            && AlignedCache.FileOf(cache, image.Photo, image.Hash, image.Shown) == file ? folder + Path.DirectorySeparatorChar
        : file;

    private string Whole(string file, int index) => !Path.EndsInDirectorySeparator(file) ? file
        : AlignedCache.FileOf(Path.GetDirectoryName(Path.GetDirectoryName(file))!, _photos![index], _hashes![index], _shown?[index] ?? 0);

    /// <summary>The same pictures in such a list.</summary>
    public static FaceList Of(IReadOnlyList<FaceImage> images) => images as FaceList ?? new FaceList(images);

    /// <inheritdoc/>
    public IEnumerator<FaceImage> GetEnumerator() => Enumerable.Range(0, Count).Select(i => this[i]).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static void Put<T>(T[]? column, int at, T value)
    {
        if (column is not null)
        {
            column[at] = value;
        }
    }

    // Texts that come again and again, each once.
    private sealed class Strings
    {
        private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
        private readonly List<string> _all = [];

        public string this[int number] => _all[number];

        public int NumberOf(ReadOnlySpan<char> text)
        {
            var numbers = _numbers.GetAlternateLookup<ReadOnlySpan<char>>();
            if (!numbers.TryGetValue(text, out int number))
            {
                number = _all.Count;
                _all.Add(text.ToString());
                _numbers.Add(_all[^1], number);
            }

            return number;
        }
    }

    // Paths: the folder by its number, the name as bytes, one a character where no character needs two.
    private sealed class NameList(int count)
    {
        private const int BlockNames = 1024;
        private readonly Strings _folders = new();
        private readonly int[] _folder = new int[count], _end = new int[count];
        private readonly List<(byte[] Names, bool Wide)> _blocks = [];
        private readonly StringBuilder _open = new();
        private int _count;

        public string this[int index]
        {
            get
            {
                var (names, wide) = _blocks[index / BlockNames];
                int start = index % BlockNames == 0 ? 0 : _end[index - 1], length = _end[index] - start;
                string folder = _folders[_folder[index]];
                return string.Create(folder.Length + length, (folder, names, wide, start), static (text, from) =>
                {
                    from.folder.CopyTo(text);
                    var name = text[from.folder.Length..];
                    if (from.wide)
                    {
                        MemoryMarshal.Cast<byte, char>(from.names).Slice(from.start, name.Length).CopyTo(name);
                    }
                    else
                    {
                        Encoding.Latin1.GetChars(from.names.AsSpan(from.start, name.Length), name);
                    }
                });
            }
        }

        public void Add(string path)
        {
            int name = path.AsSpan().LastIndexOfAny('/', Path.DirectorySeparatorChar) + 1;
            _open.Append(path, name, path.Length - name);
            _folder[_count] = _folders.NumberOf(path.AsSpan(0, name));
            _end[_count++] = _open.Length;
            if (_count % BlockNames == 0 || _count == count)
            {
                string names = _open.ToString();
                bool wide = names.AsSpan().ContainsAnyExceptInRange('\0', '\u00ff');
                _blocks.Add((wide ? MemoryMarshal.AsBytes(names.AsSpan()).ToArray() : Encoding.Latin1.GetBytes(names),
                    wide));
                _open.Clear();
            }
        }
    }
}
