using System.Security.Cryptography;
using System.Text;
using FaceDistill.Faces;
using FaceDistill.Files;
using OpenCvSharp;

namespace FaceDistill.Datasets;

/// <summary>A data set of aligned faces together with how they were aligned.</summary>
/// <param name="Dataset">The pictures.</param>
/// <param name="Manifest">Their alignment.</param>
public sealed record AlignedFaces(FaceDataset Dataset, AlignmentManifest Manifest)
{
    /// <summary>Fewer faces or photos are read in some tenths of a second, which nobody needs to be told of.</summary>
    internal const int FewestTold = 2048;

    /// <summary>The faces that a list took out: the data set's name, a tab, and the path in it.</summary>
    public IReadOnlyList<string> Excluded { get; private init; } = [];

    /// <summary>The files that gave no face, with the reason: what is not there cannot be compared, and is to be told beside what was.</summary>
    public IReadOnlyList<(string Path, string Reason)> Skipped { get; init; } = [];

    /// <summary>What the faces are known by, wherever they lie (<see cref="FaceSetId"/>).</summary>
    /// <exception cref="InvalidOperationException">They are not <see cref="Hashed"/>.</exception>
    internal string Id => FaceSetId.Of(Dataset.Images.Select(i => (i.Hash, i.Identity)));

    /// <summary>Opens a finished folder of aligned faces.</summary>
    /// <exception cref="FaceDistillException">The folder holds raw photos, is unfinished, or has no picture.</exception>
    public static AlignedFaces Open(string folder) => Open(folder, JobContext.None);

    /// <summary>As <see cref="Open(string)"/>.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="job">Told how far large files are read.</param>
    /// <exception cref="FaceDistillException">The folder holds raw photos, is unfinished, or has no picture.</exception>
    internal static AlignedFaces Open(string folder, JobContext job)
    {
        if (Directory.Exists(folder) && !AlignmentManifest.In(folder))
        {
            throw new FaceDistillException(
                $"{folder} holds raw photos (no {AlignmentManifest.FileName}); align them with '{Hints.Command} align --data {folder} --output DIR --template "
                    + "NAME'");
        }

        var faces = Opened(FaceDataset.List(folder, job), AlignmentManifest.Read(folder));
        return faces with
        {
            Dataset = faces.Manifest.AllFaces ? AlignedFolder.WithoutNames(faces.Dataset) : faces.Dataset,
            Skipped = AlignmentManifest.ReadSkipped(folder),
        };
    }

    /// <summary>The faces with the content by which they are known, and that of their photos where the folder's index names it.</summary>
    /// <param name="job">Told of every face that is read.</param>
    /// <param name="index">The folder's index, where it was read already.</param>
    /// <exception cref="FaceDistillException">A face cannot be read, or the index is damaged.</exception>
    internal AlignedFaces Hashed(JobContext job, Dictionary<string, (ContentHash Photo, ContentHash Face, int Shown)>? index = null)
    {
        var images = Dataset.Images;
        if (images.All(i => !i.Hash.IsNone))
        {
            return this;
        }

        index ??= AlignmentManifest.In(Dataset.Root) ? AlignedFolder.ReadIndex(Dataset.Root) : []; // another's file of that name is none
        var hashed = new FaceImage[images.Count];
        // In the order in which they lie in a file of many, which a disk reads fastest.
        int[] order = [.. Enumerable.Range(0, images.Count)];
        order = images[0].Place.Length == 0 ? order
            : [.. order.OrderBy(i => images[i].Place.File, StringComparer.Ordinal).ThenBy(i => images[i].Place.Offset)];
        int done = 0;
        var contents = KnownContents.Open(Dataset.Root);
        var options = new ParallelOptions { CancellationToken = job.Cancel, MaxDegreeOfParallelism = Environment.ProcessorCount };
        try
        {
            Parallel.For(0, images.Count, options, at =>
            {
                int i = order[at];
                var image = images[i];
                var hash = image.Hash.IsNone ? contents.Of(Dataset.Place(image), FaceDataset.Content) : image.Hash;
                bool known = index.TryGetValue(image.Path, out var made) && made.Face == hash;
                hashed[i] = image with { Hash = hash, Photo = known ? made.Photo : image.Photo, Shown = known ? made.Shown : image.Shown };
                int now = Interlocked.Increment(ref done);
                if (images.Count >= FewestTold && (now % 256 == 0 || now == images.Count))
                {
                    job.Progress?.Report(new WorkProgress("hashing faces", now, images.Count, "images"));
                }
            });
        }
        catch (AggregateException e) when (e.InnerExceptions.OfType<FaceDistillException>().FirstOrDefault() is { } first)
        {
            throw new FaceDistillException(first.Message, e);
        }

        contents.Keep(job);
        return this with { Dataset = Dataset with { Images = hashed } };
    }

