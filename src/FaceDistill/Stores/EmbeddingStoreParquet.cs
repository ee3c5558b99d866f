using System.Buffers;
using System.Globalization;
using FaceDistill.Files;
using Parquet;
using Parquet.Meta;
using Parquet.Schema;
using static FaceDistill.Stores.EmbeddingStoreParquet;

namespace FaceDistill.Stores;

/// <summary>
/// A store's part as a Parquet file: path, identity, face, photo (contents), view (strings) and embedding (a standard three-level LIST of
/// float, as other Parquet readers expect it), one row a view of an image, one row group, uncompressed.
/// </summary>
/// <remarks>
/// Uncompressed, because embeddings hardly compress (1,024 random 128-d unit vectors: none 585 kB, snappy 540, zstd 489, byte-split
/// zstd 447; what snappy wins is in the paths), it reads fastest (1.3 ms against 1.8 to 2.3), and a reader can then hold what
/// a file claims against its length before it allocates anything. Parquet.Net's API is asynchronous; over memory it never
/// waits, so blocking on it is safe.
/// </remarks>
internal static class EmbeddingStoreParquet
{
    /// <summary>The most UTF-8 bytes that path and identity of one image may have together.</summary>
    public const int MaxTextBytes = 16 * 1024;

    /// <summary>The metadata entry with the store's id.</summary>
    public const string StoreEntry = "facedistill.store";

    /// <summary>The metadata entry with the part's index.</summary>
    public const string PartEntry = "facedistill.part";

    /// <summary>Column path.</summary>
    public static readonly DataField PathField = new DataField<string>("path", nullable: false);

    /// <summary>Column identity.</summary>
    public static readonly DataField IdentityField = new DataField<string>("identity", nullable: false);

    /// <summary>Column face: 32 hexadecimal digits of the aligned picture's <see cref="ContentHash"/>.</summary>
    public static readonly DataField FaceField = new DataField<string>("face", nullable: false);

    /// <summary>Column photo: those of the photo's; 0s where it is not known.</summary>
    public static readonly DataField PhotoField = new DataField<string>("photo", nullable: false);

    /// <summary>Column view.</summary>
    public static readonly DataField ViewField = new DataField<string>("view", nullable: false);

    /// <summary>The numbers of column embedding.</summary>
    public static readonly DataField ElementField = new DataField<float>("element", nullable: false);

    /// <summary>The columns of every part.</summary>
    public static readonly ParquetSchema Schema = new(PathField, IdentityField, FaceField, PhotoField, ViewField, new ListField("embedding", ElementField));

    /// <summary>Writes the part whole or not at all; the same part gives the same bytes.</summary>
    /// <exception cref="FaceDistillException">The file cannot be written.</exception>
    public static void Write(string file, string storeId, EmbeddingStorePart part)
    {
        using var memory = new MemoryStream();
        WriteAsync(memory, storeId, part).GetAwaiter().GetResult();
        AtomicFile.Write(file, EmbeddingStoreSeal.Add(memory.GetBuffer().AsSpan(0, (int)memory.Length)));
    }

    private static async Task WriteAsync(Stream stream, string storeId, EmbeddingStorePart part)
    {
        var options = new ParquetOptions { CompressionMethod = CompressionMethod.None };
        await using ParquetWriter writer = await ParquetWriter.CreateAsync(Schema, stream, options).ConfigureAwait(false);
        writer.CustomMetadata = new Dictionary<string, string> { [StoreEntry] = storeId, [PartEntry] = Number(part.Index) };
        using ParquetRowGroupWriter group = writer.CreateRowGroup();
        await group.WriteAsync(PathField, PerView(part.Paths, part.Views.Count)).ConfigureAwait(false);
        await group.WriteAsync(IdentityField, PerView(part.Identities, part.Views.Count)).ConfigureAwait(false);
        await group.WriteAsync(FaceField, PerView([.. part.Faces.Select(f => f.ToString())], part.Views.Count)).ConfigureAwait(false);
        await group.WriteAsync(PhotoField, PerView([.. part.Photos.Select(p => p.ToString())], part.Views.Count)).ConfigureAwait(false);
        await group.WriteAsync(ViewField, part.Paths.SelectMany(_ => part.Views).ToArray()).ConfigureAwait(false);
        int[] definition = new int[part.Values.Length];
        Array.Fill(definition, ElementField.MaxDefinitionLevel);
        int[] repetition = new int[part.Values.Length];
        for (int i = 0; i < repetition.Length; i++)
        {
            repetition[i] = i % part.Dimension == 0 ? 0 : 1;
        }

        await group.WriteAllPartsAsync(ElementField, part.Values, definition, repetition, CancellationToken.None).ConfigureAwait(false);
        group.CompleteValidate();
    }

