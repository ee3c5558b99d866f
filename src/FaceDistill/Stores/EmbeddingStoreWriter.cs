using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using FaceDistill.Files;

namespace FaceDistill.Stores;

/// <summary>
/// An embedding store being filled, part by part, by this process alone. A part's file in place is a finished part,
/// so a killed run leaves only whole parts and a later run computes the missing ones. Not for several threads at once.
/// </summary>
internal sealed class EmbeddingStoreWriter : IDisposable
{
    private readonly IReadOnlyList<(string Path, string Identity)> _images;
    private readonly string _id;
    private readonly bool[] _done;
    private readonly List<string> _notices = [];
    private readonly FolderLock _lock;

    private EmbeddingStoreWriter(string folder, EmbeddingStoreKey key, IReadOnlyList<(string Path, string Identity)> images, FolderLock held)
    {
        (Folder, Key, _id, _images, _lock) = (folder, key, key.Id, images, held);
        _done = new bool[key.PartCount];
    }

    /// <summary>The store's folder.</summary>
    public string Folder { get; }

    /// <summary>What the store holds.</summary>
    public EmbeddingStoreKey Key { get; }

    /// <summary>One line for each part that was there but must be computed again, with the reason.</summary>
    public IReadOnlyList<string> Notices => _notices;

    /// <summary>Whether every part is there.</summary>
    public bool IsComplete => Array.TrueForAll(_done, done => done);

    /// <summary>The parts still to be written, in order; <see cref="EmbeddingStoreKey.Images"/> gives their images.</summary>
    public IEnumerable<int> MissingParts() => Enumerable.Range(0, _done.Length).Where(part => !_done[part]);

    /// <summary>Writes one part, whole or not at all.</summary>
    /// <param name="part">The part's index.</param>
    /// <param name="values">float32 [images of the part * views, D], image-major: image 0 view 0, image 0 view 1, ..., image 1 view 0, ...</param>
    /// <exception cref="ArgumentException">There is no such part, or <paramref name="values"/> has another length.</exception>
    /// <exception cref="FaceDistillException">A value is NaN or infinite (the message names the image), or the file cannot be written.</exception>
    public void WritePart(int part, ReadOnlyMemory<float> values)
    {
        ObjectDisposedException.ThrowIf(_lock.IsDisposed, this);
        (int first, int count) = Key.Images(part);
        int expected = Key.PartValues(part);
        if (values.Length != expected)
        {
            throw new ArgumentException(
                InvariantText.Of($"part {part} takes {count} images x {Key.Views.Count} views x {Key.Dimension} = {expected} values, not {values.Length}"),
                nameof(values));
        }

        (string[] paths, string[] identities) = Texts(first, count);
        var content = new EmbeddingStorePart(part, first, paths, identities, Key.Views, Key.Dimension, values);
        if (content.FirstNonFinite() is { } where)
        {
            throw new FaceDistillException(
                $"teacher {Key.Teacher} gave NaN or an infinity for {where}; check the teacher's input contract, or take the image out of the list");
        }

        EmbeddingStoreParquet.Write(PartFile(part), _id, content);
        _done[part] = true;
    }

    /// <summary>Lets other processes write to the folder.</summary>
    public void Dispose() => _lock.Dispose();

    /// <summary>
    /// Opens a store for writing; creates it where the folder is missing or empty. Parts that are there and whole stay,
    /// damaged or foreign ones are to be computed again (<see cref="Notices"/> says so).
    /// </summary>
    /// <param name="folder">The store's folder.</param>
    /// <param name="key">What it is to hold.</param>
    /// <param name="images">Path (relative, '/'-separated, each once) and identity (empty where unknown) of each image, in order.</param>
    /// <param name="job">Hears of each existing part that was checked.</param>
    /// <param name="held">The folder's lock, which becomes the writer's; null to take it here.</param>
    /// <exception cref="FaceDistillException">The folder holds another store or other files, another process writes to it, it cannot be
    /// written, or the image list does not fit the key.</exception>
    public static EmbeddingStoreWriter Open(
        string folder, EmbeddingStoreKey key, IReadOnlyList<(string Path, string Identity)> images, JobContext? job = null, FolderLock? held = null)
    {
        try
        {
            key.Check($"embedding store {folder}");
            CheckImages(key, images);
            held ??= FolderLock.Take(folder);
            PrepareFolder(folder, key);
            var writer = new EmbeddingStoreWriter(folder, key, images, held);
            writer.CheckParts(job ?? JobContext.None);
            return writer;
        }
        catch
        {
            held?.Dispose();
            throw;
        }
    }

    private static void CheckImages(EmbeddingStoreKey key, IReadOnlyList<(string Path, string Identity)> images)
    {
        if (images.Count != key.ImageCount)
        {
            throw new ArgumentException($"{images.Count} images, but the key says {key.ImageCount}", nameof(images));
        }

        var seen = new HashSet<string>(images.Count, StringComparer.Ordinal);
        for (int i = 0; i < images.Count; i++)
        {
            (string path, string identity) = images[i];
            string? wrong = path.Length == 0 ? "an empty path"
                : !seen.Add(path) ? $"{path} is in the list twice; list each image once"
                : Encoding.UTF8.GetByteCount(path) + Encoding.UTF8.GetByteCount(identity) > EmbeddingStoreParquet.MaxTextBytes
                    ? $"path and identity take more than {EmbeddingStoreParquet.MaxTextBytes} bytes; shorten them"
                : null;
            if (wrong is not null)
            {
                throw new FaceDistillException($"image {i} of the list: {wrong}");
            }
        }
    }

