using System.Text.Json.Serialization;
using System.Numerics.Tensors;
using System.Reflection;
using FaceDistill.Files;

namespace FaceDistill.Stores;

/// <summary>
/// A whole embedding store, open for reading: a folder with <c>store.json</c> (what it holds) and Parquet parts
/// <c>part-00000.parquet</c>, ..., each covering consecutive images of the list.
/// </summary>
/// <remarks>
/// Other programs read the parts by <c>part-*.parquet</c>, for example <c>pandas.concat(map(pandas.read_parquet, sorted(glob(...))))</c>.
/// Every read part is checked against the key and its own checksum; nothing is taken on trust.
/// </remarks>
public sealed class EmbeddingStore
{
    private readonly string _id;

    private EmbeddingStore(string folder, EmbeddingStoreKey key)
    {
        (Folder, Key, _id) = (folder, key, key.Id);
    }

    /// <summary>The store's folder.</summary>
    public string Folder { get; }

    /// <summary>What the store holds.</summary>
    internal EmbeddingStoreKey Key { get; }

    /// <summary>Opens a whole store for reading. Reads <c>store.json</c> and sees that every part is there and long enough; the parts are read later.</summary>
    /// <exception cref="FaceDistillException">There is no store, <c>store.json</c> is damaged, or parts are missing.</exception>
    public static EmbeddingStore Open(string folder)
    {
        EmbeddingStoreKey key = EmbeddingStoreManifest.Read(folder).Key;
        // From what the folder holds, not from what the key claims, which may be billions of parts.
        var names = Directory.EnumerateFiles(folder, "part-*.parquet").Select(Path.GetFileName).ToHashSet(StringComparer.Ordinal);
        int present = Enumerable.Range(0, Math.Min(key.PartCount, names.Count)).Count(part => names.Contains(EmbeddingStoreKey.PartName(part)));
        if (present != key.PartCount)
        {
            throw new FaceDistillException($"{folder} is incomplete: it has {present} of {key.PartCount} parts; run embed again to finish it");
        }

        var store = new EmbeddingStore(folder, key);
        for (int part = 0; part < key.PartCount; part++)
        {
            long length = new FileInfo(store.PartFile(part)).Length;
            if (length < (long)key.PartValues(part) * sizeof(float))
            {
                throw new FaceDistillException(
                    $"{store.PartFile(part)} is damaged (its {length} bytes cannot hold the {key.PartValues(part)} values that store.json claims); run "
                        + "embed again to replace it");
            }
        }

        return store;
    }

    /// <summary>Reads and checks one part.</summary>
    /// <exception cref="FaceDistillException">The part is missing, damaged or of another store; the message names its file.</exception>
    internal EmbeddingStorePart ReadPart(int part) => ReadPart(part, new float[Key.PartValues(part)]);

    /// <summary>The parts in order, one in memory at a time.</summary>
    /// <exception cref="FaceDistillException">While iterating: a part is missing, damaged or of another store, or a path is there twice.</exception>
    internal IEnumerable<EmbeddingStorePart> Parts() => Parts(part => new float[Key.PartValues(part)]);

