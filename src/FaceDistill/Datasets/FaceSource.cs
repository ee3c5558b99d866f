using System.Text.Json.Serialization;
using FaceDistill.Assets;
using FaceDistill.Faces;
using FaceDistill.Files;

namespace FaceDistill.Datasets;

/// <summary>
/// Gives the aligned faces of any folder or file of many pictures: an aligned one is opened, a raw one is aligned into the cache first. Raw photos never
/// reach a model unaligned.
/// </summary>
internal sealed class FaceSource
{
    private readonly AssetFinder _finder;

    /// <summary>Makes a source.</summary>
    /// <param name="finder">Finds the face detector's model.</param>
    public FaceSource(AssetFinder finder) => _finder = finder;

    /// <summary>Opens a folder's faces, aligned to a template.</summary>
    /// <param name="data">The pictures.</param>
    /// <param name="template">The template that the models want.</param>
    /// <param name="asserted">The template that the user says the pictures are aligned to; null to go by alignment.json.</param>
    /// <param name="job">Told of every picture that is aligned.</param>
    /// <exception cref="FaceDistillException">The folder has no picture or no face, or is aligned to another template.</exception>
    public AlignedFaces Open(DataFolder data, string template, string? asserted, JobContext job) => Warned(One(data, template, asserted, job), job);

    private AlignedFaces One(DataFolder data, string template, string? asserted, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(data);
        _ = data.Exclude is null ? null : ExclusionList.Read(data.Exclude); // before any work
        bool told = AlignmentManifest.In(data.Images);
        if (asserted is not null && told && AlignmentManifest.Read(data.Images) is { } known && known.Template != asserted)
        {
            throw new FaceDistillException($"--aligned {asserted}: {Path.Combine(data.Images, AlignmentManifest.FileName)} says '{known.Template}'; leave "
                + "--aligned out, or give the photos");
        }

        var pictures = told ? null : FaceDataset.List(data.Images, job).Chosen(data.Only);
        if (pictures is { Images.Count: 0 })
        {
            throw new FaceDistillException(data.Only is { } named ? $"{pictures.Root} has none of the pictures that {named.List} names"
                : $"{pictures.Root} has no picture ({string.Join(' ', PictureFile.Extensions)})");
        }

        string? said = told ? null : asserted ?? pictures!.Template;
        var faces = pictures is null ? AlignedFaces.Open(data.Images, job)
            : said is not null ? AlignedFaces.OpenAsserted(pictures, said)
            : Align(pictures.Of(data.Shard), data, AlignmentTemplate.Named(template), job);
        faces.Require(template, "the model");
        if (asserted is null && faces.Dataset.Template is { } usual && faces.Manifest.Aligner == "user")
        {
            job.Say?.Invoke($"{data.Images}: its pictures of {faces.Manifest.Size} x {faces.Manifest.Size} are taken as aligned to '{usual}', as the format "
                + $"has them; --aligned says otherwise");
        }

        var index = told ? AlignedFolder.ReadIndex(data.Images) : null;
        if (index is not null && index.Count - faces.Dataset.Images.Count(i => index.ContainsKey(i.Path)) is > 0 and var gone)
        {
            job.Say?.Invoke($"{data.Images}: {gone} faces that its {AlignedFolder.IndexName} lists are not there (any more)");
        }

        // Of raw photos the part was aligned.
        faces = told || said is not null ? faces with
        {
            Dataset = faces.Dataset.Chosen(data.Only).Of(data.Shard),
            Skipped = data.Only is { } only ? [.. faces.Skipped.Where(s => only.Has(s.Path))] : faces.Skipped,
        }
            : faces;
        if (faces.Dataset.Images.Count == 0 && data.Only is { } wanted)
        {
            throw new FaceDistillException($"{data.Images} has none of the pictures that {wanted.List} names");
        }

        return Chosen(faces, data, job).Hashed(job, index);
    }

    private static AlignedFaces Warned(AlignedFaces faces, JobContext job)
    {
        var files = faces.Dataset.Images.Select(i => (i.Path, i.Identity, i.Photo.IsNone ? i.Hash : i.Photo));
        if (IdentityNotes.Warning(IdentityNotes.OneFileUnderSeveralPeople(files)) is { } warning)
        {
            job.Say?.Invoke(warning);
        }

        return faces;
    }

