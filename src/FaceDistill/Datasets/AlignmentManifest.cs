using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
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

    /// <summary>The reason in that list for files that never were photos.</summary>
    internal const string NotAPicture = "not a picture file";

    /// <summary>Whether every face of a photo was aligned, not only the one that it is of.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool AllFaces { get; init; }

    /// <summary>What aligned drawn faces.</summary>
    internal const string Drawer = "synthetic";

    /// <summary>Whether the faces are drawn, of people who do not exist.</summary>
    internal bool IsDrawn => Aligner == Drawer;

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
            : manifest.Complete ? null : AlignedParts.Remedy(folder);
        return wrong is null ? manifest : throw new FaceDistillException($"{path}: {wrong}");
    }

    /// <summary>The list of what was left out of a folder; empty where there is none.</summary>
    /// <exception cref="FaceDistillException">It is damaged.</exception>
    internal static IReadOnlyList<(string Path, string Reason)> ReadSkipped(string folder)
    {
        string path = Path.Combine(folder, SkippedFileName);
        if (!File.Exists(path))
        {
            return [];
        }

        using var reader = new ListReader(path);
        return [.. Csv.Rows(reader, path).Skip(1).Select(row => row.Fields.Count == 2 ? (row.Fields[0], row.Fields[1])
            : throw new FaceDistillException($"{path} line {row.Line}: not a path and a reason; run the same '{Hints.Command} align' again"))];
    }

    /// <summary>Writes the manifest into a folder.</summary>
    public void Write(string folder) => JsonFile.Write(Path.Combine(folder, FileName), this);
}