    /// <summary>All embeddings of one view, in the order of the image list; takes the memory of the result and one part.</summary>
    /// <returns>float32 [ImageCount, D] with paths and identities, named after the teacher.</returns>
    /// <exception cref="FaceDistillException">No such view, a part is damaged, or one view is more than one array can hold.</exception>
    public EmbeddingSet ReadAll(string view, JobContext? job = null)
    {
        job ??= JobContext.None;
        int viewIndex = Key.ViewIndex(view);
        if ((long)Key.ImageCount * Key.Dimension > Array.MaxLength)
        {
            throw new FaceDistillException(
                $"{Folder}: {Key.ImageCount} embeddings of dimension {Key.Dimension} are more than one array holds ({Array.MaxLength} values); read it part "
                    + "by part");
        }

        var values = new float[Key.ImageCount * Key.Dimension];
        var paths = new string[Key.ImageCount];
        var identities = new string[Key.ImageCount];
        ContentHash[] faces = new ContentHash[Key.ImageCount], photos = new ContentHash[Key.ImageCount];
        float[] buffer = new float[Key.PartValues(0)];
        foreach (EmbeddingStorePart part in Parts(_ => buffer))
        {
            job.Cancel.ThrowIfCancellationRequested();
            for (int i = 0; i < part.Paths.Count; i++)
            {
                int image = part.FirstImage + i;
                (paths[image], identities[image], faces[image], photos[image]) = (part.Paths[i], part.Identities[i], part.Faces[i], part.Photos[i]);
                part.Row(i, viewIndex).CopyTo(values.AsSpan(image * Key.Dimension));
            }

            job.Progress?.Report(new WorkProgress("reading embeddings", part.FirstImage + part.Paths.Count, Key.ImageCount, "images"));
        }

        var source = EmbeddingSource.Of(Folder);
        return new EmbeddingSet(Key.Teacher, Key.Dimension, values, paths, identities)
        {
            Faces = faces,
            Photos = photos,
            ModelHash = Key.TeacherHash,
            Skipped = source?.Skipped.Select(s => (s.Path, s.Reason)).ToArray() ?? [],
            SeveralFaces = source?.SeveralFaces?.ToHashSet(StringComparer.Ordinal),
        };
    }

    private IEnumerable<EmbeddingStorePart> Parts(Func<int, float[]> bufferOf)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (int index = 0; index < Key.PartCount; index++)
        {
            EmbeddingStorePart part = ReadPart(index, bufferOf(index));
            for (int image = 0; image < part.Paths.Count; image++)
            {
                if (!seen.Add(part.Paths[image]))
                {
                    throw new FaceDistillException(
                        $"{PartFile(index)} image {part.FirstImage + image}: {part.Paths[image]} is in the store twice; run embed again into another folder");
                }
            }

            yield return part;
        }
    }

    private EmbeddingStorePart ReadPart(int part, float[] buffer)
    {
        try
        {
            return new EmbeddingStoreParquetReader(PartFile(part), Key, _id, part).Read(buffer);
        }
        catch (FaceDistillException e)
        {
            throw new FaceDistillException($"{e.Message}; run embed again to replace it", e);
        }
    }

    private string PartFile(int part) => Path.Combine(Folder, EmbeddingStoreKey.PartName(part));
}

/// <summary>One part of an embedding store in memory: the embeddings of consecutive images, every view.</summary>
/// <param name="Index">The part's index.</param>
/// <param name="FirstImage">Index in the image list of the part's first image.</param>
/// <param name="Paths">The images' paths, relative to the data set and '/'-separated.</param>
/// <param name="Identities">The images' identities; empty where unknown.</param>
/// <param name="Views">The views, in order.</param>
/// <param name="Dimension">D, the embedding's length.</param>
/// <param name="Values">float32 [images * views, D], image-major: image 0 view 0, image 0 view 1, ..., image 1 view 0, ...</param>
internal sealed record EmbeddingStorePart(
    int Index,
    int FirstImage,
    IReadOnlyList<string> Paths,
    IReadOnlyList<string> Identities,
    IReadOnlyList<string> Views,
    int Dimension,
    ReadOnlyMemory<float> Values)
{
    /// <summary>What each image's aligned picture is known by.</summary>
    public required ContentHash[] Faces { get; init; }

    /// <summary>What its photo is known by; none where that is not known.</summary>
    public required ContentHash[] Photos { get; init; }

    /// <summary>The most images a part may cover.</summary>
    internal const int MaxRows = 1 << 20;

    /// <summary>The most float values a part may hold (512 MiB), so that a part is always a small piece of memory.</summary>
    internal const int MaxValues = 1 << 27;

    /// <summary>The embedding of one view of the part's image <paramref name="image"/>, float32 [D].</summary>
    public ReadOnlySpan<float> Row(int image, int view) =>
        Values.Span.Slice(((image * Views.Count) + view) * Dimension, Dimension);

    /// <summary>The first image and view with a NaN or an infinity, as words; null when all values are finite.</summary>
    internal string? FirstNonFinite()
    {
        if (TensorPrimitives.IsFiniteAll(Values.Span))
        {
            return null;
        }

        for (int row = 0; row < Paths.Count * Views.Count; row++)
        {
            (int image, int view) = Math.DivRem(row, Views.Count);
            if (!TensorPrimitives.IsFiniteAll(Row(image, view)))
            {
                return InvariantText.Of($"{Paths[image]} (image {FirstImage + image}, view {Views[view]})");
            }
        }

        return null;
    }
}

