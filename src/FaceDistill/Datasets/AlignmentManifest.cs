using System.Security.Cryptography;
using System.Text;
using FaceDistill.Faces;
using FaceDistill.Files;
using FaceDistill.Formats;

namespace FaceDistill.Datasets;

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

/// <summary>Where the face of each photo goes in the folder of aligned faces, and what of an earlier run can stay there.</summary>
internal sealed class AlignedOutputPaths
{
    private readonly FaceDataset _raw;
    private readonly string _output;
    private readonly string[] _names;

    /// <summary>Names the faces of a folder of photos.</summary>
    /// <exception cref="FaceDistillException">The output lies among the photos, where the next run would take it for photos.</exception>
    public AlignedOutputPaths(FaceDataset raw, string output)
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
