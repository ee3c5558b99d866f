using System.Formats.Tar;
using System.Globalization;
using System.Text;
using System.Text.Json;
using FaceDistill.Faces;
using FaceDistill.Files;

namespace FaceDistill.Datasets;

/// <summary>WebDataset: shards <c>.tar</c> (one file, or all in a folder) of samples, each a picture with its label in a file beside it.</summary>
/// <remarks>
/// <para>The members of a sample stand together and are called KEY.ENDING, where KEY has no dot after its last '/': KEY.jpg (or .png, .webp and what else is a
/// picture); KEY.cls, a whole number in digits, or KEY.json, an object of which "label", "identity" or "person" is a number or a text. Other members of a
/// sample
/// do not count, nor do keys that begin with '.' or "__". Where no sample has a label, the folder in KEY is the person, as in a folder of pictures.</para>
/// <para>A tar has for each member a block of 512 bytes (name, size in octal, a sum of the block's bytes; POSIX ustar and pax, GNU's long names), the member's
/// bytes, and zeros up to a multiple of 512; two blocks of zeros end it. Members are plain files with names below the shard.</para>
/// <para>A picture's path is PERSON/SHARD-KEY.ENDING; '/' in KEY, or between folders of shards, becomes '~'.</para>
/// </remarks>
internal static class WebDataset
{
    private const int Block = 512, MostClass = 64, MostJson = 1 << 20;

    /// <summary>A sample, as far as its members were read.</summary>
    private sealed class Sample(string key, long offset)
    {
        public string Key => key;

        public long Offset => offset;

        public FilePlace Picture { get; set; }

        public string Ending { get; set; } = "";

        public string? Class { get; set; }

        public string? Json { get; set; }
    }

    /// <summary>Lists the pictures.</summary>
    /// <param name="root">The file, or the folder of the shards.</param>
    /// <param name="shards">The shards.</param>
    /// <param name="job">Told how many are read.</param>
    /// <exception cref="FaceDistillException">A shard is damaged, or a label is missing; the message names file, member and offset.</exception>
    public static FaceDataset Read(string root, IReadOnlyList<string> shards, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(job);
        var samples = new List<(string Shard, Sample Sample)>();
        foreach (string shard in shards)
        {
            samples.AddRange(Samples(shard, job.Cancel).Select(sample => (shard, sample)));
            job.Progress?.Report(new WorkProgress("listing shards", shards.ToList().IndexOf(shard) + 1, shards.Count, "shards"));
        }

        bool labelled = samples.Exists(s => Label(s.Sample) is not null);
        var images = new List<FaceImage>();
        foreach (var (shard, sample) in samples.Where(s => s.Sample.Picture.File is not null))
        {
            string? label = labelled ? Label(sample) : FaceDataset.IdentityOf(sample.Key);
            string identity = PictureArchive.Identity(label ?? throw Error(shard, sample.Key, sample.Offset,
                "has no label (.cls, or .json with label, identity or person), as others have"), () => Where(shard, sample.Key, sample.Offset));
            string key = labelled ? sample.Key : sample.Key[(sample.Key.LastIndexOf('/') + 1)..];
            images.Add(new FaceImage(PictureArchive.PathOf(identity, root, shard, key + sample.Ending), identity) { Place = sample.Picture });
        }

        if (images.Count == 0)
        {
            throw new FaceDistillException($"{root} holds no picture: a sample is KEY.jpg with KEY.cls or KEY.json");
        }

        images.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
        int twice = Enumerable.Range(1, images.Count - 1).FirstOrDefault(i => images[i].Path == images[i - 1].Path, -1);
        return twice < 0 ? new FaceDataset(root, images, []) : throw new FaceDistillException(InvariantText.Of(
            $"{images[twice].Place.File}: two samples give {images[twice].Path} (at bytes {images[twice - 1].Place.Offset} and {images[twice].Place.Offset}); ")
            + "the members of a sample stand together, and each key is there once");
    }

    private static List<Sample> Samples(string shard, CancellationToken cancel)
    {
        var samples = new List<Sample>();
        using var file = File.OpenRead(shard);
        using var check = File.OpenHandle(shard);
        using var tar = new TarReader(file, leaveOpen: true);
        long end = 0; // of the last member
        while (Next(tar, shard, end) is { } member)
        {
            cancel.ThrowIfCancellationRequested();
            if (member.EntryType == TarEntryType.GlobalExtendedAttributes)
            {
                continue;
            }

            string name = member.Name.StartsWith("./", StringComparison.Ordinal) ? member.Name[2..] : member.Name;
            long offset = member.DataOffset >= Block ? member.DataOffset : end;
            if (!IsWhole(check, member, offset))
            {
                throw Error(shard, name, offset - Block, member.Length > file.Length - offset ? InvariantText.Of(
                    $"{member.Length} bytes long, where the file has {Math.Max(0, file.Length - offset)} more") : "the sum of its header is wrong");
            }

            end = offset + ((member.Length + Block - 1) / Block * Block);
            if (member.EntryType is TarEntryType.Directory or TarEntryType.DirectoryList)
            {
                continue;
            }

            if (member.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile) || !IsBelow(name))
            {
                throw Error(shard, name, offset - Block, member.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile
                    ? "its name leads out of the shard" : $"a {KindOf(member)}, where a shard holds plain files");
            }

            int slash = name.LastIndexOf('/') + 1, dot = name.IndexOf('.', slash);
            if (dot > slash && !name.AsSpan(slash).StartsWith("__"))
            {
                _ = name.Any(char.IsControl) ? throw Error(shard, name, offset - Block, "its name has a control character, which would stand in the names of "
                    + "aligned faces; rename it and pack anew") : 0;
                if (samples.Count == 0 || samples[^1].Key != name[..dot])
                {
                    samples.Add(new Sample(name[..dot], offset - Block));
                }

                Add(samples[^1], name, name[dot..].ToLowerInvariant(), new FilePlace(shard, offset, member.Length));
            }
        }

