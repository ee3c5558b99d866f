using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;

namespace FaceDistill.Datasets;

/// <summary>What aligning a folder came to.</summary>
/// <param name="Faces">The aligned faces.</param>
/// <param name="Aligned">Pictures aligned, now or by an earlier run.</param>
/// <param name="Reused">Of these, how many an earlier run had done.</param>
/// <param name="Skipped">Files left out, with the reason, in ordinal order of their paths.</param>
public sealed record FolderAlignment(AlignedFaces Faces, int Aligned, int Reused, IReadOnlyList<(string Path, string Reason)> Skipped);

/// <summary>
/// Aligns every photo below a folder into another folder, under the photos' names. Pictures are renamed into place when whole, so that
/// a run that was killed is continued by the next one with the same settings.
/// </summary>
/// <param name="aligner">Finds and aligns.</param>
internal sealed class FolderAligner(PhotoAligner aligner)
{
    /// <summary>Aligns a folder; what an earlier run with the same settings made of the same photos is kept.</summary>
    /// <param name="raw">The photos.</param>
    /// <param name="output">The folder to fill.</param>
    /// <param name="job">Told of every picture.</param>
    /// <exception cref="FaceDistillException">The output folder lies among the photos or holds something else, a photo cannot be read, or none shows a
    /// face.</exception>
    public FolderAlignment Run(FaceDataset raw, string output, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(raw);
        if (raw.Images.Count == 0)
        {
            throw new FaceDistillException($"{raw.Root} has no picture ({string.Join(' ', PictureFile.Extensions)})");
        }

        AlignedFolder.RefuseWithin(raw, output);
        using var held = FolderLock.Take(output);
        var folder = new AlignedFolder(raw, output);
        Prepare(raw, output, folder);
        PhotoFace[] photos;
        int reused;
        try
        {
            var found = aligner.Find(raw, folder, job);
            reused = found.Count(f => f.File is not null);
            photos = aligner.Align(raw, found, folder, job);
            folder.Forget(Enumerable.Range(0, photos.Length).Where(i => photos[i].File is null));
        }
        finally
        {
            folder.WriteIndex();
        }

        List<(string Path, string Reason)> skipped = Skipped(raw, photos);
        if (photos.All(p => p.File is null))
        {
            throw new FaceDistillException($"no photo in {raw.Root} shows a face (first: {skipped[0].Path}: {skipped[0].Reason})");
        }

        AtomicFile.WriteText(Path.Combine(output, AlignmentManifest.SkippedFileName), Csv.Text("path,reason", skipped.Select(s => new[] { s.Path, s.Reason })));
        aligner.Manifest(raw.Root, complete: true).Write(output);
        return new FolderAlignment(AlignedFaces.Open(output), photos.Count(p => p.File is not null), reused, skipped);
    }

    /// <summary>What was left out of a folder, in ordinal order of the paths.</summary>
    /// <param name="raw">The folder.</param>
    /// <param name="photos">What became of its pictures.</param>
    internal static List<(string Path, string Reason)> Skipped(FaceDataset raw, PhotoFace[] photos) =>
    [
        .. raw.Others.Concat(raw.Images.Zip(photos).Where(p => p.Second.Reason is not null).Select(p => (p.First.Path, p.Second.Reason!)))
            .OrderBy(s => s.Path, StringComparer.Ordinal),
    ];

    private void Prepare(FaceDataset raw, string output, AlignedFolder folder)
    {
        var wanted = aligner.Manifest(raw.Root, complete: false);
        Leftovers.Sweep(output); // of a run that was killed while it wrote its first file
        if (!AlignmentManifest.In(output))
        {
            if (Directory.EnumerateFileSystemEntries(output).Any(p => Path.GetFileName(p) != FolderLock.FileName))
            {
                throw new FaceDistillException($"{output} already holds other files; choose an empty --output");
            }

            wanted.Write(output);
            return;
        }

        var found = JsonFile.Read<AlignmentManifest>(Path.Combine(output, AlignmentManifest.FileName));
        if (found with { Complete = false, Source = wanted.Source } != wanted) // the photos may have been moved
        {
            throw new FaceDistillException(
                $"{output} holds faces of {found.Source} aligned otherwise ({found.Template} at {found.Size}); choose another --output or delete it");
        }

        folder.RefuseOthers();
        wanted.Write(output);
    }
}

/// <summary>
/// The faces of a folder of photos under the photos' names, with faces.csv, which says from what content each was made: a photo that was replaced is
/// noticed whatever its date says.
/// </summary>
internal sealed class AlignedFolder : IPhotoFaces
{
    /// <summary>The index: a face's path, its photo's content and its own.</summary>
    public const string IndexName = "faces.csv";

