using FaceDistill.Faces;

namespace FaceDistill.Datasets;

/// <summary>Where the face of each photo goes in the folder of aligned faces, and what of an earlier run can stay there.</summary>
internal sealed class AlignedTargets
{
    private readonly FaceDataset _raw;
    private readonly string _output;
    private readonly string[] _names;

    /// <summary>Names the faces of a folder of photos.</summary>
    /// <exception cref="FaceDistillException">The output lies among the photos, where the next run would take it for photos.</exception>
    public AlignedTargets(FaceDataset raw, string output)
    {
        string within = Path.GetRelativePath(raw.Root, output);
        if (!Path.IsPathRooted(within) && within.Split(Path.DirectorySeparatorChar)[0] != "..")
        {
            throw new FaceDistillException($"{output} lies within {raw.Root}; choose an --output outside the photos' folder");
        }

        (_raw, _output) = (raw, output);
        // Two photos that differ only in their ending must not overwrite each other.
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        _names = [.. raw.Images.Select(image =>
        {
            string name = Path.ChangeExtension(image.Path, ".jpg");
            for (string longer = image.Path + ".jpg"; !seen.Add(name); longer += ".jpg")
            {
                name = longer;
            }

            return name;
        })];
    }

    /// <summary>The full path of a photo's face.</summary>
    public string this[int photo] => Path.Combine(_output, _names[photo]);

    /// <summary>Whether a photo's face is there already; a face older than its photo is deleted, since the photo has changed.</summary>
    /// <exception cref="FaceDistillException">The old face cannot be deleted.</exception>
    public bool IsDone(int photo)
    {
        var face = new FileInfo(this[photo]);
        if (!face.Exists)
        {
            return false;
        }

        if (face.LastWriteTimeUtc >= File.GetLastWriteTimeUtc(_raw.FullPath(_raw.Images[photo])))
        {
            return true;
        }

        try
        {
            face.Delete();
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot delete {face.FullName}, whose photo has changed: {e.Message}", e);
        }
    }

    /// <summary>Checks that an earlier run left no face of a photo that is gone.</summary>
    /// <exception cref="FaceDistillException">There is one; the message names it.</exception>
    public void RefuseOthers()
    {
        var known = _names.ToHashSet(StringComparer.Ordinal);
        var other = FaceDataset.List(_output).Images.FirstOrDefault(face => !known.Contains(face.Path));
        if (other.Path is not null)
        {
            throw new FaceDistillException(
                $"{_output} holds {other.Path}, a face of no photo in {_raw.Root}; delete it, or choose another --output");
        }
    }
}