    /// <summary>Opens the faces of several folders as one list.</summary>
    /// <exception cref="FaceDistillException">As for one; also where they are aligned differently.</exception>
    public AlignedFaces Open(IReadOnlyList<DataFolder> data, string template, string? asserted, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (data.Where(d => d.Exclude is not null).GroupBy(d => d.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new FaceDistillException(
                $"{string.Join(" and ", twice.Select(d => d.Root))} have one name, by which {twice.First().Exclude} could mean either; rename one folder");
        }

        var faces = Warned(AlignedFaces.Join([.. data.Select(d => One(d, template, asserted, job))]), job);
        foreach (var group in data.Where(d => d.Exclude is not null).GroupBy(d => d.Exclude!, StringComparer.Ordinal))
        {
            ExclusionList.Read(group.Key).TellOthers(group.Select(d => d.Name), job);
        }

        return faces;
    }

    /// <summary>Of a folder's faces those that belong to the data set.</summary>
    /// <param name="faces">All faces of the folder.</param>
    /// <param name="data">Which belong.</param>
    /// <param name="job">Told in one line how many a list took out.</param>
    /// <exception cref="FaceDistillException">A list is not right, or no face remains.</exception>
    internal static AlignedFaces Chosen(AlignedFaces faces, DataFolder data, JobContext job)
    {
        faces = data.People is null ? faces : faces.Of(LfwPeople.Read(data.People));
        if (data.Exclude is null)
        {
            return faces;
        }

        var list = ExclusionList.Read(data.Exclude);
        var remaining = faces.Without(list, data.Name, out var unknown);
        list.Tell(data.Name, remaining.Excluded.Count, faces.Dataset.Images.Count, unknown, job);
        return remaining;
    }

    private AlignedFaces Align(FaceDataset raw, DataFolder data, AlignmentTemplate template, JobContext job)
    {
        var aligner = new PhotoAligner(DetectorCard.FindModel(_finder), template, AlignedFrame.Default);
        var manifest = aligner.Manifest(raw.Root, complete: true);
        var cache = AlignedCache.Open(manifest);
        var found = aligner.Find(raw, cache, job);
        if (Array.Exists(found, f => f.IsToAlign))
        {
            using var held = FolderLock.Wait(cache.Folder, job, out bool waited, part: data.Shard?.Name);
            cache = waited ? AlignedCache.Open(manifest) : cache; // what we waited for may be what we want
            found = waited ? aligner.Find(raw, cache, job) : found;
            int missing = found.Count(f => f.IsToAlign);
            if (missing > 0)
            {
                job.Say?.Invoke($"{data.Images} holds raw photos: aligning {missing} of {found.Length} to '{template.Name}' into {cache.Folder}");
            }

            found = aligner.Align(raw, found, cache, job);
        }

        var skipped = FolderAligner.Skipped(raw, found);
        if (skipped.Count > 0)
        {
            job.Say?.Invoke($"{data.Images}: {skipped.Count} files left out (first: {skipped[0].Path}: {skipped[0].Reason}); "
                + $"'{Hints.Command} align' lists all in its {AlignmentManifest.SkippedFileName}");
        }

        string[] names = AlignedFolder.Names(raw);
        FaceImage[] images =
        [
            .. found.Select((p, i) => (Made: p, Index: i)).Where(p => p.Made.HasFace)
                .Select(p => new FaceImage(names[p.Index], raw.Images[p.Index].Identity)
            {
                Hash = p.Made.Face, Photo = p.Made.Photo, Place = cache.FileOf(p.Made), Shown = p.Made.Shown,
            }),
        ];
        return images.Length > 0 || data.Shard is not null ? new AlignedFaces(raw with { Images = images, Others = [] }, manifest) { Skipped = skipped }
            : throw FolderAligner.NoFace(raw, skipped);
    }
}

/// <summary>Some pictures of a data set.</summary>
/// <param name="Has">Whether a picture is one of them, by its path below <see cref="DataFolder.Images"/>.</param>
/// <param name="List">What names them, for messages.</param>
internal sealed record PictureChoice(Func<string, bool> Has, string List);

/// <summary>A data set on this disk: where its pictures lie, and where its protocol files (pairs.txt and the like) do.</summary>
/// <param name="Root">The data set's folder, with its protocol files; or its file (<see cref="PictureArchive"/>).</param>
/// <param name="Images">The folder of the pictures: the root itself, or a sub-folder ("images", or what its card names); or the file.</param>
public sealed record DataFolder(string Root, string Images)
{
    /// <summary>A list of people (LFW's format) whose pictures alone belong to the data set; null for all.</summary>
    public string? People { get; init; }

