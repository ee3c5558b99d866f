using System.Globalization;
using FaceDistill.Formats;
using Parquet;
using Parquet.Schema;

namespace FaceDistill.Teachers;

/// <summary>
/// A store's part as a Parquet file: path, identity, view (strings) and embedding (a standard three-level LIST of
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

    /// <summary>Column view.</summary>
    public static readonly DataField ViewField = new DataField<string>("view", nullable: false);

    /// <summary>The numbers of column embedding.</summary>
    public static readonly DataField ElementField = new DataField<float>("element", nullable: false);

    /// <summary>The columns of every part.</summary>
    public static readonly ParquetSchema Schema = new(PathField, IdentityField, ViewField, new ListField("embedding", ElementField));

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
