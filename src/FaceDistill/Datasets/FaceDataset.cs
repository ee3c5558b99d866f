using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;

namespace FaceDistill.Datasets;

/// <summary>One picture of a data set.</summary>
/// <param name="Path">Relative to the data set's root, with '/' between folders.</param>
/// <param name="Identity">The folder that it lies in: a person; empty where it lies in the root.</param>
public readonly record struct FaceImage(string Path, string Identity)
{
    /// <summary>What the picture is known by: its file's content; none until <see cref="AlignedFaces.Hashed"/>.</summary>
    internal ContentHash Hash { get; init; }

    /// <summary>The content of the photo that it was aligned from; none where that is not known.</summary>
    internal ContentHash Photo { get; init; }

    /// <summary>How many faces its photo shows; 0 where that is not known.</summary>
    internal int Shown { get; init; }

    /// <summary>Where it lies, in a file of its own or of many; none for <see cref="Path"/> in the data set's root.</summary>
    internal FilePlace Place { get; init; }

    /// <summary>64 bits of its content, by which its random views are drawn, whatever it is called and whatever else is trained on.</summary>
    /// <exception cref="InvalidOperationException">The content is not known yet.</exception>
    public long Key => Hash.IsNone ? throw new InvalidOperationException($"{Path} was not hashed") : Hash.Seed;
}

/// <summary>
/// The pictures below a folder, in ordinal order of their paths; a sub-folder's name is the identity of what lies in it. Or those in a file of many
/// (<see cref="PictureArchive"/>), whose paths are made of their labels in the same way.
/// </summary>
/// <param name="Root">The folder, or the file.</param>
/// <param name="Images">The pictures.</param>
/// <param name="Others">What else lies there, which is not read (relative paths), with the reason.</param>
public sealed record FaceDataset(string Root, IReadOnlyList<FaceImage> Images, IReadOnlyList<(string Path, string Reason)> Others)
{
    /// <summary>The pictures; each is made when it is asked for.</summary>
    public IReadOnlyList<FaceImage> Images { get; init => field = FaceList.Of(value); } = FaceList.Of(Images);

    /// <summary>What may be a picture, or hold some, and cannot be reached; null where there is nothing of the kind.</summary>
    internal (string Path, string Reason)? Unreachable { get; private init; }

    /// <summary>The real paths of the folder and of those that links in it led to.</summary>
    internal IReadOnlyList<string> Roots { get; init; } = [];

    /// <summary>The template that the pictures are aligned to, where their format says so; null where it does not.</summary>
    internal string? Template { get; init; }

    /// <summary>Lists a folder, of which nothing is opened, or a file of many pictures (or a folder of such), of which none is decoded but the first.</summary>
    /// <remarks>Links to pictures and to folders of pictures are followed, but to no folder that holds the link (<see cref="FolderFiles"/>).</remarks>
    /// <exception cref="FaceDistillException">It is missing, cannot be read, or is damaged.</exception>
    public static FaceDataset List(string root) => List(root, JobContext.None);

    /// <summary>As <see cref="List(string)"/>.</summary>
    /// <param name="root">The folder or the file.</param>
    /// <param name="job">Told how far a large file is read, and stops it.</param>
    /// <exception cref="FaceDistillException">It is missing, cannot be read, or is damaged.</exception>
    internal static FaceDataset List(string root, JobContext job)
    {
        // One spelling of a folder, with or without a separator at its end: it names caches and stands in manifests.
        string full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(root));
        if (!Directory.Exists(root))
        {
            return System.IO.File.Exists(full) ? PictureArchive.Open(full, [full], job) : throw new FaceDistillException($"no folder {root}");
        }

        var listing = FolderFiles.List(full);
        var files = listing.Files.ToLookup(f => f.Reason is null && PictureFile.IsPicture(f.Path));
        if (PictureArchive.In(full, listing.Files, files[true].Any()) is { Count: > 0 } archives)
        {
            return PictureArchive.Open(archives.Count == 1 ? archives[0] : full, archives, job) with { Roots = listing.Roots };
        }

