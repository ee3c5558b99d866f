using System.Collections.Concurrent;
using System.Text;
using FaceDistill.Assets;
using FaceDistill.Files;

namespace FaceDistill.Datasets;

/// <summary>
/// What the files of a data set held when they were last read: one whose path, size, dates and number (<see cref="FileStamp"/>) are those of then is not read
/// again. git's index spares itself the same reading.
/// </summary>
/// <remarks>
/// <para>
/// A file that was written or changed less than <see cref="Settling"/> before it was read is not kept: within the steps of its file system's clock (two
/// seconds on FAT) it may be written once more and look the same, what git calls racily clean. It is read at the next start too. A clock of a file server that
/// is behind ours by more than that lets such a change pass.
/// </para>
/// <para>
/// What is not noticed: a content that changed though size, dates and number did not. On Linux and macOS no program can do that without setting the system's
/// clock; what a disk loses can. On Windows a program can that sets the date back after it wrote as many bytes. Aligned faces are compared with their hashes
/// once
/// more when they are decoded, photos are not. <c>FACEDISTILL_CHECK=full</c> has everything read.
/// </para>
/// <para>
/// In the cache, contents/ROOT.bin: "FDKNOWN1", then 16 bytes of a hash of path and stamp and 16 of the content for each file, by the first; at the end 16
/// bytes of a hash of all before.
/// </para>
/// </remarks>
internal sealed class KnownContents
{
    /// <summary>Names the environment variable that has everything read.</summary>
    public const string Variable = "FACEDISTILL_CHECK";

    private const string Full = "full";
    private const int HashBytes = 16, ManyUnseen = 1 << 20, UnseenForSeen = 16;
    private readonly string _name;
    private readonly TimeProvider _clock;
    private readonly Entry[] _known; // by their keys
    private readonly bool[] _seen;
    private readonly ConcurrentDictionary<UInt128, UInt128> _new = [];

    private KnownContents(string name, TimeProvider clock, Entry[] known)
    {
        (_name, _clock, _known, _seen) = (name, clock, known, new bool[known.Length]);
    }

    /// <summary>How long a file must have been as it is.</summary>
    public static TimeSpan Settling { get; } = TimeSpan.FromSeconds(10);

    private static ReadOnlySpan<byte> Mark => "FDKNOWN1"u8;

    /// <summary>Opens what is known of a data set's files.</summary>
    /// <param name="root">Its folder or file.</param>
    /// <param name="clock">The clock; null for the system's.</param>
    /// <exception cref="FaceDistillException">The environment variable has another value than it may have.</exception>
    public static KnownContents Open(string root, TimeProvider? clock = null) => Open(root, clock, Environment.GetEnvironmentVariable(Variable));

    /// <summary>Refuses a wrong value of the environment variable, before anything is written.</summary>
    /// <exception cref="FaceDistillException">It has another value than it may have.</exception>
    public static void Check() => Check(Environment.GetEnvironmentVariable(Variable));

    private static void Check(string? check)
    {
        if (check is not (null or "" or Full))
        {
            throw new FaceDistillException($"{Variable} is '{Full}', which has every file read, or not set; not '{check}'");
        }
    }

    internal static KnownContents Open(string root, TimeProvider? clock, string? check)
    {
        Check(check);
        string name = Path.Combine("contents", $"{ContentHash.Of(Encoding.UTF8.GetBytes(root))}.bin");
        return new KnownContents(name, clock ?? TimeProvider.System, check == Full ? [] : Read(name));
    }

    /// <summary>A file's content: as it is known, or by reading. Safe for several threads.</summary>
    /// <param name="place">The file, or a part of one.</param>
    /// <param name="read">Reads it.</param>
    public ContentHash Of(FilePlace place, Func<FilePlace, ContentHash> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        if (FileStamp.Of(place.File) is not { } stamp)
        {
            return read(place); // which says what is wrong with it
        }

        var key = Key(place, stamp);
        if (Array.BinarySearch(_known, new Entry(key, 0)) is >= 0 and var at)
        {
            _seen[at] = true;
            return new ContentHash(_known[at].Content);
        }

        long settled = ((_clock.GetUtcNow().UtcDateTime - DateTime.UnixEpoch - Settling).Ticks) * 100;
        var content = read(place);
        if (Math.Max(stamp.Written, stamp.Changed) < settled && FileStamp.Of(place.File) == stamp)
        {
            _new[key] = content.Bits;
        }

        return content;
    }

