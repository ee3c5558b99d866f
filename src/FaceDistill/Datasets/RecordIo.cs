using System.Buffers.Binary;
using System.Globalization;
using FaceDistill.Assets;
using FaceDistill.Files;
using FaceDistill.Formats;
using Microsoft.Win32.SafeHandles;

namespace FaceDistill.Datasets;

/// <summary>
/// MXNet's RecordIO, in which InsightFace's training sets come: <c>train.rec</c>, and beside it <c>train.idx</c> and <c>property</c>.
/// </summary>
/// <remarks>
/// <para>All numbers are little-endian. A record: uint32 magic 0xced7230a; uint32, whose upper 3 bits are cflag and whose lower 29 are a length; that many
/// bytes; zeros up to a multiple of 4. cflag 0 is a whole record. One whose content holds the magic at a multiple of 4 is cut there, and the magic left out:
/// cflag 1 begins it, 2 goes on, 3 ends it (dmlc-core, recordio.h).</para>
/// <para>Its content: uint32 flag, float32 label, uint64 id, uint64 id2 (IRHeader, mxnet/recordio.py); where flag is not 0, that many float32 labels take the
/// label's place, and the first counts; then the picture's file, JPEG or PNG. The label is a person's number.</para>
/// <para>train.idx has a line "key, tab, offset of the record" for each record, in any order. Where record 0 has flag > 0, it holds no picture, and its labels
/// are the first key of the people and the one after the last: each of these records, which hold no picture either, has as labels the keys of the person's
/// first picture and after the last. property: "people,width,height".</para>
/// <para>A picture's path is PERSON/KEY, both with at least seven digits.</para>
/// </remarks>
internal sealed class RecordIo
{
    private const uint Magic = 0xced7230a;
    private const int Start = 8, Header = 24, MostRead = Start + Header + 8; // with two labels
    private const int MostJoined = 1 << 28;
    private readonly string _file;
    private readonly string _indexFile;
    private readonly Dictionary<long, (long Key, int Line)>? _index;

    private RecordIo(string file)
    {
        _file = file;
        _indexFile = Path.ChangeExtension(file, ".idx");
        _index = File.Exists(_indexFile) ? ReadIndex() : null;
    }

    /// <summary>A record.</summary>
    /// <param name="Key">By which the index names it.</param>
    /// <param name="Offset">Of its magic.</param>
    /// <param name="Flag">How many labels follow the header.</param>
    /// <param name="First">The label.</param>
    /// <param name="Second">The next, where there are several.</param>
    /// <param name="Picture">Where the picture's file lies; none where there is none.</param>
    private readonly record struct Record(long Key, long Offset, uint Flag, float First, float Second, FilePlace Picture);

    /// <summary>Lists the pictures.</summary>
    /// <param name="file">The .rec file.</param>
    /// <param name="job">Told how far it is.</param>
    /// <exception cref="FaceDistillException">A file is damaged, or they do not fit each other; the message names file, record and offset.</exception>
    public static FaceDataset Read(string file, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(job);
        var reader = new RecordIo(file);
        var records = reader.Scan(job);
        records.Sort((a, b) => a.Key.CompareTo(b.Key));
        var images = reader.Pictures(records).Select(r => (Label: reader.Label(r), r.Key, r.Picture)).ToList();
        if (images.Count == 0)
        {
            throw new FaceDistillException($"{file} holds no picture");
        }

        images.Sort((a, b) => a.Label != b.Label ? a.Label.CompareTo(b.Label) : a.Key.CompareTo(b.Key));
        var people = new Dictionary<int, string>();
        string Person(int label) => people.TryGetValue(label, out string? name) ? name : people[label] = label.ToString("d7", CultureInfo.InvariantCulture);
        var dataset = new FaceDataset(
            file, [.. images.Select(i => new FaceImage(InvariantText.Of($"{Person(i.Label)}/{i.Key:d7}"), Person(i.Label)) { Place = i.Picture })], []);
        return dataset with { Template = PictureArchive.TemplateOf(dataset.Place(dataset.Images[0]), Property(file)) };
    }

