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
                    bool again = first.Length > 0 && all == 1 && place > 1; // of an array of more, whose size is not told any more
                    return place >= from && place - from < all && !again ? new DataShard(place - from + 1, all) : throw new FaceDistillException(
                        $"--shard auto: {number} is {place}, and {count} {all}: an array has all parts, one after the other (sbatch --array=1-N); a part that "
                        + $"is run again is named, as in --shard {Math.Max(place, 1)}/N");
                }
            }

            throw new FaceDistillException(
                "--shard auto: this is no task of a Slurm array and no process of mpirun or srun; name the part, as in --shard 3/16");
        }

        string[] parts = text.Split('/');
        return parts.Length == 2 && InvariantNumber.Count(parts[0], out int which) && InvariantNumber.Count(parts[1], out int of) && which >= 1 && which <= of
            && of <= Most ? new DataShard(which, of)
            : throw new FaceDistillException($"--shard {text}: a part is I/N, its number and how many there are, I from 1 to N, as in 3/16; or auto");
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
