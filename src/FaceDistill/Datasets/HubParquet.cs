using System.Globalization;
using System.Text.Json;
using FaceDistill.Files;
using FaceDistill.Formats;
using Parquet;
using Parquet.Meta;
using Parquet.Schema;

namespace FaceDistill.Datasets;

/// <summary>Parquet as Hugging Face's datasets keep pictures: one file, or all in a folder (<c>data/train-00000-of-00012.parquet</c>).</summary>
/// <remarks>
/// <para>Column <c>image</c> is a struct of <c>bytes</c> (the picture's file) and <c>path</c>, which is not read; column <c>label</c> (or identity, or person)
/// a
/// whole number or a text, or not there. Where the file's metadata "huggingface" name the numbers (info.features.label.names), the name is the identity.</para>
/// <para>The pages are compressed, so the pictures are copied once into the cache (<see cref="PictureBlob"/>), a row group at a time.</para>
/// <para>A picture's path is PERSON/FILE-ROW, the row with seven digits.</para>
/// </remarks>
internal static class HubParquet
{
    private const string Kind = "parquet2", Layout = "expected a column 'image' with 'bytes', as Hugging Face writes pictures";
    private const long MostGroup = 1L << 31, MostRatio = 1000;

    /// <summary>Lists the pictures.</summary>
    /// <param name="root">The file, or the folder.</param>
    /// <param name="files">The files.</param>
    /// <param name="job">Told how many are read.</param>
    /// <exception cref="FaceDistillException">A file is damaged or of other columns; the message names file and row.</exception>
    public static FaceDataset Read(string root, IReadOnlyList<string> files, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(job);
        var images = new List<FaceImage>();
        for (int i = 0; i < files.Count; i++)
        {
            string file = files[i];
            var blob = PictureBlob.Of(file, Kind, writer => Copy(file, writer, job), job);
            images.AddRange(blob.Pictures.Select(p => new FaceImage(PictureArchive.PathOf(p.Identity, root, file, p.Path), p.Identity)
            {
                Hash = p.Hash, Place = new FilePlace(blob.File, p.Offset, p.Length),
            }));
            job.Progress?.Report(new WorkProgress("listing Parquet files", i + 1, files.Count, "files"));
        }

        images.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
        return images.Count > 0 ? new FaceDataset(root, images, []) : throw new FaceDistillException($"{root} holds no picture");
    }

    private static byte[] Copy(string file, PictureBlob.Writer writer, JobContext job)
    {
        try
        {
            using var stream = File.OpenRead(file);
            CopyAsync(file, stream, writer, job).GetAwaiter().GetResult();
            return [];
        }
        catch (Exception e) when (e is not (FaceDistillException or OperationCanceledException or UnauthorizedAccessException))
        {
            // Parquet.Net lets whatever a strange file leads to escape.
            string why = e is ParquetLookException ? $" ({e.Message})" : "";
            throw new FaceDistillException($"{file} is no Parquet file, or is damaged{why}; bring back a copy", e);
        }
    }

    private static async Task CopyAsync(string file, FileStream stream, PictureBlob.Writer writer, JobContext job)
    {
        ParquetLook.Footer(stream);
        await using var reader = await ParquetReader.CreateAsync(stream, cancellationToken: job.Cancel).ConfigureAwait(false);
        var fields = reader.Schema.GetDataFields();
        var bytes = fields.FirstOrDefault(f => f.Path.ToString() == "image/bytes") is { MaxRepetitionLevel: 0 } found
            && found.ClrType == typeof(ReadOnlyMemory<byte>)
            ? found : throw new FaceDistillException($"{file}: {Layout}; it has {string.Join(", ", fields.Select(f => f.Path.ToString()).Take(10))}");
        var label = PictureArchive.Labels.Select(name => fields.FirstOrDefault(f => f.Path.ToString() == name)).FirstOrDefault(f => f is not null);
        string[] names = label is null ? [] : Names(reader.CustomMetadata.GetValueOrDefault("huggingface"), label.Name);
        long row = 0;
        for (int i = 0; i < reader.RowGroupCount; i++)
        {
            job.Cancel.ThrowIfCancellationRequested();
            using var group = reader.OpenRowGroupReader(i);
            Check(file, i, reader.Metadata!.RowGroups[i], stream);
            var pictures = await Column<ReadOnlyMemory<byte>>(group, bytes).ConfigureAwait(false);
            string?[] labels = label is null ? [] : await LabelsOf(file, group, label).ConfigureAwait(false);
            for (int at = 0; at < pictures.Length; at++, row++)
            {
                string where = InvariantText.Of($"{file} row {row}");
                string identity = label is null ? "" : labels[at] switch
                {
                    null => throw new FaceDistillException($"{where}: no {label.Name}"),
                    var number when names.Length > 0 => InvariantNumber.Count(number, out int n) && n < names.Length
                        ? PictureArchive.Identity(names[n], () => where)
                        : throw new FaceDistillException($"{where}: {label.Name} {number}, where {names.Length} names are given"),
                    ['-', _, ..] and var number when InvariantNumber.Count(number.AsSpan(1), out long _) =>
                        throw new FaceDistillException($"{where}: {label.Name} {number}, which stands for no label; leave out such rows, or the column"),
                    var text => PictureArchive.Identity(text, () => where),
                };
                writer.Add(InvariantText.Of($"{row:d7}"), identity, pictures[at] is { Length: > 0 } picture ? picture.Span
                    : throw new FaceDistillException($"{where}: no bytes of a picture (a path alone is not followed)"));
            }
        }
    }