    /// <summary>Opens a folder that its owner says is aligned: the template's square fills each picture.</summary>
    /// <param name="folder">Pictures that all have the same size.</param>
    /// <param name="template">The template's name.</param>
    /// <exception cref="FaceDistillException">The folder has no readable square picture.</exception>
    public static AlignedFaces OpenAsserted(string folder, string template) => OpenAsserted(FaceDataset.List(folder), template);

    /// <summary>As <see cref="OpenAsserted(string, string)"/>.</summary>
    /// <exception cref="FaceDistillException">There is no readable square picture.</exception>
    internal static AlignedFaces OpenAsserted(FaceDataset dataset, string template)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        if (dataset.Images.Count == 0)
        {
            throw new FaceDistillException($"{dataset.Root} has no picture");
        }

        using var first = PictureFile.Read(dataset.Place(dataset.Images[0]));
        return first.Width == first.Height
            ? Opened(dataset, new AlignmentManifest(1, AlignmentTemplate.Named(template).Name, first.Width, 0, "user", "", true))
            : throw new FaceDistillException($"{dataset.FullPath(dataset.Images[0])} is {first.Width}x{first.Height}; aligned faces are square");
    }

    /// <summary>Reads one face and brings the template's square to a model's size.</summary>
    /// <param name="index">The picture's place in the list.</param>
    /// <param name="size">The wanted side, pixels.</param>
    /// <returns>BGR 8-bit, size x size; the caller disposes it.</returns>
    /// <exception cref="FaceDistillException">The picture is damaged or not of the manifest's size.</exception>
    public Mat ReadView(int index, int size)
    {
        using var picture = ReadFrame(index);
        return Manifest.Frame.View(picture, size);
    }

    /// <summary>Reads one aligned picture with its border.</summary>
    /// <param name="index">The picture's place in the list.</param>
    /// <returns>BGR 8-bit, frame.Side x frame.Side, continuous; the caller disposes it.</returns>
    /// <exception cref="FaceDistillException">The picture is damaged, not of the manifest's size, or no longer the one that was hashed.</exception>
    public Mat ReadFrame(int index)
    {
        var path = Dataset.Place(Dataset.Images[index]);
        var picture = PictureFile.Read(path, Dataset.Images[index].Hash);
        var frame = Manifest.Frame;
        if (picture.Width == frame.Side && picture.Height == frame.Side)
        {
            return picture;
        }

        using (picture)
        {
            throw new FaceDistillException(AlignmentManifest.In(Dataset.Root)
                ? $"{path} is {picture.Width}x{picture.Height} where {AlignmentManifest.FileName} says {frame.Side}x{frame.Side}; align the photos again"
                : $"{path} is {picture.Width}x{picture.Height} and the first face of {Dataset.Root}, {Dataset.Images[0].Path}, is {frame.Side}x{frame.Side}; "
                    + "faces given with --aligned are squares of one size: bring them to one, or align the photos");
        }
    }

    /// <summary>The faces of listed people only.</summary>
    /// <param name="people">The list; a face's identity is the name.</param>
    /// <exception cref="FaceDistillException">None of them is there.</exception>
    internal AlignedFaces Of(LfwPeople people)
    {
        ArgumentNullException.ThrowIfNull(people);
        var chosen = people.Chooses();
        FaceImage[] images = [.. Dataset.Images.Where(i => chosen(i.Identity))];
        return images.Length > 0 ? this with
        {
            Dataset = Dataset with { Images = images },
            Skipped = [.. Skipped.Where(s => chosen(FaceDataset.IdentityOf(s.Path)))],
        }
            : throw new FaceDistillException($"{Dataset.Root} has no face of the people in {people.File}; a person is a sub-folder of that name");
    }

    /// <summary>The faces that are not on a list.</summary>
    /// <param name="list">The list.</param>
    /// <param name="name">The data set's name in it.</param>
    /// <param name="unknown">Its lines of this name that fit no face.</param>
    /// <exception cref="FaceDistillException">No face remains.</exception>
    internal AlignedFaces Without(ExclusionList list, string name, out IReadOnlyList<string> unknown)
    {
        ArgumentNullException.ThrowIfNull(list);
        (bool[] excluded, unknown) = list.In(name, [.. Dataset.Images.Select(i => i.Path)], AlignedFolder.OwnFaces(Dataset.Root));
        FaceImage[] images = [.. Dataset.Images.Where((_, i) => !excluded[i])];
        return images.Length > 0
            ? this with
            {
                Dataset = Dataset with { Images = images },
                Excluded = [.. Dataset.Images.Where((_, i) => excluded[i]).Select(i => $"{name}\t{i.Path}")],
            }
            : throw new FaceDistillException($"{list.File} excludes every picture of {name} ({Dataset.Root})");
    }

    /// <summary>Several sets as one, whose paths begin at the deepest folder that holds them all.</summary>
    /// <param name="sets">At least one.</param>
    /// <exception cref="FaceDistillException">They are aligned differently, or a set comes twice; the message names both.</exception>
    internal static AlignedFaces Join(IReadOnlyList<AlignedFaces> sets)
    {
        ArgumentNullException.ThrowIfNull(sets);
        var first = sets[0];
        if (sets.Count == 1)
        {
            return first;
        }

        if (sets.FirstOrDefault(s => s.Manifest.Template != first.Manifest.Template || s.Manifest.Frame != first.Manifest.Frame) is { } other)
        {
            throw new FaceDistillException(
                $"{first.Dataset.Root} and {other.Dataset.Root} are aligned differently ({first.Manifest.Template} at {first.Manifest.Size} with a border "
                + $"of {first.Manifest.Pad}, {other.Manifest.Template} at {other.Manifest.Size} with {other.Manifest.Pad}); align both alike");
        }

        string root = CommonFolder([.. sets.Select(s => s.Dataset.Root)]);
        FaceImage[] images = [.. sets.SelectMany(s => s.Dataset.Images.Select(i =>
        {
            string path = Path.GetRelativePath(root, Path.Combine(s.Dataset.Root, i.Path)).Replace(Path.DirectorySeparatorChar, '/');
            // A number is a person of the set that it stands in alone.
            bool number = i.Identity.Length > 0 && i.Identity[(i.Identity.LastIndexOf('/') + 1)..].All(char.IsAsciiDigit);
            return i with
            {
                Path = path, Identity = number ? FaceDataset.IdentityOf(path) : i.Identity, Place = i.Place.IsWhole ? s.Dataset.FullPath(i) : i.Place,
            };
        }))];
        // Where links lead to one folder under two names, the faces' paths do not tell.
        var real = sets.Select(s => s.Dataset.Root).Distinct(StringComparer.Ordinal).ToDictionary(r => r, RealPath.Of, StringComparer.Ordinal);
        string? twice = sets.SelectMany(s => s.Dataset.Images.Select(i =>
                i.Place.IsWhole ? Path.Combine(real[s.Dataset.Root], i.Path) : InvariantText.Of($"the picture at byte {i.Place.Offset} of {i.Place.File}")))
            .CountBy(path => path, StringComparer.Ordinal).Where(p => p.Value > 1).Select(p => p.Key).FirstOrDefault();
        return twice is null
            ? new AlignedFaces(new FaceDataset(root, images, []), first.Manifest with { Source = string.Join(", ", sets.Select(s => s.Manifest.Source)) })
            {
                Excluded = [.. sets.SelectMany(s => s.Excluded)],
                Skipped = [.. sets.SelectMany(s => s.Skipped.Select(f => (Path.GetRelativePath(root, Path.Combine(s.Dataset.Root, f.Path)), f.Reason)))],
            }
            : throw new FaceDistillException($"{twice} comes twice in the data; name each folder once");
    }

    private static string CommonFolder(string[] folders)
    {
        string common = Path.GetFullPath(folders[0]);
        while (!folders.All(f => RealPath.RealWithin(Path.GetFullPath(f), common))) // compares as the system does: on Windows without case
        {
            common = Path.GetDirectoryName(common)
                ?? throw new FaceDistillException($"{folders[0]} and {folders[^1]} lie on different disks; bring them under one folder");
        }

        return common;
    }

    /// <summary>Checks that the faces are aligned as a model wants them.</summary>
    /// <exception cref="FaceDistillException">They are aligned to another template; the message names both and the remedy.</exception>
    internal void Require(string template, string model)
    {
        if (Manifest.Template != template)
        {
            throw new FaceDistillException(
                $"{Dataset.Root} is aligned to '{Manifest.Template}' but {model} wants '{template}'; give the raw photos, or align them with --template "
                    + $"{template}");
        }
    }

    private static AlignedFaces Opened(FaceDataset dataset, AlignmentManifest manifest) => dataset.Images.Count > 0
        ? new AlignedFaces(dataset.Whole(), manifest)
        : throw new FaceDistillException($"{dataset.Root} has no aligned face");
}

/// <summary>What a list of faces is known by, whatever the files are called and wherever they lie.</summary>
internal static class FaceSetId
{
    /// <summary>SHA-256 over content and identity of each face, in order; 64 lower-case hexadecimal digits.</summary>
    /// <exception cref="InvalidOperationException">A content is not known.</exception>
    public static string Of(IEnumerable<(ContentHash Face, string Identity)> faces)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> content = stackalloc byte[16];
        foreach (var (face, identity) in faces)
        {
            if (face.IsNone)
            {
                throw new InvalidOperationException("a face was not hashed");
            }

            face.WriteTo(content);
            hash.AppendData(content);
            hash.AppendData(Encoding.UTF8.GetBytes(identity + "\n"));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
