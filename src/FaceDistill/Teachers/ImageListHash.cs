using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace FaceDistill.Teachers;

/// <summary>
/// Names an ordered list of images by what is in them, so that a copy of a data set has the same embedding store
/// and a changed picture has not.
/// </summary>
public static class ImageListHash
{
    // Most face pictures are read in one go.
    private const int BufferBytes = 64 * 1024;

    /// <summary>
    /// SHA-256 over path, length and SHA-256 of the content of each image, in order. Time stamps are left out: they change when
    /// a data set is copied and stay when a file is replaced with its date kept.
    /// </summary>
    /// <param name="root">The folder that the paths are relative to.</param>
    /// <param name="paths">The images' paths, '/'-separated.</param>
    /// <param name="progress">Hears of the images read.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <returns>64 lower-case hex digits.</returns>
    /// <exception cref="FaceDistillException">A file cannot be read; the message names it.</exception>
    public static string Compute(
        string root, IReadOnlyList<string> paths, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        var entries = new byte[paths.Count][];
        long done = 0;
        try
        {
            var options = new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount };
            Parallel.For(0, paths.Count, options, i =>
            {
                entries[i] = Entry(root, paths[i]);
                long now = Interlocked.Increment(ref done);
                if (now % 1024 == 0 || now == paths.Count)
                {
                    progress?.Report(new WorkProgress("hashing images", now, paths.Count, "images"));
                }
            });
        }
        catch (AggregateException e) when (e.InnerExceptions.OfType<FaceDistillException>().FirstOrDefault() is { } first)
        {
            throw new FaceDistillException(first.Message, e);
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (byte[] entry in entries)
        {
            hash.AppendData(entry);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The image's fixed-size share of the list's hash: SHA-256 of the path, length, SHA-256 of the content.</summary>
    private static byte[] Entry(string root, string path)
    {
        string file = Path.Combine(root, path);
        var entry = new byte[SHA256.HashSizeInBytes + sizeof(long) + SHA256.HashSizeInBytes];
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, BufferBytes, FileOptions.SequentialScan);
            SHA256.HashData(Encoding.UTF8.GetBytes(path), entry);
            BinaryPrimitives.WriteInt64LittleEndian(entry.AsSpan(SHA256.HashSizeInBytes), stream.Length);
            SHA256.HashData(stream, entry.AsSpan(SHA256.HashSizeInBytes + sizeof(long)));
            return entry;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaceDistillException($"cannot read {file}: {e.Message}; restore it or take it out of the list", e);
        }
    }
}