    // Everything that a header claims is held against the file's length before it is used.
    private List<Record> Scan(JobContext job)
    {
        using var handle = File.OpenHandle(_file);
        long length = RandomAccess.GetLength(handle), told = 0;
        var records = new List<Record>(_index?.Count ?? 0);
        var parts = new List<(long Offset, long Length)>();
        Span<byte> head = stackalloc byte[MostRead];
        for (long offset = 0, begin = 0; offset < length;)
        {
            begin = parts.Count == 0 ? offset : begin;
            if (offset - told > 1L << 26)
            {
                job.Cancel.ThrowIfCancellationRequested();
                told = offset;
                job.Progress?.Report(new WorkProgress($"listing {Path.GetFileName(_file)}", (int)(offset >> 20), (int)(length >> 20), "MB"));
            }

            int read = RandomAccess.Read(handle, head, offset);
            if (read < Start || BinaryPrimitives.ReadUInt32LittleEndian(head) != Magic)
            {
                throw Error(records.Count, offset, read < Start ? "the file ends within the record" : "no record begins here (its magic is missing)");
            }

            uint word = BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
            long size = word & 0x1fffffff, next = offset + Start + ((size + 3) & ~3L);
            int part = (int)(word >> 29);
            if (offset + Start + size > length || part > 3 || (part is 2 or 3) != (parts.Count > 0))
            {
                throw Error(records.Count, offset, offset + Start + size > length
                    ? InvariantText.Of($"{size} bytes long, where the file has {length - offset - Start} more")
                    : InvariantText.Of($"a part of kind {part} that does not follow the one before"));
            }

            if (part == 0)
            {
                records.Add(Parse(head[Start..(int)Math.Min(read, Start + size)], size, records.Count, offset, new FilePlace(_file, offset + Start, size)));
            }
            else
            {
                parts.Add((offset + Start, size));
                if (part == 3)
                {
                    records.Add(Join(handle, parts, records.Count, begin));
                    parts.Clear();
                }
            }

            offset = next;
            if (offset >= length && parts.Count > 0)
            {
                throw Error(records.Count, begin, "the file ends within the record");
            }
        }

        if (_index is { Count: > 0 })
        {
            var (offset, (key, line)) = _index.MinBy(e => e.Value.Line);
            throw new FaceDistillException(
                InvariantText.Of($"{_indexFile} line {line}: no record of {_file} begins at byte {offset}, where record {key} should"));
        }

        return records;
    }

    private Record Parse(ReadOnlySpan<byte> head, long size, int number, long offset, FilePlace content)
    {
        long key = number;
        if (_index is not null)
        {
            key = _index.Remove(offset, out var entry) ? entry.Key : throw Error(number, offset, $"{_indexFile} does not name it");
        }

        uint flag = head.Length < Header ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(head);
        long labels = 4L * flag, picture = size - Header - labels;
        if (head.Length < Header || picture < 0)
        {
            throw Error(key, offset, InvariantText.Of($"too short for its header{(flag > 0 ? InvariantText.Of($" and {flag} labels") : "")} ({size} bytes)"));
        }

        float first = BinaryPrimitives.ReadSingleLittleEndian(head[(flag == 0 ? 4 : Header)..]);
        float second = flag > 1 ? BinaryPrimitives.ReadSingleLittleEndian(head[(Header + 4)..]) : float.NaN;
        return new Record(key, offset, flag, first, second,
            picture == 0 ? default : content with { Offset = content.Offset + Header + labels, Length = picture });
    }

    // A record that was cut at a magic within its picture, two or three of ten million, is put together as a file of the cache.
    private Record Join(SafeFileHandle handle, List<(long Offset, long Length)> parts, int number, long begin)
    {
        long size = parts.Sum(p => p.Length) + (4 * (parts.Count - 1)); // each lies within the file
        byte[] content = size <= MostJoined ? new byte[size] : throw Error(number, begin, InvariantText.Of($"{size} bytes long in parts, which no picture is"));
        int at = 0;
        foreach (var ((offset, length), part) in parts.Select((p, i) => (p, i)))
        {
            if (part > 0)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(at), Magic);
                at += 4;
            }

            for (int done = 0, read; done < length; done += read)
            {
                read = RandomAccess.Read(handle, content.AsSpan(at + done, (int)length - done), offset + done);
                read = read > 0 ? read : throw Error(number, begin, "the file ends within the record");
            }