    // What the footer claims, against the file's length: a page grows by its compression, but pictures hardly do.
    private static void Check(string file, int group, RowGroup claims, FileStream stream)
    {
        long length = stream.Length, packed = claims.Columns.Sum(c => c.MetaData?.TotalCompressedSize ?? 0),
            unpacked = claims.Columns.Sum(c => c.MetaData?.TotalUncompressedSize ?? 0);
        string? wrong = claims.NumRows < 0 || packed > length || packed < 0
            ? InvariantText.Of($"{claims.NumRows} rows in {packed} bytes, where the file has {length}")
            : unpacked > MostGroup || unpacked / MostRatio > packed || claims.NumRows > unpacked + (1 << 20)
                ? InvariantText.Of($"{claims.NumRows} rows in {unpacked} bytes unpacked from {packed}, which no pictures are (at most {MostGroup} a group)")
            : null;
        if (wrong is not null)
        {
            throw new FaceDistillException(InvariantText.Of($"{file} row group {group}: claims {wrong}"));
        }

        foreach (var column in claims.Columns.Select(c => c.MetaData).OfType<ColumnMetaData>())
        {
            long start = Math.Min(column.DictionaryPageOffset is > 0 and var dictionary ? dictionary : column.DataPageOffset, column.DataPageOffset);
            ParquetLook.Pages(stream, start, column.TotalCompressedSize, unpacked);
        }
    }

    private static async Task<string?[]> LabelsOf(string file, ParquetRowGroupReader group, DataField label)
    {
        var type = label.ClrType;
        return type == typeof(long) ? [.. (await Column<long>(group, label).ConfigureAwait(false)).Select(n => n?.ToString(CultureInfo.InvariantCulture))]
            : type == typeof(int) ? [.. (await Column<int>(group, label).ConfigureAwait(false)).Select(n => n?.ToString(CultureInfo.InvariantCulture))]
            : type == typeof(ReadOnlyMemory<char>)
                ? [.. (await Column<ReadOnlyMemory<char>>(group, label).ConfigureAwait(false)).Select(t => t is { Length: > 0 } text ? text.ToString() : null)]
            : throw new FaceDistillException($"{file}: column {label.Name} is {type.Name}, neither a whole number nor a text");
    }

    // As it lies there: the values that are there, and for each row whether it is one of them. (The library's own joining of both takes a null within a struct
    // for
    // the value after it.)
    private static async Task<T?[]> Column<T>(ParquetRowGroupReader group, DataField field)
        where T : struct
    {
        var values = new T[group.RowCount];
        int[] levels = new int[group.RowCount];
        Memory<int>? definition = field.MaxDefinitionLevel > 0 ? levels : null;
        await group.ReadRawAsync<T>(field, values, definition, null).ConfigureAwait(false);
        int at = 0;
        return [.. levels.Select(level => level == field.MaxDefinitionLevel ? values[at++] : (T?)null)];
    }

    private static string[] Names(string? metadata, string label)
    {
        try
        {
            using var json = JsonDocument.Parse(metadata ?? "{}");
            return json.RootElement.TryGetProperty("info", out var info) && info.TryGetProperty("features", out var features)
                && features.TryGetProperty(label, out var feature) && feature.TryGetProperty("names", out var names)
                ? [.. names.EnumerateArray().Select(name => name.GetString() ?? "")] : [];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return []; // another's metadata: the numbers stay numbers
        }
    }
}