    private static string[] PerView(IReadOnlyList<string> texts, int views) =>
        texts.SelectMany(text => Enumerable.Repeat(text, views)).ToArray();

    /// <summary>A number as the files' metadata has it.</summary>
    public static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Reads a store's part (<see cref="EmbeddingStoreParquet"/>); takes nothing that the file claims on trust.</summary>
/// <param name="file">The part's file.</param>
/// <param name="key">The store's key.</param>
/// <param name="storeId">The key's id.</param>
/// <param name="part">The part's index.</param>
internal sealed class EmbeddingStoreParquetReader(string file, EmbeddingStoreKey key, string storeId, int part)
{
    // A store's own footers take 2 kB and, through the column statistics, up to four times the longest texts.
    private const int MaxFooterBytes = 256 * 1024;

    // Strings of one row (path, identity, view), page headers and levels.
    private const int MaxOverheadPerRow = 2 * MaxTextBytes;

    /// <summary>Reads and checks the part.</summary>
    /// <param name="values">Receives float32 [rows, D]; the part returned lies in it.</param>
    /// <exception cref="FaceDistillException">The file is missing, damaged, or belongs to another store; the message is
    /// "FILE WHAT" without a remedy, which differs between a reader and a writer.</exception>
    public EmbeddingStorePart Read(Memory<float> values)
    {
        int count = key.PartValues(part);
        byte[]? bytes = null;
        int[] levels = ArrayPool<int>.Shared.Rent(2 * count);
        EmbeddingStorePart read;
        try
        {
            bytes = ReadBounded(out int length);
            Memory<int> definition = levels.AsMemory(0, count), repetition = levels.AsMemory(count, count);
            using var memory = new MemoryStream(bytes, 0, length, writable: false);
            read = ReadAsync(memory, values[..count], definition, repetition).GetAwaiter().GetResult();
            CheckLevels(definition.Span, repetition.Span);
        }
        catch (Exception e) when (e is not FaceDistillException)
        {
            // Parquet.Net lets whatever a strange file leads to escape: index, format, memory and other errors.
            throw new FaceDistillException($"{file} is damaged ({e.Message.ReplaceLineEndings(" ")})", e);
        }
        finally
        {
            ArrayPool<int>.Shared.Return(levels);
            if (bytes is not null)
            {
                ArrayPool<byte>.Shared.Return(bytes);
            }
        }

        return read.FirstNonFinite() is { } where
            ? throw new FaceDistillException($"{file} holds an embedding that is not finite: {where}")
            : read;
    }

    /// <summary>The file's bytes in a rented array, if its size fits what it should hold and its seal is right.</summary>
    private byte[] ReadBounded(out int length)
    {
        long valueBytes = (long)key.PartValues(part) * sizeof(float);
        long rows = valueBytes / sizeof(float) / key.Dimension;
        byte[]? bytes = null;
        try
        {
            using FileStream stream = File.OpenRead(file);
            long most = Math.Min(Array.MaxLength, (valueBytes * 2) + (rows * MaxOverheadPerRow) + MaxFooterBytes);
            if (stream.Length < valueBytes || stream.Length > most)
            {
                throw new FaceDistillException($"{file} is damaged ({stream.Length} bytes do not fit {rows} embeddings of dimension {key.Dimension})");
            }

            length = (int)stream.Length;
            bytes = ArrayPool<byte>.Shared.Rent(length);
            stream.ReadExactly(bytes, 0, length);
            if (!EmbeddingStoreSeal.IsWhole(bytes.AsSpan(0, length)))
            {
                throw new FaceDistillException($"{file} is damaged or no part of an embedding store (its checksum is wrong or missing)");
            }

            byte[] result = bytes;
            bytes = null;
            return result;
        }
        catch (FileNotFoundException e)
        {
            throw new FaceDistillException($"{file} is missing", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"{file} cannot be read ({e.Message})", e);
        }
        finally
        {
            if (bytes is not null)
            {
                ArrayPool<byte>.Shared.Return(bytes);
            }
        }
    }

