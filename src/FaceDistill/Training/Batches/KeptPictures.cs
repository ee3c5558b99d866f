using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Training.Options;
using FaceDistill.Views;
using OpenCvSharp;

namespace FaceDistill.Training.Batches;

/// <summary>How much memory a training spends on decoded pictures, over everything that keeps some. Safe for several threads.</summary>
/// <param name="bytes">The most.</param>
internal sealed class PictureMemory(long bytes)
{
    private const int UsualPart = 3;
    private long _left = bytes;

    /// <summary>That of a run: what its options say, or a third of the memory that processes may use here.</summary>
    /// <param name="run">The run's options; null for the usual.</param>
    /// <param name="sharers">How many processes share this machine's memory; what the options say each has for itself.</param>
    public static PictureMemory Of(TrainingRunOptions? run, int sharers = 1) => new(run?.PictureMemory is { } gigabytes
        ? (long)(gigabytes * 1e9)
        : GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / UsualPart / sharers);

    /// <summary>What is left, in bytes.</summary>
    public long Left => Interlocked.Read(ref _left);

    /// <summary>Whether so much is left.</summary>
    public bool Has(int bytes) => Left >= bytes;

    /// <summary>Takes some, where so much is left.</summary>
    public bool Take(int bytes)
    {
        bool taken = Interlocked.Add(ref _left, -bytes) >= 0;
        Give(taken ? 0 : bytes);
        return taken;
    }

    /// <summary>Gives some back.</summary>
    public void Give(long bytes) => Interlocked.Add(ref _left, bytes);
}

/// <summary>
/// Decoded pictures of one size. The first ones stay: in an epoch each face comes once, in another order each time, so that to keep those which came last
/// would find none more. Safe for several threads.
/// </summary>
/// <param name="memory">What may be kept.</param>
/// <param name="bytes">The bytes of a picture.</param>
internal sealed class KeptPictures(PictureMemory memory, int bytes) : IDisposable
{
    /// <summary>What a kept picture takes besides its bytes: two objects and their places.</summary>
    internal const int Overhead = 96;

    private readonly ConcurrentDictionary<int, byte[]> _kept = new();

    /// <summary>Whether one more may be kept.</summary>
    public bool HasRoom => memory.Has(bytes + Overhead);

    /// <summary>A face's picture; null where it is not kept.</summary>
    public byte[]? Find(int face) => _kept.GetValueOrDefault(face);

    /// <summary>Keeps a picture, where there is room.</summary>
    public void Keep(int face, byte[] picture)
    {
        if (memory.Take(bytes + Overhead) && !_kept.TryAdd(face, picture))
        {
            memory.Give(bytes + Overhead); // another thread was faster
        }
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        memory.Give((long)_kept.Count * (bytes + Overhead));
        _kept.Clear();
    }
}

/// <summary>
/// The faces at the student's resolution as RGB bytes. Each is decoded once and kept, as far as the memory budget reaches; the
/// rest is decoded anew each time. Safe for several threads.
/// </summary>
internal sealed class FacePixels : IDisposable
{
    private readonly AlignedFaces _faces;
    private readonly int _size;
    private readonly KeptPictures _kept;

    /// <summary>Makes an empty store.</summary>
    /// <param name="faces">The aligned faces.</param>
    /// <param name="size">The side in pixels.</param>
    /// <param name="memory">What may be kept; null for the usual.</param>
    public FacePixels(AlignedFaces faces, int size, PictureMemory? memory = null)
    {
        ArgumentNullException.ThrowIfNull(faces);
        (_faces, _size) = (faces, size);
        _kept = new KeptPictures(memory ?? PictureMemory.Of(null), Bytes);
    }

    /// <summary>Bytes of one face: size x size x 3.</summary>
    public int Bytes => _size * _size * 3;

    /// <summary>Copies one face.</summary>
    /// <param name="index">Its place in the list.</param>
    /// <param name="view">The view.</param>
    /// <param name="destination">uint8 [size, size, 3], RGB.</param>
    /// <exception cref="FaceDistillException">The picture is damaged.</exception>
    public void Copy(int index, FaceView view, Span<byte> destination)
    {
        var pixels = _kept.Find(index) ?? Load(index);
        if (view == FaceView.Original)
        {
            pixels.CopyTo(destination);
            return;
        }

        for (int y = 0; y < _size; y++)
        {
            var from = pixels.AsSpan(3 * y * _size, 3 * _size);
            var to = destination.Slice(3 * y * _size, 3 * _size);
            for (int x = 0, m = 3 * (_size - 1); x < 3 * _size; x += 3, m -= 3)
            {
                to[x] = from[m];
                to[x + 1] = from[m + 1];
                to[x + 2] = from[m + 2];
            }
        }
    }

    private byte[] Load(int index)
    {
        using var face = _faces.ReadView(index, _size);
        var pixels = new byte[Bytes];
        FaceTensor.CopyRgb(face, pixels);
        _kept.Keep(index, pixels);
        return pixels;
    }

    /// <inheritdoc/>
    public void Dispose() => _kept.Dispose();
}

/// <summary>
/// The aligned pictures with their borders. Each is decoded once and kept, as far as the memory budget reaches; the rest is decoded
/// anew each time. Safe for several threads.
/// </summary>
internal sealed class FaceFrames : IDisposable
{
    private readonly AlignedFaces _faces;
    private readonly KeptPictures _kept;

    /// <summary>Makes an empty store.</summary>
    /// <param name="faces">The aligned faces.</param>
    /// <param name="memory">What may be kept; null for the usual.</param>
    public FaceFrames(AlignedFaces faces, PictureMemory? memory = null)
    {
        ArgumentNullException.ThrowIfNull(faces);
        _faces = faces;
        _kept = new KeptPictures(memory ?? PictureMemory.Of(null), Bytes);
    }

    private int Side => _faces.Manifest.Frame.Side;

    /// <summary>Bytes of one picture: Side x Side x 3.</summary>
    public int Bytes => Side * Side * 3;

    /// <summary>One aligned picture.</summary>
    /// <param name="index">Its place in the list.</param>
    /// <returns>BGR 8-bit, Side x Side, not to be changed; the caller disposes it.</returns>
    /// <exception cref="FaceDistillException">The picture is damaged or not of the manifest's size.</exception>
    public Mat Open(int index)
    {
        if (_kept.Find(index) is { } pixels)
        {
            return Mat.FromPixelData(Side, Side, MatType.CV_8UC3, pixels);
        }

        var picture = _faces.ReadFrame(index);
        if (_kept.HasRoom)
        {
            var copy = new byte[Bytes];
            Marshal.Copy(picture.Data, copy, 0, copy.Length);
            _kept.Keep(index, copy);
        }

        return picture;
    }

    /// <inheritdoc/>
    public void Dispose() => _kept.Dispose();
}
