using System.Buffers.Binary;
using System.Formats.Tar;
using System.Globalization;
using System.Text;
using FaceDistill.Datasets;
using Parquet;
using Parquet.Schema;

namespace FaceDistill.Tests.Datasets;

/// <summary>Writes files of many pictures byte by byte, as their formats say.</summary>
internal static class Archives
{
    public const uint Magic = 0xced7230a;

    /// <summary>The samples' folder (make.py there).</summary>
    public static string Samples { get; } = Path.Combine(RepositoryRoot.Path, "tests", "FaceDistill.Tests", "Datasets", "Samples");

    /// <summary>The content of a record: its header, and what follows it.</summary>
    public static byte[] Content(float[] labels, ulong id, byte[] picture)
    {
        bool one = labels.Length == 1;
        byte[] content = new byte[24 + (one ? 0 : 4 * labels.Length) + picture.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(content, one ? 0 : (uint)labels.Length);
        BinaryPrimitives.WriteSingleLittleEndian(content.AsSpan(4), one ? labels[0] : 0);
        BinaryPrimitives.WriteUInt64LittleEndian(content.AsSpan(8), id);
        for (int i = 0; i < labels.Length && !one; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(content.AsSpan(24 + (4 * i)), labels[i]);
        }

        picture.CopyTo(content, content.Length - picture.Length);
        return content;
    }

    /// <summary>A record around a content, cut where the magic stands in it as dmlc's writer does.</summary>
    public static byte[] Framed(byte[] content)
    {
        var result = new List<byte>();
        int begin = 0;
        for (int at = 0; at + 4 <= content.Length; at += 4)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(content.AsSpan(at)) == Magic)
            {
                Part(begin == 0 ? 1u : 2u, content.AsSpan(begin, at - begin));
                begin = at + 4;
            }
        }

        Part(begin == 0 ? 0u : 3u, content.AsSpan(begin));
        return [.. result];

        void Part(uint kind, ReadOnlySpan<byte> bytes)
        {
            byte[] head = new byte[8];
            BinaryPrimitives.WriteUInt32LittleEndian(head, Magic);
            BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(4), (kind << 29) | (uint)bytes.Length);
            result.AddRange(head);
            result.AddRange(bytes.ToArray());
            result.AddRange(new byte[(4 - (bytes.Length & 3)) & 3]);
        }
    }

    /// <summary>Writes .rec and .idx of contents, whose keys are their places.</summary>
    /// <returns>Where each begins.</returns>
    public static long[] WriteRecords(string file, IEnumerable<byte[]> contents)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var offsets = new List<long>();
        using (var stream = File.Create(file))
        {
            foreach (byte[] content in contents)
            {
                offsets.Add(stream.Position);
                stream.Write(Framed(content));
            }
        }

        File.WriteAllText(Path.ChangeExtension(file, ".idx"),
            string.Concat(offsets.Select((o, i) => string.Create(CultureInfo.InvariantCulture, $"{i}\t{o}\n"))));
        return [.. offsets];
    }

    /// <summary>Writes a training set as InsightFace does: a header, the pictures by person, the people.</summary>
    /// <param name="file">The .rec file.</param>
    /// <param name="people">Each person's pictures; the number is the place.</param>
    public static long[] WriteInsightFace(string file, params byte[][][] people)
    {
        var contents = new List<byte[]> { Array.Empty<byte>() };
        var ranges = new List<float[]>();
        foreach (var (pictures, person) in people.Select((p, i) => (p, i)))
        {
            int first = contents.Count;
            contents.AddRange(pictures.Select(picture => Content([person], (ulong)contents.Count, picture)));
            ranges.Add([first, contents.Count]);
        }

        int start = contents.Count;
        contents.AddRange(ranges.Select((range, i) => Content(range, (ulong)(start + i), [])));
        contents[0] = Content([start, contents.Count], 0, []);
        return WriteRecords(file, contents);
    }

    /// <summary>Writes a tar of plain files.</summary>
    public static void WriteTar(string file, params (string Name, byte[] Content)[] members)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        using var tar = new TarWriter(File.Create(file), TarEntryFormat.Ustar, leaveOpen: false);
        foreach (var (name, content) in members)
        {
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
        }
    }

    /// <summary>Writes a Parquet file as Hugging Face's datasets have them, two rows a group.</summary>
    /// <param name="file">The file.</param>
    /// <param name="rows">Picture and label; null for none.</param>
    /// <param name="metadata">The text of "huggingface"; null for none.</param>
    public static async Task WriteParquet(string file, (byte[]? Picture, long? Label)[] rows, string? metadata = null)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        DataField bytes = new DataField<byte[]>("bytes"), path = new DataField<string>("path"), label = new DataField<long?>("label");
        await using var stream = File.Create(file);
        await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(new StructField("image", bytes, path), label), stream);
        writer.CustomMetadata = metadata is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["huggingface"] = metadata };
        foreach (var some in rows.Chunk(2))
        {
            using var group = writer.CreateRowGroup();
            await group.WriteAsync(bytes, some.Select(r => r.Picture!).ToArray());
            await group.WriteAsync(path, some.Select((_, i) => $"{i}.png").ToArray());
            await group.WriteAsync<long>(label, some.Select(r => r.Label).ToArray().AsMemory());
        }
    }

    /// <summary>The pictures of a folder of people, by person, in the order of their names.</summary>
    public static byte[][][] PicturesOf(string folder) =>
    [
        .. FaceDataset.List(folder).Images.GroupBy(i => i.Identity)
            .Select(person => person.Select(i => File.ReadAllBytes(Path.Combine(folder, i.Path))).ToArray()),
    ];

    /// <summary>Text as the bytes of a pickle, a character a byte.</summary>
    public static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
}
