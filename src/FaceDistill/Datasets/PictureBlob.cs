using System.Text;
using FaceDistill.Assets;
using FaceDistill.Files;

namespace FaceDistill.Datasets;

/// <summary>A picture in a blob.</summary>
/// <param name="Path">Its path in the data set.</param>
/// <param name="Identity">Whom it shows.</param>
/// <param name="Offset">Where it begins.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Hash">Its content.</param>
internal readonly record struct BlobPicture(string Path, string Identity, long Offset, int Length, ContentHash Hash);

/// <summary>
/// The pictures of a file that cannot be read from their places (compressed, or a pickle), copied once into one file of the cache, which is named after the
/// file's content, and compared with its own hashes each time that it is opened.
/// </summary>
/// <remarks>
/// archives/KIND-HASH.blob: the pictures one after another; then the index: int32 count, and for each path, identity (strings as BinaryWriter has them), int64
/// offset, int32 length, 16 bytes of content hash; int32 length of the notes, and these; then int64 offset of the index, the content hash of the index, and
/// 8 bytes "FDBLOB01".
/// </remarks>
/// <param name="File">The blob.</param>
/// <param name="Pictures">The pictures, in the order in which they were added.</param>
/// <param name="Notes">What else the reader keeps.</param>
internal sealed record PictureBlob(string File, IReadOnlyList<BlobPicture> Pictures, byte[] Notes)
{
    private const int FooterBytes = 32;
    private static readonly byte[] Magic = "FDBLOB01"u8.ToArray();

    /// <summary>Opens a file's blob, which is made where it is not there.</summary>
    /// <param name="source">The file.</param>
    /// <param name="kind">The reader and its version.</param>
    /// <param name="copy">Adds the pictures, and returns the notes.</param>
    /// <param name="job">Told that it is made.</param>
    /// <exception cref="FaceDistillException">The file cannot be read, is changed meanwhile, or the blob cannot be written.</exception>
    public static PictureBlob Of(string source, string kind, Func<Writer, byte[]> copy, JobContext job)
    {
        ArgumentNullException.ThrowIfNull(job);
        var content = FaceDataset.Content(source);
        string name = Path.Combine("archives", $"{kind}-{content}.blob");
        PictureBlob? Known() => CacheFolder.Roots.Select(root => TryOpen(Path.Combine(root, name), job)).FirstOrDefault(blob => blob is not null);
        if (Known() is { } known)
        {
            return known;
        }

        string file = Path.Combine(CacheFolder.Root, name);
        using var held = FolderLock.Wait(Path.GetDirectoryName(file)!, job, out bool waited);
        if (waited && Known() is { } made)
        {
            return made;
        }

        AtomicFile.Write(file, stream =>
        {
            var writer = new Writer(stream);
            writer.Finish(copy(writer));
            if (FaceDataset.Content(source) != content)
            {
                throw new FaceDistillException($"{source} was changed while it was read; run the same again");
            }
        });
        return TryOpen(file, job) ?? throw new FaceDistillException($"{file} cannot be read back; see to the disk");
    }

    /// <summary>The pictures as a data set, in ordinal order of their paths.</summary>
    public FaceDataset Dataset(string root) => new(
        root,
        [.. Pictures.OrderBy(p => p.Path, StringComparer.Ordinal)
            .Select(p => new FaceImage(p.Path, p.Identity) { Hash = p.Hash, Place = new FilePlace(File, p.Offset, p.Length) })],
        []);

    // Null where there is none, or not what was written.
    private static PictureBlob? TryOpen(string file, JobContext job)
    {
        try
        {
            if (!System.IO.File.Exists(file) || Read(file) is not { } blob)
            {
                return null;
            }

            int bad = 0;
            var options = new ParallelOptions { CancellationToken = job.Cancel, MaxDegreeOfParallelism = Environment.ProcessorCount };
            Parallel.ForEach(blob.Pictures, options, (p, state) =>
            {
                if (ContentHash.OfFile(new FilePlace(file, p.Offset, p.Length)) != p.Hash)
                {
                    Interlocked.Exchange(ref bad, 1);
                    state.Stop();
                }
            });
            return bad == 0 ? blob : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or AggregateException { InnerException: IOException })
        {
            return null; // gone, or not ours: it is made again
        }
    }

    private static PictureBlob? Read(string file)
    {
        using var stream = System.IO.File.OpenRead(file);
        if (stream.Length < FooterBytes)
        {
            return null;
        }

        stream.Position = stream.Length - FooterBytes;
        using var reader = new BinaryReader(stream, Encoding.UTF8);
        long at = reader.ReadInt64(), length = stream.Length - FooterBytes - at;
        var hash = ContentHash.FromBytes(reader.ReadBytes(16));
        if (at < 0 || length is < 8 or > int.MaxValue || !reader.ReadBytes(8).AsSpan().SequenceEqual(Magic))
        {
            return null;
        }

        byte[] index = new byte[length];
        stream.Position = at;
        stream.ReadExactly(index);
        if (ContentHash.Of(index) != hash)
        {
            return null;
        }

        using var entries = new BinaryReader(new MemoryStream(index), Encoding.UTF8); // as it was written, since its hash is right
        var pictures = new BlobPicture[entries.ReadInt32()];
        for (int i = 0; i < pictures.Length; i++)
        {
            pictures[i] = new BlobPicture(
                entries.ReadString(), entries.ReadString(), entries.ReadInt64(), entries.ReadInt32(), ContentHash.FromBytes(entries.ReadBytes(16)));
        }

        return new PictureBlob(file, pictures, entries.ReadBytes(entries.ReadInt32()));
    }

    /// <summary>Adds pictures to a blob.</summary>
    /// <param name="stream">The blob.</param>
    internal sealed class Writer(Stream stream)
    {
        private readonly List<BlobPicture> _pictures = [];
        private readonly HashSet<string> _paths = new(StringComparer.Ordinal);

        /// <summary>Adds a picture; false where one has its path already.</summary>
        /// <param name="path">Its path in the data set.</param>
        /// <param name="identity">Whom it shows.</param>
        /// <param name="picture">Its file's bytes, at least one.</param>
        public bool Add(string path, string identity, ReadOnlySpan<byte> picture)
        {
            if (!_paths.Add(path))
            {
                return false;
            }

            _pictures.Add(new BlobPicture(path, identity, stream.Position, picture.Length, ContentHash.Of(picture)));
            stream.Write(picture);
            return true;
        }

        /// <summary>Writes the index.</summary>
        public void Finish(byte[] notes)
        {
            using var index = new MemoryStream();
            Span<byte> hash = stackalloc byte[16];
            using (var writer = new BinaryWriter(index, Encoding.UTF8, leaveOpen: true))
            {
                writer.Write(_pictures.Count);
                foreach (var picture in _pictures)
                {
                    writer.Write(picture.Path);
                    writer.Write(picture.Identity);
                    writer.Write(picture.Offset);
                    writer.Write(picture.Length);
                    picture.Hash.WriteTo(hash);
                    writer.Write(hash);
                }

                writer.Write(notes.Length);
                writer.Write(notes);
            }

            long at = stream.Position;
            var bytes = index.GetBuffer().AsSpan(0, (int)index.Length);
            stream.Write(bytes);
            ContentHash.Of(bytes).WriteTo(hash);
            using var footer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
            footer.Write(at);
            footer.Write(hash);
            footer.Write(Magic);
        }
    }
}
