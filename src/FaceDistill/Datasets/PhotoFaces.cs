using System.Collections.Concurrent;
using System.Text;
using FaceDistill.Assets;
using FaceDistill.Faces;
using FaceDistill.Files;

namespace FaceDistill.Datasets;

/// <summary>What became of a photo.</summary>
/// <param name="Photo">Its content; none where it could not be read.</param>
/// <param name="Face">The content of its aligned face; none where there is no face.</param>
/// <param name="Reason">Why there is none; null where there is one.</param>
internal readonly record struct PhotoFace(ContentHash Photo, ContentHash Face, string? Reason)
{
    /// <summary>How many faces the photo shows; 0 where there is none, or nobody counted.</summary>
    public int Shown { get; init; }

    /// <summary>Whether nothing is known of its face yet.</summary>
    public bool IsToAlign => !HasFace && Reason is null;

    /// <summary>Whether there is a face.</summary>
    public bool HasFace => !Face.IsNone;
}

/// <summary>Keeps the faces of photos, each known by its photo's content.</summary>
internal interface IPhotoFaces
{
    /// <summary>What is kept of a photo, compared with the content that it had when it was put there; null where there is nothing, or junk.</summary>
    /// <param name="index">The photo's place in its list.</param>
    /// <param name="photo">Its content.</param>
    /// <param name="content">Tells the content of a face's file.</param>
    PhotoFace? Find(int index, ContentHash photo, Func<FilePlace, ContentHash> content);

    /// <summary>Keeps a photo's face, or that it shows none.</summary>
    /// <param name="index">The photo's place in its list.</param>
    /// <param name="photo">Its content.</param>
    /// <param name="faces">The face, and what else was asked for; null for none.</param>
    /// <param name="reason">Why there is none; not looked at where there is one.</param>
    /// <exception cref="FaceDistillException">It cannot be written.</exception>
    PhotoFace Put(int index, ContentHash photo, PhotoJpegs? faces, string reason);
}

/// <summary>The aligned faces of one photo.</summary>
/// <param name="Face">The face that the photo is of, as a JPEG file.</param>
/// <param name="Shown">How many faces the photo shows.</param>
/// <param name="Others">The other faces, from the largest to the smallest, where they are wanted.</param>
internal sealed record PhotoJpegs(byte[] Face, int Shown, IReadOnlyList<byte[]> Others);

/// <summary>
/// The cache's aligned faces: one folder for each way of aligning, which only grows. A face's file is called by its photo's content and its own
/// with the number of faces that the photo shows (PHOTO-FACE-N.jpg), so that a copied or renamed photo is aligned once, a photo that was replaced is noticed
/// whatever its date says, and so is a face that
/// was altered or deleted; PHOTO-none.txt says why a photo gave no face.
/// </summary>
internal sealed class AlignedCache : IPhotoFaces
{
    private const string None = "none", Ending = ".jpg", NoneEnding = ".txt";
    private const int Digits = 32;
    private readonly string _folder;
    private readonly Dictionary<ContentHash, (string Folder, ContentHash Face, int Shown)> _files = [];
    private readonly ConcurrentDictionary<ContentHash, string> _junk = new();

    private AlignedCache(string folder) => _folder = folder;

    /// <summary>The folder in which faces are put.</summary>
    public string Folder => _folder;

    /// <summary>Opens the faces that are aligned in one way.</summary>
    /// <param name="manifest">How.</param>
    public static AlignedCache Open(AlignmentManifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        string name = InvariantText.Of($"{manifest.Template}{manifest.Size}-{manifest.Hash()[..12]}");
        var cache = new AlignedCache(Path.Combine(CacheFolder.Root, "aligned", name));
        foreach (string root in CacheFolder.Roots)
        {
            cache.Index(Path.Combine(root, "aligned", name));
        }

        return cache;
    }

    /// <summary>The file of a face that was found or put.</summary>
    public string FileOf(PhotoFace made) => FileOf(
        _files.TryGetValue(made.Photo, out var file) && (file.Face, file.Shown) == (made.Face, made.Shown) ? file.Folder : _folder, made.Photo, made.Face,
        made.Shown);

    /// <summary>A face's file below a folder.</summary>
    public static string FileOf(string folder, ContentHash photo, ContentHash face, int shown)
    {
        string digits = photo.ToString();
        return Path.Combine(folder, digits[..2], face.IsNone ? $"{digits}-{None}{NoneEnding}" : InvariantText.Of($"{digits}-{face}-{shown}{Ending}"));
    }

    /// <inheritdoc/>
    public PhotoFace? Find(int index, ContentHash photo, Func<FilePlace, ContentHash> content)
    {
        ArgumentNullException.ThrowIfNull(content);
        if (!_files.TryGetValue(photo, out var kept))
        {
            return null;
        }

        string file = FileOf(kept.Folder, photo, kept.Face, kept.Shown);
        try
        {
            if (kept.Face.IsNone && Encoding.UTF8.GetString(FileBytes.Read(file)).Split('\n') is [var reason, var seal] && seal == Seal(photo, reason))
            {
                return new PhotoFace(photo, default, reason);
            }

            if (!kept.Face.IsNone && content(file) == kept.Face)
            {
                return new PhotoFace(photo, kept.Face, null) { Shown = kept.Shown };
            }

            _junk[photo] = file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Deleted since it was listed, or not ours to read: the photo is aligned again.
        }

        return null;
    }

    /// <inheritdoc/>
    public PhotoFace Put(int index, ContentHash photo, PhotoJpegs? faces, string reason)
    {
        byte[]? jpeg = faces?.Face;
        var made = new PhotoFace(photo, jpeg is null ? default : ContentHash.Of(jpeg), jpeg is null ? reason : null) { Shown = faces?.Shown ?? 0 };
        string file = FileOf(_folder, photo, made.Face, made.Shown);
        if (_junk.TryRemove(photo, out string? junk) && junk != file)
        {
            DeleteJunk(junk); // it would be found again
        }

        AtomicFile.WriteReplaceable(file, jpeg ?? Encoding.UTF8.GetBytes($"{reason}\n{Seal(photo, reason)}"));
        return made;
    }

    private static void DeleteJunk(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not ours to delete: the photo is aligned once more each time.
        }
    }

    private static string Seal(ContentHash photo, string reason) => ContentHash.Of(Encoding.UTF8.GetBytes($"{photo} {reason}")).ToString();

    private void Index(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return;
        }

        // One folder deep: a link in a cache leads nowhere else.
        var faces = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            MaxRecursionDepth = 1,
            AttributesToSkip = FileAttributes.None,
            IgnoreInaccessible = false,
        };
        foreach (string file in Directory.EnumerateFiles(folder, "*-*", faces))
        {
            var name = Path.GetFileNameWithoutExtension(file.AsSpan());
            (string Folder, ContentHash Face, int Shown) kept = (folder, default, 0);
            var rest = name[Math.Min(name.Length, Digits + 1)..];
            bool face = file.EndsWith(Ending, StringComparison.Ordinal) && rest.Length > Digits + 1 && rest[Digits] == '-'
                && ContentHash.TryParse(rest[..Digits], out kept.Face) && InvariantNumber.Count(rest[(Digits + 1)..].ToString(), out kept.Shown);
            // Of several of a photo a face counts before a word that there is none.
            if ((face || (rest is None && file.EndsWith(NoneEnding, StringComparison.Ordinal))) && ContentHash.TryParse(name[..Digits], out var photo)
                && (!_files.TryGetValue(photo, out var before) || kept.Face.Bits > before.Face.Bits))
            {
                _files[photo] = kept;
            }
        }
    }
}
