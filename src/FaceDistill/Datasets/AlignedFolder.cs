using System.Text.RegularExpressions;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;

namespace FaceDistill.Datasets;

/// <summary>
/// The faces of a folder of photos under the photos' names, with faces.csv, which says from what content each was made: a photo that was replaced is
/// noticed whatever its date says.
/// </summary>
internal sealed partial class AlignedFolder : IPhotoFaces
{
    /// <summary>The index: a face's path, its photo's content and its own, and how many faces the photo shows (no earlier version told).</summary>
    public const string IndexName = "faces.csv";

    private const string Header = "path,photo,face,faces";
    private const int FewestBetweenWrites = 500;
    private readonly FaceDataset _raw;
    private readonly string _output, _indexFile;
    private readonly string[] _names;
    private readonly HashSet<string> _known, _taken; // _taken: as a disk sees them that knows no upper case
    private readonly bool _all;
    private readonly Dictionary<string, (ContentHash Photo, ContentHash Face, int Shown)> _index;
    private readonly HashSet<string> _others; // faces beside the ones that photos are of
    private int _unwritten;

    /// <summary>Prepares the faces of a folder of photos.</summary>
    /// <param name="raw">The photos.</param>
    /// <param name="output">The faces' folder.</param>
    /// <param name="all">Whether it holds every face of a photo: those beside NAME.jpg are NAME.2.jpg, NAME.3.jpg, ...</param>
    /// <param name="part">The part of the photos whose faces are put here, in the order of these; null for all.</param>
    /// <param name="index">The faces that are there; null to read what the folder says.</param>
    /// <exception cref="FaceDistillException">The index is damaged.</exception>
    public AlignedFolder(
        FaceDataset raw, string output, bool all = false, DataShard? part = null,
        Dictionary<string, (ContentHash Photo, ContentHash Face, int Shown)>? index = null)
    {
        (_raw, _output, _all) = (raw, output, all);
        string[] names = Names(raw);
        _names = part is null ? names : [.. names.Where((_, i) => part.Has(raw.Images[i].Path))];
        _indexFile = part is null ? Path.Combine(output, IndexName) : AlignedParts.IndexOf(output, part);
        (_known, _taken) = (_names.ToHashSet(StringComparer.Ordinal), names.ToHashSet(StringComparer.OrdinalIgnoreCase));
        _index = index ?? ReadIndices([Path.Combine(output, IndexName), .. AlignedParts.Indices(output)]);
        var others = all ? _names.Where(_index.ContainsKey).SelectMany(name => Paths(name, _index[name].Shown).Skip(1)) : [];
        _others = others.Where(_index.ContainsKey).ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>The names of the photos' faces: theirs, with the ending .jpg.</summary>
    public static string[] Names(FaceDataset raw)
    {
        ArgumentNullException.ThrowIfNull(raw);
        // Two photos that differ only in their ending must not overwrite each other.
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        return [.. raw.Images.Select(image =>
        {
            // A picture in a file of many has no ending: a dot is of its name, as in part-0.snappy-0000012.
            string name = PictureFile.IsPicture(Path.GetExtension(image.Path)) ? Path.ChangeExtension(image.Path, ".jpg") : image.Path + ".jpg";
            for (string longer = image.Path + ".jpg"; !seen.Add(name); longer += ".jpg")
            {
                name = longer;
            }

            return name;
        })];
    }

    /// <summary>Refuses an output among the photos, where the next run would take it for photos.</summary>
    /// <exception cref="FaceDistillException">It lies there.</exception>
    public static void RefuseWithin(FaceDataset raw, string output)
    {
        if (raw.Roots.Any(root => RealPath.Within(output, root)))
        {
            throw new FaceDistillException($"{output} lies within {raw.Root}; choose an --output outside the photos' folder");
        }
    }

    /// <summary>The index of a folder: for each face's path its photo's content, its own, and how many faces the photo shows (0 where an earlier version did
    /// not count); empty where there is none.</summary>
    /// <exception cref="FaceDistillException">It is damaged.</exception>
    public static Dictionary<string, (ContentHash Photo, ContentHash Face, int Shown)> ReadIndex(string folder) =>
        ReadIndices([Path.Combine(folder, IndexName)]);

    /// <summary>The same of several files, of which some may not be there; the last that names a face counts.</summary>
    /// <exception cref="FaceDistillException">One is damaged.</exception>
    public static Dictionary<string, (ContentHash Photo, ContentHash Face, int Shown)> ReadIndices(IEnumerable<string> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        var index = new Dictionary<string, (ContentHash, ContentHash, int)>(StringComparer.Ordinal);
        foreach (string file in files.Where(File.Exists))
        {
            Read(file, index);
        }

        return index;
    }

    /// <summary>The faces of a folder that holds every face of its photos: the person whose folder it is stands in NAME.jpg, and who else is in the photo,
    /// in NAME.2.jpg, nobody said.</summary>
    /// <param name="faces">All its faces.</param>
    /// <returns>Them, the others without an identity.</returns>
    /// <exception cref="FaceDistillException">The index is damaged.</exception>
    public static FaceDataset WithoutNames(FaceDataset faces)
    {
        ArgumentNullException.ThrowIfNull(faces);
        var own = OwnFaces(faces.Root)!;
        return faces with { Images = [.. faces.Images.Select(i => own(i.Path) is not null ? i with { Identity = "" } : i)] };
    }

    /// <summary>Of a folder of all faces: from another face of a photo (NAME.2.jpg) to the photo's own (NAME.jpg), null from any else; null of others.
    /// </summary>
    /// <param name="root">The folder; null for none.</param>
    /// <exception cref="FaceDistillException">The index is damaged.</exception>
    public static Func<string, string?>? OwnFaces(string? root)
    {
        var index = root is not null && AlignmentManifest.In(root) && AlignmentManifest.Read(root).AllFaces ? ReadIndex(root) : null;
        return index is null ? null : path => Others().Match(path) is { Success: true } name && index.TryGetValue(path, out var face)
            && name.Groups["name"].Value + ".jpg" is var own && index.TryGetValue(own, out var first) && first.Photo == face.Photo && first.Shown > 1
                ? own : null;
    }

    private static void Read(string path, Dictionary<string, (ContentHash Photo, ContentHash Face, int Shown)> index)
    {
        using var reader = new ListReader(path);
        foreach (var row in Csv.Rows(reader, path).Skip(1))
        {
            int shown = 0;
            if (row.Fields.Count is not (3 or 4) || !ContentHash.TryParse(row.Fields[1], out var photo) || !ContentHash.TryParse(row.Fields[2], out var face)
                || (row.Fields.Count == 4 && !InvariantNumber.Count(row.Fields[3], out shown)))
            {
                throw new FaceDistillException(
                    $"{path} line {row.Line}: not a path, two hashes and a number of faces; delete the file and run the same '{Hints.Command} align' again");
            }

            index[row.Fields[0]] = (photo, face, shown);
        }
    }

    /// <inheritdoc/>
    public PhotoFace? Find(int index, ContentHash photo, Func<FilePlace, ContentHash> content)
    {
        string name = _names[index];
        (ContentHash Photo, ContentHash Face, int Shown)[] made;
        lock (_index)
        {
            if (!_index.TryGetValue(name, out var first) || first.Shown == 0)
            {
                return null;
            }

            made = [.. Paths(name, _all ? first.Shown : 1).Select(path => _index.GetValueOrDefault(path))];
        }

        bool kept = made.Zip(Paths(name, made.Length)).All(m => m.First.Photo == photo && File.Exists(Path.Combine(_output, m.Second))
            && content(Path.Combine(_output, m.Second)) == m.First.Face);
        return kept ? new PhotoFace(photo, made[0].Face, null) { Shown = made[0].Shown } : null;
    }

    /// <inheritdoc/>
    public PhotoFace Put(int index, ContentHash photo, PhotoJpegs? faces, string reason)
    {
        string name = _names[index];
        if (faces is null)
        {
            return new PhotoFace(photo, default, reason);
        }

        byte[][] jpegs = [faces.Face, .. faces.Others];
        string[] paths = [.. Paths(name, jpegs.Length)];
        try
        {
            Array.ForEach([.. paths.Zip(jpegs)], face => AtomicFile.WriteReplaceable(Path.Combine(_output, face.First), face.Second));
        }
        catch (FaceDistillException e) when (e.InnerException is PathTooLongException)
        {
            return new PhotoFace(photo, default, "the name of its face would be too long");
        }

        lock (_index)
        {
            ForgetOthers(name, paths);
            foreach (var (path, jpeg) in paths.Zip(jpegs))
            {
                _index[path] = (photo, ContentHash.Of(jpeg), faces.Shown);
            }

            _others.UnionWith(paths[1..]);
            if (++_unwritten >= Math.Max(FewestBetweenWrites, _names.Length / 50))
            {
                WriteIndex();
            }
        }

        return new PhotoFace(photo, ContentHash.Of(faces.Face), null) { Shown = faces.Shown };
    }

    // NAME.jpg, NAME.2.jpg, ..., none of which is a photo's own.
    private IEnumerable<string> Paths(string name, int count)
    {
        yield return name;
        for (int i = 2; i <= count; i++)
        {
            string other = Path.ChangeExtension(name, InvariantText.Of($".{i}.jpg"));
            while (_taken.Contains(other))
            {
                other = Path.ChangeExtension(other, ".face.jpg");
            }

            yield return other;
        }
    }

    // The other faces of a photo that shows fewer now.
    private void ForgetOthers(string name, string[] kept)
    {
        int shown = _index.TryGetValue(name, out var before) ? before.Shown : 0;
        foreach (string other in Paths(name, shown).Where(path => _others.Contains(path) && !kept.Contains(path)))
        {
            Delete(Path.Combine(_output, other));
            _index.Remove(other);
            _others.Remove(other);
        }
    }

    /// <summary>Writes the index, as it is now.</summary>
    /// <exception cref="FaceDistillException">It cannot be written.</exception>
    public void WriteIndex()
    {
        lock (_index)
        {
            AtomicFile.WriteText(_indexFile, Csv.Text(
                Header, _index.Where(face => IsOurs(face.Key)).OrderBy(face => face.Key, StringComparer.Ordinal)
                    .Select(face => new object[] { face.Key, face.Value.Photo, face.Value.Face, face.Value.Shown })));
            _unwritten = 0;
        }
    }

    /// <summary>Deletes what an earlier run made of photos that show no face any more.</summary>
    /// <param name="photos">Their places in the list.</param>
    /// <exception cref="FaceDistillException">A face cannot be deleted.</exception>
    public void Forget(IEnumerable<int> photos)
    {
        foreach (string name in photos.Select(i => _names[i]))
        {
            ForgetOthers(name, []);
            Delete(Path.Combine(_output, name));
            _index.Remove(name);
        }
    }

    /// <summary>Whether each photo's face is in the index, but for those that are known to show none.</summary>
    public bool Accounts(IEnumerable<(string Path, string Reason)> skipped)
    {
        var without = skipped.Select(s => s.Path).ToHashSet(StringComparer.Ordinal);
        return _raw.Images.Zip(_names).All(p => _index.ContainsKey(p.Second) || without.Contains(p.First.Path));
    }

    /// <summary>How many faces the index has, how many photos of several, and how many other faces of these.</summary>
    public (int Faces, int Several, int Others) Counts()
    {
        var faces = _names.Where(_index.ContainsKey).Select(name => _index[name].Shown).ToList();
        return (faces.Count, faces.Count(shown => shown > 1), _others.Count);
    }

    /// <summary>Checks that an earlier run left no face of a photo that is gone.</summary>
    /// <param name="begun">Whether the index may lack what a run wrote that was killed: other faces of a photo that is there.</param>
    /// <exception cref="FaceDistillException">There is one; the message names it.</exception>
    public void RefuseOthers(bool begun = false)
    {
        var other = FaceDataset.List(_output).Images.FirstOrDefault(face => !IsOurs(face.Path)
            && !(begun && _all && Others().Match(face.Path) is { Success: true } name && _known.Contains(name.Groups["name"].Value + ".jpg")));
        if (other.Path is not null)
        {
            throw new FaceDistillException(
                $"{_output} holds {other.Path}, a face of no photo in {_raw.Root}; delete it, or choose another --output");
        }
    }

    [GeneratedRegex(@"^(?<name>.+)\.[0-9]+(\.face)*\.jpg\z", RegexOptions.Singleline)]
    private static partial Regex Others();

    private bool IsOurs(string path) => _known.Contains(path) || _others.Contains(path);

    private static void Delete(string face)
    {
        try
        {
            File.Delete(face);
        }
        catch (Exception e) when (e is DirectoryNotFoundException or PathTooLongException)
        {
            // It was never made.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot delete {face}, whose photo has changed: {e.Message}", e);
        }
    }
}
