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

/// <summary>What a task of several that align one folder came to.</summary>
/// <param name="Part">Its part of the photos.</param>
/// <param name="Folder">The folder that all tasks fill.</param>
/// <param name="Aligned">Pictures of the part that are aligned, now or by an earlier run.</param>
/// <param name="Reused">Of these, how many an earlier run had done.</param>
/// <param name="Skipped">Photos of the part that are left out, with the reason, in ordinal order of their paths.</param>
/// <param name="Missing">The parts that are not done; empty where the folder is whole.</param>
public sealed record AlignedPart(
    DataShard Part, string Folder, int Aligned, int Reused, IReadOnlyList<(string Path, string Reason)> Skipped, IReadOnlyList<int> Missing)
{
    /// <summary>Photos of the part that show several faces.</summary>
    public int SeveralFaces { get; init; }

    /// <summary>Pictures of their other faces; 0 where these were not wanted.</summary>
    public int OtherFaces { get; init; }
}

/// <summary>
/// What tasks keep in the folder that they align in parts, until the last of them joins it and takes it away: .parts/K-of-N.csv, the part's faces as in
/// faces.csv, and .parts/K-of-N.json when all its photos are done.
/// </summary>
/// <param name="output">The folder.</param>
/// <param name="count">In how many parts.</param>
/// <param name="photos">What the list of all photos is known by: a part that saw other photos is to be done again.</param>
internal sealed class AlignedParts(string output, int count, string photos)
{
    private const string FolderName = ".parts", IndexEnding = ".csv", DoneEnding = ".json";
    private const int MostTold = 5;

    /// <summary>What the list of all photos is known by, 64 lower-case hexadecimal digits.</summary>
    public static string IdOf(FaceDataset raw)
    {
        ArgumentNullException.ThrowIfNull(raw);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var image in raw.Images)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(image.Path + "\n"));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>A part's index of faces.</summary>
    public static string IndexOf(string output, DataShard part) => Path.Combine(output, FolderName, part.Name + IndexEnding);

    /// <summary>The indices of all parts that were begun, in whatever number of parts.</summary>
    public static IReadOnlyList<string> Indices(string output) => Files(output, IndexEnding);

    /// <summary>Notes that a part is being done, whatever was before.</summary>
    public void Begin(DataShard part) => Leftovers.Delete(DoneOf(part.Number));

    /// <summary>Notes that all photos of a part are done, whose index is written.</summary>
    /// <exception cref="FaceDistillException">It cannot be written.</exception>
    public void End(DataShard part, IEnumerable<PartPhoto> skipped) => JsonFile.Write(DoneOf(part.Number), new DonePart(photos, [.. skipped]));

    /// <summary>The parts that are not done, or that saw other photos.</summary>
    /// <exception cref="FaceDistillException">A part's file is damaged.</exception>
    public IReadOnlyList<int> Missing() =>
        [.. Enumerable.Range(1, count).Where(k => !File.Exists(DoneOf(k)) || JsonFile.Read<DonePart>(DoneOf(k)).Photos != photos)];

    /// <summary>The photos that gave no face, of all parts, by their paths.</summary>
    public IReadOnlyDictionary<string, PartPhoto> Skipped() => Enumerable.Range(1, count)
        .SelectMany(k => JsonFile.Read<DonePart>(DoneOf(k)).Skipped).ToDictionary(s => s.Path, StringComparer.Ordinal);

    /// <summary>The faces of all parts.</summary>
    public Dictionary<string, (ContentHash Photo, ContentHash Face, int Shown)> Faces() =>
        AlignedFolder.ReadIndices(Enumerable.Range(1, count).Select(k => IndexOf(output, new DataShard(k, count))));

    /// <summary>Deletes everything that parts kept.</summary>
    public static void Delete(string output) => Leftovers.Delete(Path.Combine(output, FolderName));

    /// <summary>What is to be done where a folder was not finished.</summary>
    /// <param name="output">The folder.</param>
    public static string Remedy(string output)
    {
        var parts = Files(output, IndexEnding).Concat(Files(output, DoneEnding)).OrderBy(File.GetLastWriteTimeUtc)
            .Select(f => Path.GetFileNameWithoutExtension(f).Split("-of-"))
            .Select(p => p.Length == 2 && InvariantNumber.Count(p[1], out int of) ? of : 0).Where(of => of > 0).ToList();
        if (parts.Count == 0)
        {
            return $"the folder was not finished; run the same '{Hints.Command} align' again";
        }

        int all = parts[^1]; // of the last who wrote
        int[] missing = [.. Enumerable.Range(1, all).Where(k => !File.Exists(Path.Combine(output, FolderName, new DataShard(k, all).Name + DoneEnding)))];
        return missing.Length == 0
            ? InvariantText.Of($"the folder was not finished: its {all} parts saw different photos, or the last was killed; run ")
                + $"'{Hints.Command} align' with the same options and without --shard"
            : $"the folder was not finished: {Named(missing, all)}; run '{Hints.Command} align' with the same options and "
                + InvariantText.Of($"--shard {missing[0]}/{all}{(missing.Length > 1 ? " and so on" : "")}, or without --shard for all that is missing");
    }

    /// <summary>Missing parts in words.</summary>
    public static string Named(IReadOnlyList<int> missing, int all) =>
        InvariantText.Of($"{(missing.Count == 1 ? "part" : "parts")} {string.Join(", ", missing.Take(MostTold))}")
        + (missing.Count > MostTold ? InvariantText.Of($" and {missing.Count - MostTold} others") : "")
        + InvariantText.Of($" of {all} {(missing.Count == 1 ? "is" : "are")} missing");

    private string DoneOf(int number) => Path.Combine(output, FolderName, new DataShard(number, count).Name + DoneEnding);

    private static string[] Files(string output, string ending) => Directory.Exists(Path.Combine(output, FolderName))
        ? [.. Directory.GetFiles(Path.Combine(output, FolderName), "*-of-*" + ending).Order(StringComparer.Ordinal)] : [];

    // A part that is done.
    private sealed record DonePart(string Photos, PartPhoto[] Skipped);
}

/// <summary>A photo that gave no face when its part was done.</summary>
/// <param name="Path">Below the photos' folder.</param>
/// <param name="Reason">Why.</param>
/// <param name="Photo">Its content then (<see cref="ContentHash"/>).</param>
internal sealed record PartPhoto(string Path, string Reason, string Photo);
