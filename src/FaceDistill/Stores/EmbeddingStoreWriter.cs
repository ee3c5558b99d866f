using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using FaceDistill.Files;

namespace FaceDistill.Stores;

/// <summary>Writes an embedding store, by this process alone. store.json comes last, so that a folder without it is no store and blocks nobody.</summary>
internal sealed class EmbeddingStoreWriter : IDisposable
{
    private const string Beside = ".part";
    private readonly EmbeddingStoreKey _key;
    private readonly FolderLock _lock;
    private readonly string _folder;
    private readonly bool _made;
    private bool _grows;

    private EmbeddingStoreWriter(string folder, EmbeddingStoreKey key, FolderLock held, bool made) =>
        (_folder, _key, _lock, _made) = (folder, key, held, made);

    /// <summary>Whether the folder holds a whole store of this key already.</summary>
    public bool IsWhole { get; private set; }

    /// <summary>Takes a folder for a store; nothing is written yet.</summary>
    /// <param name="folder">Missing, empty, with the same store, or with what a killed run left of one.</param>
    /// <param name="key">What the store is to hold.</param>
    /// <param name="faces">The contents of the faces that it is to hold: a store of some of them grows.</param>
    /// <param name="job">Told what is damaged and written again, and of a store that grows.</param>
    /// <exception cref="FaceDistillException">The folder holds another store or other files, another process writes to it, or it cannot be written.</exception>
    public static EmbeddingStoreWriter Open(string folder, EmbeddingStoreKey key, IEnumerable<ContentHash> faces, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(key);
        key.Check($"embedding store {folder}");
        bool made = !Directory.Exists(folder);
        var writer = new EmbeddingStoreWriter(folder, key, FolderLock.Take(folder), made);
        try
        {
            writer.Check(faces, job);
            return writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    /// <summary>Writes the store.</summary>
    /// <param name="views">The embeddings of each of the key's views.</param>
    /// <param name="source">Where the faces came from.</param>
    /// <param name="cancel">Stops between parts.</param>
    /// <exception cref="FaceDistillException">An image's names are too long, or a file cannot be written.</exception>
    public void Write(IReadOnlyList<EmbeddingSet> views, EmbeddingSource source, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(views);
        CheckTexts(views[0]);
        for (int part = 0; part < _key.PartCount; part++)
        {
            cancel.ThrowIfCancellationRequested();
            EmbeddingStoreParquet.Write(PartFile(part) + (_grows ? Beside : ""), _key.Id, PartOf(views, part));
        }

        if (_grows)
        {
            // Until here the smaller store is as it was; what is killed from here on is no store, and written again.
            File.Delete(Path.Combine(_folder, EmbeddingStoreManifest.FileName));
            Enumerable.Range(0, _key.PartCount).ToList().ForEach(part => File.Move(PartFile(part) + Beside, PartFile(part), overwrite: true));
        }

        // Parts of a larger store that was not finished, which whoever reads all part-*.parquet would take for this one's.
        for (int part = _key.PartCount; File.Exists(PartFile(part)); part++)
        {
            File.Delete(PartFile(part));
        }

        source.Write(_folder);
        EmbeddingStoreManifest.Write(_folder, _key);
        IsWhole = true;
    }

    /// <summary>Lets other processes write to the folder; one that was made for a store that did not come about goes.</summary>
    public void Dispose()
    {
        _lock.Dispose();
        try
        {
            if (_made && !IsWhole && Directory.Exists(_folder) && !Directory.EnumerateFileSystemEntries(_folder).Any())
            {
                Directory.Delete(_folder);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // An empty folder blocks nobody.
        }
    }

    private EmbeddingStorePart PartOf(IReadOnlyList<EmbeddingSet> views, int part)
    {
        var (first, count) = _key.Images(part);
        int d = _key.Dimension;
        var values = new float[_key.PartValues(part)];
        for (int i = 0; i < count; i++)
        {
            for (int v = 0; v < views.Count; v++)
            {
                views[v].Row(first + i).CopyTo(values.AsSpan(((i * views.Count) + v) * d));
            }
        }

        var set = views[0];
        return new EmbeddingStorePart(part, first, set.Paths[first..(first + count)], set.Identities[first..(first + count)], _key.Views, d, values)
        {
            Faces = set.Faces![first..(first + count)],
            Photos = set.Photos![first..(first + count)],
        };
    }

    private static void CheckTexts(EmbeddingSet set)
    {
        int long_ = Enumerable.Range(0, set.Count).FirstOrDefault(
            i => Encoding.UTF8.GetByteCount(set.Paths[i]) + Encoding.UTF8.GetByteCount(set.Identities[i]) > EmbeddingStoreParquet.MaxTextBytes, -1);
        if (long_ >= 0)
        {
            throw new FaceDistillException(
                $"image {long_} of the list: path and identity take more than {EmbeddingStoreParquet.MaxTextBytes} bytes; shorten them");
        }
    }

    private void Check(IEnumerable<ContentHash> faces, JobContext job)
    {
        if (File.Exists(Path.Combine(_folder, EmbeddingStoreManifest.FileName)))
        {
            var there = EmbeddingStoreManifest.Read(_folder).Key;
            _grows = there.Id != _key.Id && (there with { ImageCount = _key.ImageCount, ImagesHash = _key.ImagesHash }).Id == _key.Id && Holds(faces);
            if (!_grows && there.DifferenceFrom(_key) is { } difference)
            {
                throw new FaceDistillException($"{_folder} holds {difference}; choose another --output or delete the folder");
            }

            if (_grows)
            {
                job.Say?.Invoke($"{_folder} holds {there.ImageCount} of these {_key.ImageCount} faces: the others are added");
            }

            IsWhole = !_grows && Enumerable.Range(0, _key.PartCount).All(part => IsGood(part, job));
        }
        else if (Directory.EnumerateFileSystemEntries(_folder).FirstOrDefault(e => !IsOwn(Path.GetFileName(e))) is { } foreign)
        {
            throw new FaceDistillException(
                $"{_folder} is no embedding store but holds {Path.GetFileName(foreign)}; choose another --output or empty the folder");
        }

        foreach (string leftover in Directory.EnumerateFiles(_folder, "*.part").Where(e => IsOwn(Path.GetFileName(e))))
        {
            File.Delete(leftover); // of a killed run; we hold the lock
        }
    }

    // Whether nothing of the store that is there would be lost.
    private bool Holds(IEnumerable<ContentHash> faces)
    {
        var all = faces.ToHashSet();
        return EmbeddingStore.Open(_folder).Parts().All(part => part.Faces.All(all.Contains));
    }

    private bool IsGood(int part, JobContext job)
    {
        try
        {
            new EmbeddingStoreParquetReader(PartFile(part), _key, _key.Id, part).Read(new float[_key.PartValues(part)]);
            return true;
        }
        catch (FaceDistillException e)
        {
            job.Say?.Invoke($"{e.Message}; it is written again");
            return false;
        }
    }

    // The lock, and what a killed run left of a store.
    private static bool IsOwn(string name) => name is FolderLock.FileName or EmbeddingSource.FileName
        || (name.StartsWith("part-", StringComparison.Ordinal)
            && (name.EndsWith(".parquet", StringComparison.Ordinal) || name.EndsWith(".part", StringComparison.Ordinal)))
        || (name.EndsWith(".part", StringComparison.Ordinal)
            && (name.StartsWith(EmbeddingStoreManifest.FileName, StringComparison.Ordinal)
                || name.StartsWith(EmbeddingSource.FileName, StringComparison.Ordinal)));

    private string PartFile(int part) => Path.Combine(_folder, EmbeddingStoreKey.PartName(part));
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