    /// <summary>Sees whose folder it is, notes the key in a new one, and clears what a killed run left unfinished.</summary>
    private static void PrepareFolder(string folder, EmbeddingStoreKey key)
    {
        if (File.Exists(Path.Combine(folder, EmbeddingStoreManifest.FileName)))
        {
            if (EmbeddingStoreManifest.Read(folder).Key.DifferenceFrom(key) is { } difference)
            {
                throw new FaceDistillException($"{folder} holds {difference}; choose another --output or delete the folder");
            }
        }
        else if (Directory.EnumerateFileSystemEntries(folder).FirstOrDefault(e => !IsOwnLeftover(Path.GetFileName(e))) is { } foreign)
        {
            throw new FaceDistillException(
                $"{folder} is no embedding store but holds {Path.GetFileName(foreign)}; choose another --output or empty the folder");
        }
        else
        {
            EmbeddingStoreManifest.Write(folder, key);
        }

        foreach (string leftover in Directory.EnumerateFiles(folder, "*.part"))
        {
            if (IsOwnLeftover(Path.GetFileName(leftover)))
            {
                File.Delete(leftover);
            }
        }
    }

    // The lock, and what AtomicFile was writing beside a file of the store when the process was killed.
    private static bool IsOwnLeftover(string name) =>
        name == FolderLock.FileName
        || (name.EndsWith(".part", StringComparison.Ordinal)
            && (name.StartsWith("part-", StringComparison.Ordinal) || name.StartsWith(EmbeddingStoreManifest.FileName, StringComparison.Ordinal)));

    private void CheckParts(JobContext job)
    {
        var buffer = new float[Key.PartValues(0)];
        for (int part = 0; part < _done.Length; part++)
        {
            job.Cancel.ThrowIfCancellationRequested();
            string file = PartFile(part);
            if (!File.Exists(file))
            {
                continue;
            }

            try
            {
                EmbeddingStorePart read = new EmbeddingStoreParquetReader(file, Key, _id, part).Read(buffer);
                (string[] paths, string[] identities) = Texts(read.FirstImage, read.Paths.Count);
                _done[part] = read.Paths.SequenceEqual(paths) && read.Identities.SequenceEqual(identities)
                    ? true
                    : throw new FaceDistillException($"{file} names other images or identities than the list");
            }
            catch (FaceDistillException e)
            {
                _notices.Add($"{e.Message}; it is computed again");
            }

            job.Progress?.Report(new WorkProgress("checking embeddings", part + 1, _done.Length, "parts"));
        }
    }

    private (string[] Paths, string[] Identities) Texts(int first, int count)
    {
        IEnumerable<(string Path, string Identity)> images = Enumerable.Range(first, count).Select(i => _images[i]);
        return (images.Select(i => i.Path).ToArray(), images.Select(i => i.Identity).ToArray());
    }

    private string PartFile(int part) => Path.Combine(Folder, EmbeddingStoreKey.PartName(part));
}

/// <summary>
/// A checksum of a whole Parquet file inside it, checked before anything in the file is decoded.
/// </summary>
/// <remarks>
/// Parquet.Net 6.1 checks no page checksums, so a flipped bit would pass as an embedding, and some damaged footers make it
/// loop for ever. The seal (8 bytes of mark, SHA-256 of all other bytes) stands between the last page and the footer, where the format
/// leaves room: pages are found by their offset from the start, the footer by its length from the end, so other readers see nothing of it.
/// </remarks>
internal static class EmbeddingStoreSeal
{
    // A Parquet file ends with the footer, the footer's length (4 bytes) and "PAR1".
    private const int TailBytes = 8;
    private const int SealBytes = 8 + SHA256.HashSizeInBytes;

    private static ReadOnlySpan<byte> Mark => "FDSEAL01"u8;

    /// <summary>The file with its seal.</summary>
    /// <param name="parquet">A whole Parquet file.</param>
    public static byte[] Add(ReadOnlySpan<byte> parquet)
    {
        int footer = FooterStart(parquet);
        var file = new byte[parquet.Length + SealBytes];
        parquet[..footer].CopyTo(file);
        Mark.CopyTo(file.AsSpan(footer));
        parquet[footer..].CopyTo(file.AsSpan(footer + SealBytes));
        Hash(file, footer).CopyTo(file.AsSpan(footer + Mark.Length));
        return file;
    }

    /// <summary>Whether the file is one that <see cref="Add"/> gave, byte for byte.</summary>
    public static bool IsWhole(ReadOnlySpan<byte> file)
    {
        int seal = FooterStart(file) - SealBytes;
        return seal >= 0
            && file.Slice(seal, Mark.Length).SequenceEqual(Mark)
            && file.Slice(seal + Mark.Length, SHA256.HashSizeInBytes).SequenceEqual(Hash(file, seal));
    }

    /// <summary>Where the footer begins; -1 when the end is not that of a Parquet file.</summary>
    private static int FooterStart(ReadOnlySpan<byte> file)
    {
        if (file.Length < TailBytes || !file[^4..].SequenceEqual("PAR1"u8))
        {
            return -1;
        }

        uint footer = BinaryPrimitives.ReadUInt32LittleEndian(file[^TailBytes..]);
        return footer <= file.Length - TailBytes ? file.Length - TailBytes - (int)footer : -1;
    }

    private static byte[] Hash(ReadOnlySpan<byte> file, int seal)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(file[..seal]);
        hash.AppendData(file[(seal + SealBytes)..]);
        return hash.GetHashAndReset();
    }
}
