using System.Buffers.Binary;
using System.Globalization;
using FaceDistill.Formats;
using Parquet;
using Parquet.Meta;
using Parquet.Schema;

namespace FaceDistill.Teachers;

/// <summary>
/// A store's part as a Parquet file: path, identity, view (strings) and embedding (a standard three-level LIST of
/// float, which pandas, pyarrow and DuckDB read), one row a view of an image, one row group, uncompressed.
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

    private const string StoreEntry = "facedistill.store";
    private const string HashEntry = "facedistill.content-sha256";

    // A store's own footers take 2 kB and, through the column statistics, up to four times the longest texts.
    private const int MaxFooterBytes = 256 * 1024;

    // Strings of one row (path, identity, view), page headers and levels.
    private const int MaxOverheadPerRow = 2 * MaxTextBytes;

    private static readonly DataField PathField = new DataField<string>("path", nullable: false);
    private static readonly DataField IdentityField = new DataField<string>("identity", nullable: false);
    private static readonly DataField ViewField = new DataField<string>("view", nullable: false);
    private static readonly DataField ElementField = new DataField<float>("element", nullable: false);
    private static readonly ParquetSchema Schema = new(PathField, IdentityField, ViewField, new ListField("embedding", ElementField));

    /// <summary>Writes the part whole or not at all; the same part gives the same bytes.</summary>
    /// <exception cref="FaceDistillException">The file cannot be written.</exception>
    public static void Write(string file, string storeId, EmbeddingStorePart part)
    {
        using var memory = new MemoryStream();
        WriteAsync(memory, storeId, part).GetAwaiter().GetResult();
        AtomicFile.Write(file, memory.GetBuffer().AsSpan(0, (int)memory.Length));
    }

    /// <summary>Reads and checks part <paramref name="part"/> of the store with this key.</summary>
    /// <exception cref="FaceDistillException">The file is missing, damaged, or belongs to another store; the message is
    /// "FILE WHAT" without a remedy, which differs between a reader and a writer.</exception>
    public static EmbeddingStorePart Read(string file, EmbeddingStoreKey key, string storeId, int part)
    {
        byte[] bytes = ReadBounded(file, key, part);
        EmbeddingStorePart read;
        try
        {
            read = ReadAsync(bytes, file, key, storeId, part).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is not FaceDistillException)
        {
            // Parquet.Net lets whatever a damaged byte leads to escape: index, format, memory and other errors.
            throw new FaceDistillException($"{file} is damaged ({e.Message.ReplaceLineEndings(" ")})", e);
        }

        if (read.FirstNonFinite() is { } where)
        {
            throw new FaceDistillException($"{file} holds an embedding that is not finite: {where}");
        }

        return read;
    }

    private static async Task WriteAsync(Stream stream, string storeId, EmbeddingStorePart part)
    {
        var options = new ParquetOptions { CompressionMethod = CompressionMethod.None };
        await using ParquetWriter writer = await ParquetWriter.CreateAsync(Schema, stream, options).ConfigureAwait(false);
        writer.CustomMetadata = new Dictionary<string, string> { [StoreEntry] = storeId, [HashEntry] = part.ContentHash() };
        using ParquetRowGroupWriter group = writer.CreateRowGroup();
        await group.WriteAsync(PathField, PerView(part.Paths, part.Views.Count)).ConfigureAwait(false);
        await group.WriteAsync(IdentityField, PerView(part.Identities, part.Views.Count)).ConfigureAwait(false);
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

    private static byte[] ReadBounded(string file, EmbeddingStoreKey key, int part)
    {
        long rows = (long)key.Images(part).Count * key.Views.Count;
        long valueBytes = rows * key.Dimension * sizeof(float);
        try
        {
            using FileStream stream = File.OpenRead(file);
            long most = Math.Min(Array.MaxLength, (valueBytes * 2) + (rows * MaxOverheadPerRow) + MaxFooterBytes);
            if (stream.Length < valueBytes + 12 || stream.Length > most)
            {
                throw new FaceDistillException(string.Create(CultureInfo.InvariantCulture,
                    $"{file} is damaged ({stream.Length} bytes cannot hold {rows} embeddings of dimension {key.Dimension})"));
            }

            byte[] bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            uint footer = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(bytes.Length - 8));
            return footer <= MaxFooterBytes ? bytes : throw new FaceDistillException($"{file} is damaged (no Parquet footer at its end)");
        }
        catch (FileNotFoundException e)
        {
            throw new FaceDistillException($"{file} is missing", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"{file} cannot be read ({e.Message})", e);
        }
    }

    private static async Task<EmbeddingStorePart> ReadAsync(byte[] bytes, string file, EmbeddingStoreKey key, string storeId, int part)
    {
        using var memory = new MemoryStream(bytes, writable: false);
        await using ParquetReader reader = await ParquetReader.CreateAsync(memory).ConfigureAwait(false);
        (int first, int images) = key.Images(part);
        int views = key.Views.Count;
        CheckClaims(file, reader, storeId, images * views, key.Dimension);
        using ParquetRowGroupReader group = reader.OpenRowGroupReader(0);
        string[] paths = new string[images * views];
        string[] identities = new string[paths.Length];
        string[] viewNames = new string[paths.Length];
        float[] values = new float[paths.Length * key.Dimension];
        await group.ReadAsync(PathField, paths.AsMemory()!).ConfigureAwait(false);
        await group.ReadAsync(IdentityField, identities.AsMemory()!).ConfigureAwait(false);
        await group.ReadAsync(ViewField, viewNames.AsMemory()!).ConfigureAwait(false);
        int[] definition = new int[values.Length];
        int[] repetition = new int[values.Length];
        await group.ReadRawAsync<float>(ElementField, values, definition, repetition).ConfigureAwait(false);
        CheckRows(file, key, paths, identities, viewNames, definition, repetition);
        string[] EachImage(string[] rows) => Enumerable.Range(0, images).Select(i => rows[i * views]).ToArray();
        var read = new EmbeddingStorePart(first, EachImage(paths), EachImage(identities), key.Views, key.Dimension, values);
        return reader.CustomMetadata.GetValueOrDefault(HashEntry) == read.ContentHash()
            ? read
            : throw new FaceDistillException($"{file} is damaged (its content does not have the hash noted in it)");
    }

    private static void CheckClaims(string file, ParquetReader reader, string storeId, int rows, int dimension)
    {
        FileMetaData? claims = reader.Metadata;
        string? wrong =
            claims is null || !reader.Schema.Equals(Schema) ? "has other columns than an embedding store"
            : reader.CustomMetadata.GetValueOrDefault(StoreEntry) != storeId ? "belongs to another embedding store"
            : claims.RowGroups.Count != 1 || claims.NumRows != rows || claims.RowGroups[0].NumRows != rows ? $"does not hold the {rows} rows it should"
            : claims.RowGroups[0].Columns.Any(c => c.MetaData?.Codec != CompressionCodec.UNCOMPRESSED) ? "is compressed, which an embedding store is not"
            : !claims.RowGroups[0].Columns.Select(c => c.MetaData!.NumValues).SequenceEqual([rows, rows, rows, (long)rows * dimension])
                ? $"does not hold {rows} embeddings of dimension {dimension}"
            : null;
        if (wrong is not null)
        {
            throw new FaceDistillException($"{file} {wrong}");
        }
    }

    private static void CheckRows(
        string file, EmbeddingStoreKey key, string?[] paths, string?[] identities, string?[] views, int[] definition, int[] repetition)
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

        for (int i = 0; i < definition.Length; i++)
        {
            if (definition[i] != ElementField.MaxDefinitionLevel || repetition[i] != (i % key.Dimension == 0 ? 0 : 1))
            {
                throw new FaceDistillException($"{file} row {i / key.Dimension}: the embedding is not a list of {key.Dimension} numbers");
            }
        }
    }
}