        return end + Block <= file.Length ? samples
            : throw new FaceDistillException(InvariantText.Of($"{shard}: the file ends at byte {file.Length} without a tar's end: it is not whole"));
    }

    private static void Add(Sample sample, string name, string ending, FilePlace place)
    {
        string last = ending[ending.LastIndexOf('.')..];
        if (PictureFile.IsPicture(last))
        {
            _ = sample.Picture.File is null ? 0 : throw Error(place.File, name, place.Offset - Block, "a second picture of one sample");
            _ = place.Length > 0 ? 0 : throw Error(place.File, name, place.Offset - Block, "is empty");
            (sample.Picture, sample.Ending) = (place, last);
        }
        else if (ending == ".cls")
        {
            sample.Class = Text(name, place, MostClass).Trim();
            _ = sample.Class.Length > 0 && sample.Class.All(char.IsAsciiDigit) ? 0
                : throw Error(place.File, name, place.Offset - Block, $"'{sample.Class}' is no person's number");
        }
        else if (ending == ".json")
        {
            sample.Json = JsonLabel(name, place);
        }
    }

    private static string? Label(Sample sample) => sample.Class ?? sample.Json;

    private static string? JsonLabel(string name, FilePlace place)
    {
        try
        {
            using var json = JsonDocument.Parse(Text(name, place, MostJson));
            foreach (string field in json.RootElement.ValueKind == JsonValueKind.Object ? PictureArchive.Labels : [])
            {
                if (json.RootElement.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null)
                {
                    return value.ValueKind == JsonValueKind.String ? value.GetString()
                        : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) && number >= 0
                            ? number.ToString(CultureInfo.InvariantCulture)
                        : throw Error(place.File, name, place.Offset - Block, $"its {field} is neither a text nor a whole number from 0");
                }
            }

            return null;
        }
        catch (JsonException e)
        {
            throw Error(place.File, name, place.Offset - Block, InvariantText.Of($"not JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})"));
        }
        catch (InvalidOperationException) // half a character, as in "\ud800"
        {
            throw Error(place.File, name, place.Offset - Block, "a label that is no text");
        }
    }

    private static string Text(string name, FilePlace place, int most)
    {
        if (place.Length == 0 || place.Length > most)
        {
            throw Error(place.File, name, place.Offset - Block, InvariantText.Of($"a label of {place.Length} bytes"));
        }

        using var stream = place.Open();
        byte[] bytes = new byte[place.Length];
        stream.ReadExactly(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    private static TarEntry? Next(TarReader tar, string shard, long end)
    {
        try
        {
            return tar.GetNextEntry();
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or ArgumentException or OverflowException
            or InvalidOperationException or NotSupportedException)
        {
            throw new FaceDistillException(InvariantText.Of($"{shard}: no member of a tar begins at byte {end}: its header is damaged"), e);
        }
    }

    // The library does not look at a header's sum: its bytes, with blanks for the sum itself (POSIX, ustar).
    private static bool IsWhole(Microsoft.Win32.SafeHandles.SafeFileHandle file, TarEntry member, long offset)
    {
        Span<byte> header = stackalloc byte[Block];
        if (offset < Block || member.Length > RandomAccess.GetLength(file) - offset || RandomAccess.Read(file, header, offset - Block) < Block)
        {
            return false;
        }

        int sum = 8 * ' ';
        for (int i = 0; i < Block; i++)
        {
            sum += i is >= 148 and < 156 ? 0 : header[i];
        }

        return sum == member.Checksum;
    }

    private static bool IsBelow(string name) =>
        name.Length > 0 && !Path.IsPathRooted(name) && !name.Contains('\\', StringComparison.Ordinal) && !name.Split('/')
            .Any(part => part is "" or "." or "..");

    private static string KindOf(TarEntry member) => member.EntryType switch
    {
        TarEntryType.SymbolicLink => "symbolic link", TarEntryType.HardLink => "hard link", TarEntryType.Fifo => "pipe",
        TarEntryType.BlockDevice or TarEntryType.CharacterDevice => "device", _ => InvariantText.Of($"member of the kind '{(char)member.EntryType}'"),
    };

    private static string Where(string shard, string member, long offset) => InvariantText.Of($"{shard}: {ShownText.Of(member)} at byte {offset}");

    private static FaceDistillException Error(string shard, string member, long offset, string what) => new($"{Where(shard, member, offset)}: {what}");
}
