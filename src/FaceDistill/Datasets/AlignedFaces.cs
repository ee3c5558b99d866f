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
    private IReadOnlyList<AlignedFaces>? _folders;

    /// <summary>The faces that a list took out: the data set's name, a tab, and the path in it.</summary>
    public IReadOnlyList<string> Excluded { get; private init; } = [];

    /// <summary>The folders that the faces are chosen from, each whole and once; of a whole folder, itself.</summary>
    public IReadOnlyList<AlignedFaces> Folders => _folders ?? [this];

    /// <summary>Opens a finished folder of aligned faces.</summary>
    /// <exception cref="FaceDistillException">The folder holds raw photos, is unfinished, or has no picture.</exception>
    public static AlignedFaces Open(string folder)
    {
        if (Directory.Exists(folder) && !AlignmentManifest.In(folder))
        {
            throw new FaceDistillException(
                $"{folder} holds raw photos (no {AlignmentManifest.FileName}); align them with 'facedistill align --data {folder} --output DIR --template "
                    + "NAME'");
        }

        return Opened(FaceDataset.List(folder), AlignmentManifest.Read(folder));
    }

    /// <summary>Opens a folder that its owner says is aligned: the template's square fills each picture.</summary>
    /// <param name="folder">Pictures that all have the same size.</param>
    /// <param name="template">The template's name.</param>
    /// <exception cref="FaceDistillException">The folder has no readable square picture.</exception>
    public static AlignedFaces OpenAsserted(string folder, string template)
    {
        var dataset = FaceDataset.List(folder);
        if (dataset.Images.Count == 0)
        {
            throw new FaceDistillException($"{folder} has no picture");
        }

        using var first = PictureFile.Read(dataset.FullPath(dataset.Images[0]));
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
    /// <exception cref="FaceDistillException">The picture is damaged or not of the manifest's size.</exception>
    public Mat ReadFrame(int index)
    {
        string path = Dataset.FullPath(Dataset.Images[index]);
        var picture = PictureFile.Read(path);
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
        var names = people.People.Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        FaceImage[] images = [.. Dataset.Images.Where(i => names.Contains(i.Identity))];
        return images.Length > 0 ? this with { Dataset = Dataset with { Images = images }, _folders = Folders }
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
        (bool[] excluded, unknown) = list.In(name, [.. Dataset.Images.Select(i => i.Path)]);
        FaceImage[] images = [.. Dataset.Images.Where((_, i) => !excluded[i])];
        return images.Length > 0
            ? this with
            {
                Dataset = Dataset with { Images = images },
                _folders = Folders,
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
        FaceImage[] images = [.. sets.SelectMany(s => s.Dataset.Images.Select(i => i with
        {
            Path = Path.GetRelativePath(root, s.Dataset.FullPath(i)).Replace('\\', '/'),
            Name = i.Name,
        }))];
        string? twice = images.GroupBy(i => i.Path, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1)?.Key;
        return twice is null
            ? new AlignedFaces(new FaceDataset(root, images, []), first.Manifest with { Source = string.Join(", ", sets.Select(s => s.Manifest.Source)) })
            {
                Excluded = [.. sets.SelectMany(s => s.Excluded)],
                _folders = [.. sets.SelectMany(s => s.Folders).DistinctBy(f => f.Dataset.Root, StringComparer.Ordinal)],
            }
            : throw new FaceDistillException($"{Path.Combine(root, twice)} comes twice in the data; name each folder once");
    }

    private static string CommonFolder(string[] folders)
    {
        string common = Path.GetFullPath(folders[0]);
        while (!folders.All(f => (Path.GetFullPath(f) + Path.DirectorySeparatorChar)
            .StartsWith(common.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, StringComparison.Ordinal)))
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
        ? new AlignedFaces(dataset, manifest)
        : throw new FaceDistillException($"{dataset.Root} has no aligned face");
}

/// <summary>
/// alignment.json in the root of a folder of aligned faces: how they were aligned. A folder without it holds raw photos.
/// </summary>
/// <param name="FormatVersion">1.</param>
/// <param name="Template">The <see cref="AlignmentTemplate"/>'s name.</param>
/// <param name="Size">The side of the template's square in each picture, pixels.</param>
/// <param name="Pad">The border of real pixels on each side, pixels.</param>
/// <param name="Aligner">What aligned them: "yunet-" and the start of the model's SHA-256, "synthetic", or "user".</param>
/// <param name="Source">The folder of the raw photos; empty where there were none.</param>
/// <param name="Complete">False while the folder is being filled.</param>
public sealed record AlignmentManifest(int FormatVersion, string Template, int Size, int Pad, string Aligner, string Source, bool Complete)
{
    /// <summary>The manifest's file name.</summary>
    public const string FileName = "alignment.json";

    /// <summary>The list of pictures that were left out, beside the manifest: path,reason.</summary>
    public const string SkippedFileName = "skipped.csv";

    /// <summary>The geometry of each picture.</summary>
    public AlignedFrame Frame => new(Size, Pad);

    /// <summary>SHA-256 over what decides the pixels: template, size, border, aligner and its version.</summary>
    public string Hash() => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        InvariantText.Of($"{Template}|{Size}|{Pad}|{Aligner}|{FaceAligner.Version}"))));

    /// <summary>Whether a folder holds aligned faces.</summary>
    public static bool In(string folder) => File.Exists(Path.Combine(folder, FileName));

    /// <summary>Whether a folder holds aligned faces and was finished.</summary>
    public static bool IsComplete(string folder) => In(folder) && JsonFile.Read<AlignmentManifest>(Path.Combine(folder, FileName)).Complete;

    /// <summary>Reads a folder's manifest.</summary>
    /// <exception cref="FaceDistillException">It is missing, malformed, of a newer format, or the folder was never finished.</exception>
    public static AlignmentManifest Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        var manifest = JsonFile.Read<AlignmentManifest>(path);
        // The version first: another version's manifest may well name a template that this one does not know.
        string? wrong = manifest.FormatVersion != 1 ? $"format version {manifest.FormatVersion} is not 1; use a newer FaceDistill"
            : AlignmentTemplate.All.All(t => t.Name != manifest.Template) ? $"no alignment template '{manifest.Template}'"
            : manifest.Size < 32 || manifest.Pad < 0 ? "size or pad out of range"
            : manifest.Complete ? null : "the folder was not finished; run the same 'facedistill align' again";
        return wrong is null ? manifest : throw new FaceDistillException($"{path}: {wrong}");
    }

    /// <summary>Writes the manifest into a folder.</summary>
    public void Write(string folder) => JsonFile.Write(Path.Combine(folder, FileName), this);
}