    /// <summary>A list of pictures that do not belong to it (<see cref="ExclusionList"/>); null for none.</summary>
    public string? Exclude { get; init; }

    /// <summary>The part of it that this process aligns and embeds, into a cache that the processes of the other parts share; null for all.</summary>
    internal DataShard? Shard { get; init; }

    /// <summary>Which of its pictures are wanted, before anything is read; null for all.</summary>
    internal PictureChoice? Only { get; init; }

    /// <summary>
    /// The data set's name in such a list: that of its folder or file; of a .rec, which every set calls train.rec, that of the folder that it lies in.
    /// </summary>
    [JsonIgnore]
    public string Name => Path.GetFileName(
        Root.EndsWith(".rec", StringComparison.OrdinalIgnoreCase) && File.Exists(Root) ? Path.GetDirectoryName(Root)! : Root);

    /// <summary>Whether the pictures are there.</summary>
    [JsonIgnore]
    internal bool Exists => Directory.Exists(Images) || File.Exists(Images);

    /// <summary>Finds a data set from what the user typed: a folder, a file of many pictures, or the name of a data set's card.</summary>
    /// <exception cref="FaceDistillException">There is neither such a folder nor such a data set on this machine, or the file is of no format that is
    /// read.</exception>
    public static DataFolder Resolve(string folderOrName, AssetFinder finder)
    {
        ArgumentNullException.ThrowIfNull(folderOrName);
        ArgumentNullException.ThrowIfNull(finder);
        if (Directory.Exists(folderOrName))
        {
            return Of(folderOrName);
        }

        if (PictureArchive.IsFile(folderOrName))
        {
            string file = Path.GetFullPath(folderOrName);
            return new DataFolder(file, file);
        }

        bool card = folderOrName.EndsWith(".json", StringComparison.OrdinalIgnoreCase) || Cards.Names(Cards.Datasets).Contains(folderOrName);
        return card
            ? Of(DatasetCard.Load(folderOrName), finder)
            : throw new FaceDistillException(
                $"no folder {folderOrName}, and no data set of that name; there are {string.Join(", ", Cards.Names(Cards.Datasets))}"
                    + Hints.DidYouMean(folderOrName, Cards.Names(Cards.Datasets)));
    }

    private static DataFolder Of(DatasetCard card, AssetFinder finder)
    {
        string root = finder.FindDataset(card);
        var folder = card.Images.Length == 0 ? Of(root) : new DataFolder(root, card.ImagesIn(root));
        if (card.People is null)
        {
            return folder;
        }

        string people = Path.Combine(root, card.People);
        return File.Exists(people) ? folder with { People = people }
            : throw new FaceDistillException($"data set {card.Name} needs {people}; see the card of {card.Of}");
    }

    /// <summary>A folder as a data set: where all its pictures lie in a sub-folder "images", but for faces that were aligned into another, that is the folder
    /// of the pictures.</summary>
    public static DataFolder Of(string folder)
    {
        string root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        string images = Path.Combine(root, "images");
        bool inside = Directory.Exists(images) && !AlignmentManifest.In(root) && !Directory.EnumerateFiles(root).Any(PictureFile.IsPicture)
            && !Directory.EnumerateDirectories(root).Any(other => Path.GetFileName(other) != "images" && !AlignmentManifest.In(other)
                && FolderFiles.List(other).Files.Any(f => f.Reason is null && PictureFile.IsPicture(f.Path)));
        return new DataFolder(root, inside ? images : root);
    }
}