    /// <summary>Keeps what was read now.</summary>
    /// <param name="job">Told, where many files were not read, that they were not; and where nothing can be kept, why.</param>
    public void Keep(JobContext job)
    {
        ArgumentNullException.ThrowIfNull(job);
        int seen = _seen.Count(s => s);
        if (seen >= AlignedFaces.FewestTold)
        {
            job.Say?.Invoke(InvariantText.Of($"{seen} files have the size, the dates and the number that they had when they were last read, and are not read ")
                + $"again ({Variable}={Full} has everything read)");
        }

        if (_new.IsEmpty)
        {
            return;
        }

        // Files that are gone or changed stay in the record, which costs 32 bytes each, as do those of another part of the data, until they are too many.
        var all = Read(_name).Where(e => !_new.ContainsKey(e.Key)).ToList(); // and what another process has kept meanwhile
        if (all.Count > ((long)(seen + _new.Count) * UnseenForSeen) + ManyUnseen)
        {
            all = [.. _known.Where((_, i) => _seen[i])];
        }

        all.AddRange(_new.Select(n => new Entry(n.Key, n.Value)));
        all.Sort();
        try
        {
            AtomicFile.WriteReplaceable(Path.Combine(CacheFolder.Root, _name), Bytes(all));
        }
        catch (FaceDistillException e)
        {
            job.Say?.Invoke($"{e.Message}; all files are read again the next time");
        }
    }

    private static UInt128 Key(FilePlace place, FileStamp stamp) => ContentHash.Of(Encoding.UTF8.GetBytes(InvariantText.Of(
        $"{place.File}|{place.Offset}|{place.Length}|{stamp.Size}|{stamp.Written}|{stamp.Changed}|{stamp.Number}"))).Bits;

    private static byte[] Bytes(List<Entry> entries)
    {
        var bytes = new byte[Mark.Length + (entries.Count * 2 * HashBytes) + HashBytes];
        Mark.CopyTo(bytes);
        for (int i = 0; i < entries.Count; i++)
        {
            var at = bytes.AsSpan(Mark.Length + (i * 2 * HashBytes));
            new ContentHash(entries[i].Key).WriteTo(at);
            new ContentHash(entries[i].Content).WriteTo(at[HashBytes..]);
        }

        ContentHash.Of(bytes.AsSpan(0, bytes.Length - HashBytes)).WriteTo(bytes.AsSpan(bytes.Length - HashBytes));
        return bytes;
    }

    // Of all folders of the cache; what is not as it was written says nothing, and everything is read.
    private static Entry[] Read(string name)
    {
        var found = new List<Entry>();
        foreach (string file in CacheFolder.Roots.Select(root => Path.Combine(root, name)).Where(File.Exists))
        {
            try
            {
                byte[] bytes = FileBytes.Read(file);
                int count = (bytes.Length - Mark.Length - HashBytes) / (2 * HashBytes);
                if (bytes.Length == Mark.Length + (count * 2 * HashBytes) + HashBytes && bytes.AsSpan().StartsWith(Mark)
                    && ContentHash.Of(bytes.AsSpan(0, bytes.Length - HashBytes)) == ContentHash.FromBytes(bytes.AsSpan(bytes.Length - HashBytes)))
                {
                    found.EnsureCapacity(found.Count + count);
                    for (var at = bytes.AsSpan(Mark.Length); at.Length > HashBytes; at = at[(2 * HashBytes)..])
                    {
                        found.Add(new Entry(ContentHash.FromBytes(at).Bits, ContentHash.FromBytes(at[HashBytes..]).Bits));
                    }
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // As if there were none.
            }
        }

        found.Sort();
        return [.. found];
    }

    private readonly record struct Entry(UInt128 Key, UInt128 Content) : IComparable<Entry>
    {
        public int CompareTo(Entry other) => Key.CompareTo(other.Key);
    }
}