            at += (int)length;
        }

        var record = Parse(content.AsSpan(0, Math.Min(content.Length, MostRead - Start)), content.Length, number, begin,
            new FilePlace(_file, 0, content.Length));
        if (record.Picture.File is null)
        {
            return record;
        }

        byte[] picture = content[(int)record.Picture.Offset..];
        string kept = Path.Combine(CacheFolder.Root, "archives", $"{ContentHash.Of(picture)}.record");
        if (!File.Exists(kept) || FaceDataset.Content(kept) != ContentHash.Of(picture))
        {
            AtomicFile.WriteReplaceable(kept, picture);
        }

        return record with { Picture = new FilePlace(kept, 0, picture.Length) };
    }

    // By key. The people's numbers as floats are exact up to 2^24 only, so that what is a person is told by the record.
    private List<Record> Pictures(List<Record> records)
    {
        if (records.Count == 0 || records[0] is not { Key: 0, Flag: > 0 } header)
        {
            int none = records.FindIndex(r => r.Picture.File is null);
            return none < 0 ? records : throw Error(records[none].Key, records[none].Offset, "holds no picture");
        }

        var pictures = records.Skip(1).TakeWhile(r => r.Picture.File is not null || r.Flag < 2).ToList();
        var people = records.Skip(1 + pictures.Count).ToList();
        long first = people.Count > 0 ? people[0].Key : records[^1].Key + 1, end = records[^1].Key + 1;
        if (pictures.FindIndex(r => r.Picture.File is null) is >= 0 and var empty)
        {
            throw Error(pictures[empty].Key, pictures[empty].Offset, "holds no picture");
        }

        if (header.First != first || (header.Flag > 1 && header.Second != end))
        {
            throw Error(0, header.Offset,
                InvariantText.Of($"says that the people are records {header.First} to {header.Second}, and they are {first} to {end}"));
        }

        int wrong = people.FindIndex(p => p.Picture.File is not null || p.Flag < 2 || !(p.First >= 1 && p.First <= p.Second && p.Second <= header.First));
        return wrong < 0 ? pictures : throw Error(people[wrong].Key, people[wrong].Offset, InvariantText.Of(
            $"should say which pictures a person has, of 1 to {header.First}, and says {people[wrong].First} to {people[wrong].Second}"));
    }

    private int Label(Record record) => record.First is >= 0 and < int.MaxValue && record.First == MathF.Floor(record.First) ? (int)record.First
        : throw Error(record.Key, record.Offset, InvariantText.Of($"its label {record.First} is no person's number"));

    private Dictionary<long, (long Key, int Line)> ReadIndex()
    {
        var index = new Dictionary<long, (long, int)>();
        var keys = new HashSet<long>();
        using var lines = new ListReader(_indexFile);
        while (lines.ReadLine() is { } text)
        {
            string[] fields = text.Split('\t');
            if (text.Length == 0)
            {
                continue;
            }

            long key = 0;
            bool numbers = fields.Length == 2 && InvariantNumber.Count(fields[0], out key);
            if (!numbers || !InvariantNumber.Count(fields[1], out long offset))
            {
                throw new FaceDistillException(
                    $"{_indexFile} line {lines.Line}: expected a record's number, a tab and its offset, found '"
                        + $"{(text.Length > 80 ? text[..80] + "..." : text)}'");
            }

            if (!keys.Add(key) || !index.TryAdd(offset, (key, lines.Line)))
            {
                throw new FaceDistillException(InvariantText.Of($"{_indexFile} line {lines.Line}: record {key}, or offset {offset}, comes twice"));
            }
        }

        return index;
    }

    private static (string File, int Width, int Height)? Property(string file)
    {
        string path = Path.Combine(Path.GetDirectoryName(file)!, "property");
        if (!File.Exists(path))
        {
            return null;
        }

        using var lines = new ListReader(path);
        string text = lines.ReadLine() ?? "";
        int[] numbers = [.. text.Split(',').Select(n => InvariantNumber.Count(n.Trim(), out int number) ? number : -1)];
        return numbers is [>= 0, > 0, > 0] ? (path, numbers[1], numbers[2])
            : throw new FaceDistillException($"{path}: expected people,width,height, found '{(text.Length > 80 ? text[..80] + "..." : text)}'");
    }

    private FaceDistillException Error(long record, long offset, string what) =>
        new(InvariantText.Of($"{_file}: record {(_index?.TryGetValue(offset, out var entry) == true ? entry.Key : record)} at byte {offset}: {what}"));
}