    private const string Header = "path,photo,face";
    private const int FewestBetweenWrites = 500;
    private readonly FaceDataset _raw;
    private readonly string _output;
    private readonly string[] _names;
    private readonly HashSet<string> _known;
    private readonly Dictionary<string, (ContentHash Photo, ContentHash Face)> _index;
    private int _unwritten;

    /// <summary>Prepares the faces of a folder of photos.</summary>
    /// <exception cref="FaceDistillException">The index is damaged.</exception>
    public AlignedFolder(FaceDataset raw, string output)
    {
        (_raw, _output, _names) = (raw, output, Names(raw));
        _known = _names.ToHashSet(StringComparer.Ordinal);
        _index = ReadIndex(output);
    }

    /// <summary>The names of the photos' faces: theirs, with the ending .jpg.</summary>
    public static string[] Names(FaceDataset raw)
    {
        ArgumentNullException.ThrowIfNull(raw);
        // Two photos that differ only in their ending must not overwrite each other.
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        return [.. raw.Images.Select(image =>
        {
            string name = Path.ChangeExtension(image.Path, ".jpg");
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

    /// <summary>The index of a folder: for each face's path its photo's content and its own; empty where there is none.</summary>
    /// <exception cref="FaceDistillException">It is damaged.</exception>
    public static Dictionary<string, (ContentHash Photo, ContentHash Face)> ReadIndex(string folder)
    {
        var index = new Dictionary<string, (ContentHash, ContentHash)>(StringComparer.Ordinal);
        string path = Path.Combine(folder, IndexName);
        if (!File.Exists(path))
        {
            return index;
        }

        using var reader = new ListReader(path);
        foreach (var row in Csv.Rows(reader, path).Skip(1))
        {
            if (row.Fields.Count != 3 || !ContentHash.TryParse(row.Fields[1], out var photo) || !ContentHash.TryParse(row.Fields[2], out var face))
            {
                throw new FaceDistillException(
                    $"{path} line {row.Line}: not a path and two hashes; delete the file and run the same 'facedistill align' again");
            }

            index[row.Fields[0]] = (photo, face);
        }

        return index;
    }

    /// <inheritdoc/>
    public PhotoFace? Find(int index, ContentHash photo)
    {
        string name = _names[index], file = Path.Combine(_output, name);
        (ContentHash Photo, ContentHash Face) made;
        lock (_index)
        {
            if (!_index.TryGetValue(name, out made) || made.Photo != photo)
            {
                return null;
            }
        }

        return File.Exists(file) && ContentHash.Of(FileBytes.Read(file)) == made.Face ? new PhotoFace(photo, made.Face, file, null) : null;
    }

    /// <inheritdoc/>
    public PhotoFace Put(int index, ContentHash photo, byte[]? jpeg, string reason)
    {
        string name = _names[index], file = Path.Combine(_output, name);
        if (jpeg is null)
        {
            return new PhotoFace(photo, default, null, reason);
        }

        try
        {
            AtomicFile.WriteReplaceable(file, jpeg);
        }
        catch (FaceDistillException e) when (e.InnerException is PathTooLongException)
        {
            return new PhotoFace(photo, default, null, "the name of its face would be too long");
        }

        var face = ContentHash.Of(jpeg);
        lock (_index)
        {
            _index[name] = (photo, face);
            if (++_unwritten >= Math.Max(FewestBetweenWrites, _names.Length / 50))
            {
                WriteIndex();
            }
        }

        return new PhotoFace(photo, face, file, null);
    }

    /// <summary>Writes the index, as it is now.</summary>
    /// <exception cref="FaceDistillException">It cannot be written.</exception>
    public void WriteIndex()
    {
        lock (_index)
        {
            AtomicFile.WriteText(Path.Combine(_output, IndexName), Csv.Text(
                Header, _index.Where(face => _known.Contains(face.Key)).OrderBy(face => face.Key, StringComparer.Ordinal)
                    .Select(face => new object[] { face.Key, face.Value.Photo, face.Value.Face })));
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
            Delete(Path.Combine(_output, name));
            _index.Remove(name);
        }
    }

    /// <summary>Checks that an earlier run left no face of a photo that is gone.</summary>
    /// <exception cref="FaceDistillException">There is one; the message names it.</exception>
    public void RefuseOthers()
    {
        var other = FaceDataset.List(_output).Images.FirstOrDefault(face => !_known.Contains(face.Path));
        if (other.Path is not null)
        {
            throw new FaceDistillException(
                $"{_output} holds {other.Path}, a face of no photo in {_raw.Root}; delete it, or choose another --output");
        }
    }

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
