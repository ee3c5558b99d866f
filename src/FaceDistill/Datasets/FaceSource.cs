using FaceDistill.Assets;
using FaceDistill.Faces;

namespace FaceDistill.Datasets;

/// <summary>
/// Gives the aligned faces of any folder: an aligned one is opened, a raw one is aligned into the cache first. Raw photos never
/// reach a model unaligned.
/// </summary>
public sealed class FaceSource
{
    /// <summary>The side of the template's square, pixels, and the border around it as its fraction, unless told otherwise.</summary>
    public const int DefaultSize = 160;

    /// <summary>The border around the template's square as a fraction of its side, unless told otherwise.</summary>
    public const double DefaultMargin = 0.1;

    private readonly AssetFinder _finder;
    private readonly Action<string>? _say;

    /// <summary>Makes a source.</summary>
    /// <param name="finder">Finds the face detector's model.</param>
    /// <param name="say">Told in one line what is done with raw photos.</param>
    public FaceSource(AssetFinder finder, Action<string>? say) => (_finder, _say) = (finder, say);

    /// <summary>Opens a folder's faces, aligned to a template.</summary>
    /// <param name="data">The pictures.</param>
    /// <param name="template">The template that the models want.</param>
    /// <param name="asserted">The template that the user says the pictures are aligned to; null to go by alignment.json.</param>
    /// <param name="progress">Told of every picture that is aligned.</param>
    /// <param name="cancel">Stops between pictures.</param>
    /// <exception cref="FaceDistillException">The folder has no picture or no face, or is aligned to another template.</exception>
    public AlignedFaces Open(DataFolder data, string template, string? asserted, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(data);
        _ = data.Exclude is null ? null : ExclusionList.Read(data.Exclude); // before any work
        var faces = asserted is not null ? AlignedFaces.OpenAsserted(data.Images, asserted)
            : AlignmentManifest.In(data.Images) ? AlignedFaces.Open(data.Images)
            : Align(data, AlignmentTemplate.Named(template), progress, cancel);
        faces.Require(template, "the model");
        return Chosen(faces, data, _say);
    }

    /// <summary>Opens the faces of several folders as one list.</summary>
    /// <exception cref="FaceDistillException">As for one; also where they are aligned differently.</exception>
    public AlignedFaces Open(IReadOnlyList<DataFolder> data, string template, string? asserted, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(data);
        if (data.Where(d => d.Exclude is not null).GroupBy(d => d.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new FaceDistillException(
                $"{string.Join(" and ", twice.Select(d => d.Root))} have one name, by which {twice.First().Exclude} could mean either; rename one folder");
        }

        var faces = AlignedFaces.Join([.. data.Select(d => Open(d, template, asserted, progress, cancel))]);
        foreach (var group in data.Where(d => d.Exclude is not null).GroupBy(d => d.Exclude!, StringComparer.Ordinal))
        {
            var list = ExclusionList.Read(group.Key);
            string[] others = [.. list.Names.Except(group.Select(d => d.Name), StringComparer.Ordinal)];
            if (others.Length > 0)
            {
                string names = string.Join(", ", others.Take(10)) + (others.Length > 10 ? ", ..." : "");
                _say?.Invoke($"{group.Key}: {others.Sum(list.Count)} lines are of other data sets ({names})");
            }
        }

        return faces;
    }

    /// <summary>Of a folder's faces those that belong to the data set.</summary>
    /// <param name="faces">All faces of the folder.</param>
    /// <param name="data">Which belong.</param>
    /// <param name="say">Told in one line how many a list took out.</param>
    /// <exception cref="FaceDistillException">A list is not right, or no face remains.</exception>
    internal static AlignedFaces Chosen(AlignedFaces faces, DataFolder data, Action<string>? say)
    {
        faces = data.People is null ? faces : faces.Of(LfwPeople.Read(data.People));
        if (data.Exclude is null)
        {
            return faces;
        }

        var remaining = faces.Without(ExclusionList.Read(data.Exclude), data.Name, out var unknown);
        say?.Invoke($"{data.Name}: {remaining.Excluded.Count} of {faces.Dataset.Images.Count} faces excluded by {data.Exclude}"
            + (unknown.Count == 0 ? "" : $"; {unknown.Count} of its lines fit no face here (first: {unknown[0]})"));
        return remaining;
    }

    /// <summary>The path of the face detector's model.</summary>
    /// <exception cref="FaceDistillException">It is not on this machine, or is not the right file.</exception>
    public string DetectorModel()
    {
        var files = DetectorCard.Files();
        return _finder.Find(files, files.Assets[0]);
    }

    private AlignedFaces Align(DataFolder data, AlignmentTemplate template, IProgress<WorkProgress>? progress, CancellationToken cancel)
    {
        var raw = FaceDataset.List(data.Images);
        var aligner = new FolderAligner(DetectorModel(), template, AlignedFrame.Of(DefaultSize, DefaultMargin)) { Waits = true };
        string folder = Path.Combine(CacheFolder.Root, "aligned", aligner.CacheName(raw));
        if (AlignmentManifest.IsComplete(folder))
        {
            return AlignedFaces.Open(folder);
        }

        _say?.Invoke($"{data.Images} holds raw photos: aligning them to '{template.Name}' into {folder}");
        var result = aligner.Run(raw, folder, progress, cancel);
        if (result.Skipped.Count > 0)
        {
            _say?.Invoke($"{result.Skipped.Count} files left out (no face, or no picture): {Path.Combine(folder, AlignmentManifest.SkippedFileName)}");
        }

        return result.Faces;
    }
}