        var unreachable = files[false].Where(f => f.Unknown || PictureFile.IsPicture(f.Path)).Take(1).ToList();
        return new FaceDataset(
            full,
            [.. files[true].Select(f => new FaceImage(f.Path, IdentityOf(f.Path)))],
            [.. files[false].Select(f => (f.Path, f.Reason ?? AlignmentManifest.NotAPicture))])
        {
            Roots = listing.Roots,
            Unreachable = unreachable.Count == 0 ? null : (unreachable[0].Path, unreachable[0].Reason!),
        };
    }

    /// <summary>The pictures whose paths are chosen; all where nothing chooses.</summary>
    internal FaceDataset Chosen(PictureChoice? only) => only is null ? this : this with { Images = [.. Images.Where(i => only.Has(i.Path))] };

    internal FaceDataset Of(DataShard? shard) => shard is null ? this : this with { Images = [.. Images.Where(i => shard.Has(i.Path))] };

    /// <summary>Refuses a folder in which there may be pictures that cannot be reached.</summary>
    /// <exception cref="FaceDistillException">There is one; the message names it.</exception>
    internal FaceDataset Whole() => Unreachable is not { } picture ? this
        : throw new FaceDistillException(
            $"{System.IO.Path.Combine(Root, picture.Path)}: {picture.Reason}; take it out of the folder or align the photos again");

    /// <summary>What the folder is known by: SHA-256 over path and content of each picture, 64 lower-case hexadecimal digits.</summary>
    /// <param name="job">Stops it.</param>
    /// <exception cref="FaceDistillException">A picture cannot be read.</exception>
    internal string ContentId(JobContext job)
    {
        var hashes = new ContentHash[Images.Count];
        var contents = KnownContents.Open(Root);
        var options = new ParallelOptions { CancellationToken = job.Cancel, MaxDegreeOfParallelism = Environment.ProcessorCount };
        try
        {
            Parallel.For(0, hashes.Length, options, i => hashes[i] = Images[i].Hash.IsNone ? contents.Of(Place(Images[i]), Content) : Images[i].Hash);
        }
        catch (AggregateException e) when (e.InnerExceptions.OfType<FaceDistillException>().FirstOrDefault() is { } first)
        {
            throw new FaceDistillException(first.Message, e);
        }

        contents.Keep(job);
        return FaceSetId.Of(Images.Select((image, i) => (hashes[i], image.Path)));
    }

    /// <summary>A file's content.</summary>
    /// <exception cref="FaceDistillException">It cannot be read.</exception>
    internal static ContentHash Content(FilePlace place)
    {
        try
        {
            return FileBytes.Patiently(() => ContentHash.OfFile(place));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read {place}: {e.Message}; restore it or take it out of the folder", e);
        }
    }

    /// <summary>The picture's full path; of one in a file of many that of the file, and the picture's name in it.</summary>
    public string FullPath(FaceImage image) => image.Place is { File: { } file, IsWhole: true } ? file : System.IO.Path.Combine(Root, image.Path);

    /// <summary>Where the picture's bytes lie.</summary>
    internal FilePlace Place(FaceImage image) => image.Place is not { File: { } file, IsWhole: false } part ? FullPath(image)
        : part with
        {
            Name = FullPath(image) + (file.StartsWith(Root, StringComparison.Ordinal)
                ? InvariantText.Of($" (at byte {part.Offset} of {System.IO.Path.GetFileName(file)})") : ""), // what lies in the cache says nothing to a user
        };

    /// <summary>Whom a picture shows: the folder that it lies in.</summary>
    internal static string IdentityOf(string path)
    {
        int slash = path.LastIndexOf('/');
        return slash < 0 ? "" : path[..slash];
    }

    /// <summary>The person's name in an identity, by which data sets are compared: its last folder's; where that is a number, which is a person of the set or
    /// folder that it stands in alone, the whole identity.</summary>
    internal static string PersonOf(string identity)
    {
        string last = identity[(identity.LastIndexOf('/') + 1)..];
        return last.All(char.IsAsciiDigit) ? identity : last;
    }
}

/// <summary>Image paths that a user wrote, relative to a data set.</summary>
internal static class ImagePaths
{
    /// <summary>The path as data sets list it: '/' between folders, no "./" before it, no white space around it.</summary>
    /// <remarks>Where '\' can be a part of a name (not on Windows) it stays, and whoever looks the path up tries its <see cref="Spellings"/>.</remarks>
    public static string Normal(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        string normal = path.Trim().Replace(Path.DirectorySeparatorChar, '/');
        return normal.StartsWith("./", StringComparison.Ordinal) ? normal[2..] : normal;
    }

    /// <summary>What a path may mean, to be tried in this order: a name with '\' in it, or a path as lists made on Windows have it.</summary>
    public static IEnumerable<string> Spellings(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return path.Contains('\\', StringComparison.Ordinal) ? [path, Normal(path.Replace('\\', '/'))] : [path];
    }

    /// <summary>A path without a picture's extension, which aligning may change; "photo.2", which ends in none, stays as it is.</summary>
    public static string Stem(string path) => PictureFile.IsPicture(path) ? Path.ChangeExtension(path, null) : path;

    /// <summary>Reads a list of images, for example a gallery: one path a line, UTF-8; empty lines do not count.</summary>
    /// <returns>The paths, in the file's order.</returns>
    /// <exception cref="FaceDistillException">Missing, not UTF-8, empty, or a path comes twice; the message names file and line.</exception>
    public static IReadOnlyList<string> ReadList(string path)
    {
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        using var file = new ListReader(path);
        while (file.ReadLine() is { } text)
        {
            string image = Normal(text);
            if (image.Length > 0 && !lines.TryAdd(image, file.Line))
            {
                throw new FaceDistillException($"{path} line {file.Line}: {image} is on line {lines[image]} too; remove one");
            }
        }

        return lines.Count > 0 ? [.. lines.OrderBy(entry => entry.Value).Select(entry => entry.Key)]
            : throw new FaceDistillException($"{path} names no image; write one path a line");
    }
}