    private async Task<EmbeddingStorePart> ReadAsync(MemoryStream stream, Memory<float> values, Memory<int> definition, Memory<int> repetition)
    {
        await using ParquetReader reader = await ParquetReader.CreateAsync(stream).ConfigureAwait(false);
        int images = key.Images(part).Count, views = key.Views.Count;
        CheckClaims(reader, images * views);
        using ParquetRowGroupReader group = reader.OpenRowGroupReader(0);
        string[] paths = new string[images * views];
        string[] identities = new string[paths.Length];
        string[] faces = new string[paths.Length], photos = new string[paths.Length], viewNames = new string[paths.Length];
        await group.ReadAsync(PathField, paths.AsMemory()!).ConfigureAwait(false);
        await group.ReadAsync(IdentityField, identities.AsMemory()!).ConfigureAwait(false);
        await group.ReadAsync(FaceField, faces.AsMemory()!).ConfigureAwait(false);
        await group.ReadAsync(PhotoField, photos.AsMemory()!).ConfigureAwait(false);
        await group.ReadAsync(ViewField, viewNames.AsMemory()!).ConfigureAwait(false);
        await group.ReadRawAsync(ElementField, values, definition, repetition).ConfigureAwait(false);
        CheckRows(paths, identities, viewNames);
        string[] EachImage(string[] rows) => Enumerable.Range(0, images).Select(i => rows[i * views]).ToArray();
        return new EmbeddingStorePart(part, key.Images(part).First, EachImage(paths), EachImage(identities), key.Views, key.Dimension, values)
        {
            Faces = Contents(EachImage(faces)),
            Photos = Contents(EachImage(photos)),
        };
    }

    private ContentHash[] Contents(string[] texts)
    {
        var contents = new ContentHash[texts.Length];
        for (int i = 0; i < texts.Length; i++)
        {
            if (!ContentHash.TryParse(texts[i], out contents[i]))
            {
                throw new FaceDistillException($"{file} row {i * key.Views.Count}: face or photo is not the hash of a content");
            }
        }

        return contents;
    }

    private void CheckClaims(ParquetReader reader, int rows)
    {
        FileMetaData? claims = reader.Metadata;
        string? wrong =
            claims is null || !reader.Schema.Equals(Schema) ? "has other columns than an embedding store"
            : reader.CustomMetadata.GetValueOrDefault(StoreEntry) != storeId ? "belongs to another embedding store"
            : reader.CustomMetadata.GetValueOrDefault(PartEntry) != Number(part) ? "is another part of the store under a wrong name"
            : claims.RowGroups.Count != 1 || claims.NumRows != rows || claims.RowGroups[0].NumRows != rows ? $"does not hold the {rows} rows it should"
            : claims.RowGroups[0].Columns.Any(c => c.MetaData?.Codec != CompressionCodec.UNCOMPRESSED) ? "is compressed, which an embedding store is not"
            : !claims.RowGroups[0].Columns.Select(c => c.MetaData!.NumValues).SequenceEqual([rows, rows, rows, rows, rows, (long)rows * key.Dimension])
                ? $"does not hold {rows} embeddings of dimension {key.Dimension}"
            : null;
        if (wrong is not null)
        {
            throw new FaceDistillException($"{file} {wrong}");
        }
    }

    private void CheckRows(string?[] paths, string?[] identities, string?[] views)
    {
        for (int row = 0; row < paths.Length; row++)
        {
            int firstView = row - (row % key.Views.Count);
            if (string.IsNullOrEmpty(paths[row]) || identities[row] is null || paths[row] != paths[firstView]
                || identities[row] != identities[firstView] || views[row] != key.Views[row - firstView])
            {
                throw new FaceDistillException($"{file} row {row}: path, identity or view is not what an embedding store holds");
            }
        }
    }

    private void CheckLevels(ReadOnlySpan<int> definition, ReadOnlySpan<int> repetition)
    {
        for (int i = 0; i < definition.Length; i++)
        {
            if (definition[i] != ElementField.MaxDefinitionLevel || repetition[i] != (i % key.Dimension == 0 ? 0 : 1))
            {
                throw new FaceDistillException($"{file} row {i / key.Dimension}: the embedding is not a list of {key.Dimension} numbers");
            }
        }
    }
}