/// <summary>A file of the data that gave no face.</summary>
/// <param name="Path">Relative to the data's folder.</param>
/// <param name="Reason">Why.</param>
internal sealed record SkippedFile(string Path, string Reason);

/// <summary>Where a store's faces came from: source.json beside the parts, so that protocols find their files.</summary>
/// <param name="Data">The data set's folder.</param>
/// <param name="Template">The template that the faces are aligned to.</param>
/// <param name="Skipped">What of it gave no face.</param>
internal sealed record EmbeddingSource(string Data, string Template, IReadOnlyList<SkippedFile> Skipped)
{
    /// <summary>The file's name.</summary>
    public const string FileName = "source.json";

    /// <summary>The paths of faces whose photos show several; null where nobody counted.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? SeveralFaces { get; init; }

    /// <summary>Reads a store's source; null where the store does not say.</summary>
    /// <exception cref="FaceDistillException">It is damaged, or the store is of another version.</exception>
    public static EmbeddingSource? Of(string store)
    {
        string path = Path.Combine(store, FileName);
        if (!File.Exists(path))
        {
            return null;
        }

        _ = EmbeddingStoreManifest.Read(store); // says what is wrong with a store of another version
        return JsonFile.Read<EmbeddingSource>(path);
    }

    /// <summary>Writes it into a store.</summary>
    public void Write(string store) => JsonFile.Write(Path.Combine(store, FileName), this);
}

/// <summary>What <c>store.json</c> says: the key and who wrote it.</summary>
/// <param name="FormatVersion">The layout's version; this FaceDistill reads and writes <see cref="CurrentVersion"/>.</param>
/// <param name="CreatedBy">The FaceDistill that made the store, for people.</param>
/// <param name="Key">What the store holds.</param>
internal sealed record EmbeddingStoreManifest(int FormatVersion, string CreatedBy, EmbeddingStoreKey Key)
{
    /// <summary>The layout's version.</summary>
    public const int CurrentVersion = 2;

    /// <summary>The file's name in the store's folder.</summary>
    public const string FileName = "store.json";

    /// <summary>Reads and checks the file.</summary>
    /// <exception cref="FaceDistillException">It is missing, damaged, of another version or holds an impossible key.</exception>
    public static EmbeddingStoreManifest Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw new FaceDistillException($"{folder} is no embedding store ({FileName} is missing); run embed first or name another folder");
        }

        var manifest = JsonFile.Read<EmbeddingStoreManifest>(path);
        if (manifest.FormatVersion != CurrentVersion)
        {
            throw new FaceDistillException(
                $"{path} has format version {manifest.FormatVersion}, this FaceDistill knows {CurrentVersion}; embed into another folder");
        }

        manifest.Key.Check(path);
        return manifest;
    }

    /// <summary>Writes the file of a new store.</summary>
    /// <exception cref="FaceDistillException">The file cannot be written.</exception>
    public static void Write(string folder, EmbeddingStoreKey key)
    {
        string version = typeof(EmbeddingStoreManifest).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
        JsonFile.Write(Path.Combine(folder, FileName), new EmbeddingStoreManifest(CurrentVersion, $"FaceDistill {version}", key));
    }
}
