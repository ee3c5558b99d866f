using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using FaceDistill.Files;

namespace FaceDistill.Datasets;

/// <summary>
/// One of several parts of a data set, by the pictures' paths alone: whatever is added or taken away, each picture stays in its part, so that the tasks of a
/// cluster work side by side, in any order, and one that was killed is run again by itself.
/// </summary>
/// <param name="Number">From 1.</param>
/// <param name="Count">How many parts there are.</param>
public sealed record DataShard(int Number, int Count)
{
    private const int Most = 1_000_000;
    private static readonly (string Number, string Count, string First)[] Launchers =
    [
        ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN"), ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", ""),
        ("PMI_RANK", "PMI_SIZE", ""), ("SLURM_PROCID", "SLURM_NTASKS", ""),
    ];

    /// <summary>Its name in messages and of its locks, such as 3-of-16.</summary>
    public string Name => InvariantText.Of($"{Number}-of-{Count}");

    /// <summary>Reads what a user writes: "3/16", or "auto" for what Slurm's array or MPI's launcher told this process.</summary>
    /// <exception cref="FaceDistillException">It is neither, or no launcher told anything.</exception>
    public static DataShard Parse(string text) => Parse(text, Environment.GetEnvironmentVariable);

    internal static DataShard Parse(string text, Func<string, string?> environment)
    {
        int? Told(string variable) => InvariantNumber.Count(environment(variable) ?? "", out int number) ? number : null;
        ArgumentNullException.ThrowIfNull(text);
        if (text == "auto")
        {
            foreach (var (number, count, first) in Launchers)
            {
                if (Told(number) is { } place && Told(count) is { } all)
                {
                    int from = first.Length > 0 ? Told(first) ?? 0 : 0;
                    return place >= from && place - from < all ? new DataShard(place - from + 1, all) : throw new FaceDistillException(
                        $"--shard auto: {number} is {place}, and {count} {all}: number the tasks one after the other (sbatch --array=1-{all})");
                }
            }

            throw new FaceDistillException(
                "--shard auto: this is no task of a Slurm array and no process of mpirun or srun; name the part, as in --shard 3/16");
        }

        string[] parts = text.Split('/');
        return parts.Length == 2 && InvariantNumber.Count(parts[0], out int which) && InvariantNumber.Count(parts[1], out int of) && which >= 1 && which <= of
            && of <= Most ? new DataShard(which, of)
            : throw new FaceDistillException($"--shard {text}: a part is named by its number and how many there are, from 1/16 to 16/16, or auto");
    }

    /// <summary>Whether a picture belongs to it.</summary>
    /// <param name="path">Its path below the data set's folder of pictures.</param>
    public bool Has(string path)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(path), hash);
        return BinaryPrimitives.ReadUInt64LittleEndian(hash) % (ulong)Count == (ulong)Number - 1;
    }
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
    public void End(DataShard part, IEnumerable<(string Path, string Reason)> skipped) =>
        JsonFile.Write(DoneOf(part.Number), new DonePart(photos, [.. skipped.Select(s => new SkippedPhoto(s.Path, s.Reason))]));

    /// <summary>The parts that are not done, or that saw other photos.</summary>
    /// <exception cref="FaceDistillException">A part's file is damaged.</exception>
    public IReadOnlyList<int> Missing() =>
        [.. Enumerable.Range(1, count).Where(k => !File.Exists(DoneOf(k)) || JsonFile.Read<DonePart>(DoneOf(k)).Photos != photos)];

    /// <summary>The photos that gave no face, of all parts.</summary>
    public IEnumerable<(string Path, string Reason)> Skipped() =>
        Enumerable.Range(1, count).SelectMany(k => JsonFile.Read<DonePart>(DoneOf(k)).Skipped.Select(s => (s.Path, s.Reason)));

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
    private sealed record DonePart(string Photos, SkippedPhoto[] Skipped);

    private sealed record SkippedPhoto(string Path, string Reason);
}
