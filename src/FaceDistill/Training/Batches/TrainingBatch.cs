using System.Runtime.InteropServices;
using FaceDistill.Cluster;
using FaceDistill.Datasets;
using FaceDistill.Faces;
using FaceDistill.Views;
using OpenCvSharp;
using static TorchSharp.torch;

namespace FaceDistill.Training.Batches;

/// <summary>Some of the parts of every batch: those that one process computes.</summary>
/// <param name="FirstPart">The first of them, from 0.</param>
/// <param name="Count">How many.</param>
/// <param name="Whole">How many parts a batch has.</param>
internal readonly record struct BatchParts(int FirstPart, int Count, int Whole)
{
    /// <summary>The only part of an undivided batch.</summary>
    public static BatchParts All { get; } = new(0, 1, 1);

    /// <summary>A process's share of the parts: as even as there can be; all of them where there is one process.</summary>
    /// <param name="whole">In how many parts a batch is computed.</param>
    /// <param name="ranks">Who computes them; null for this process alone.</param>
    /// <exception cref="FaceDistillException">There are fewer parts than ranks.</exception>
    public static BatchParts Of(int whole, Ranks? ranks)
    {
        if (whole < ranks?.Count)
        {
            throw new FaceDistillException($"a batch of {whole} parts has no work for {ranks.Count} ranks: give --replicas {ranks.Count} or more "
                + $"(and a larger --batch-size where a part would have few faces), or start fewer ranks");
        }

        return Of(whole, ranks?.Rank ?? 0, ranks?.Count ?? 1);
    }

    /// <summary>Another process's share.</summary>
    /// <param name="whole">As above.</param>
    /// <param name="rank">The process, from 0.</param>
    /// <param name="ranks">How many there are; no more than parts.</param>
    public static BatchParts Of(int whole, int rank, int ranks)
    {
        int first = (int)((long)whole * rank / ranks), end = (int)((long)whole * (rank + 1) / ranks);
        return new BatchParts(first, end - first, whole);
    }

    /// <summary>The place in a batch of the first face of one of them; of <see cref="Count"/>, the place after the last face of all.</summary>
    public int First(int faces, int part) => (int)((long)faces * (FirstPart + part) / Whole);

    /// <summary>The places in a batch of the faces of all of them.</summary>
    public (int First, int Count) Faces(int faces) => (First(faces, 0), First(faces, Count) - First(faces, 0));
}

/// <summary>Host memory of one step, filled on the reader's threads and used again and again.</summary>
internal sealed class TrainingBatch : IDisposable
{
    internal TrainingBatch(int capacity, int size, int dimension)
    {
        Pixels = empty(new long[] { capacity, size, size, 3 }, ScalarType.Byte).DetachFromDisposeScope();
        Targets = empty(new long[] { capacity, dimension }, ScalarType.Float32).DetachFromDisposeScope();
        Labels = empty(new long[] { capacity }, ScalarType.Int64).DetachFromDisposeScope();
    }

    /// <summary>uint8 [capacity, size, size, 3], RGB; the first <see cref="Count"/> faces are valid.</summary>
    public Tensor Pixels { get; }

    /// <summary>float32 [capacity, D], centred and scaled; the first <see cref="Count"/> rows are valid.</summary>
    public Tensor Targets { get; }

    /// <summary>int64 [capacity]: the person, -1 where not known; the first <see cref="Count"/> are valid.</summary>
    public Tensor Labels { get; }

    /// <summary>Sets the number of faces and who they are.</summary>
    /// <param name="faces">The faces' places in their list.</param>
    /// <param name="people">The person of each face of the list; -1 where not known.</param>
    internal void Begin(int[] faces, long[] people)
    {
        Count = faces.Length;
        var labels = MemoryMarshal.Cast<byte, long>(Labels.bytes);
        for (int i = 0; i < faces.Length; i++)
        {
            labels[i] = people[faces[i]];
        }
    }

    /// <summary>The picture of face i: uint8 [size, size, 3], RGB.</summary>
    internal Span<byte> PixelsOf(int i)
    {
        int bytes = (int)(Pixels.numel() / Pixels.shape[0]);
        return Pixels.bytes.Slice(i * bytes, bytes);
    }

    /// <summary>The target of face i: float32 [D].</summary>
    internal Span<float> TargetOf(int i)
    {
        int dimension = (int)Targets.shape[1];
        return MemoryMarshal.Cast<byte, float>(Targets.bytes).Slice(i * dimension, dimension);
    }

    /// <summary>The number of faces.</summary>
    public int Count { get; private set; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Pixels.Dispose();
        Targets.Dispose();
        Labels.Dispose();
    }
}

/// <summary>
/// The faces at the student's resolution as RGB bytes. Each is decoded once and kept, as far as the memory budget reaches; the
/// rest is decoded anew each time. Safe for several threads.
/// </summary>
internal sealed class FacePixels
{
    private readonly AlignedFaces _faces;
    private readonly int _size;
    private readonly byte[]?[] _kept;
    private readonly long _mayKeep;
    private long _keeping;

    /// <summary>Makes an empty store.</summary>
    /// <param name="faces">The aligned faces.</param>
    /// <param name="size">The side in pixels.</param>
    /// <param name="sharers">How many processes share the memory.</param>
    /// <param name="budget">Bytes that may be kept; default a third of the memory that the process may use, parted among these.</param>
    public FacePixels(AlignedFaces faces, int size, int sharers = 1, long? budget = null)
    {
        ArgumentNullException.ThrowIfNull(faces);
        (_faces, _size) = (faces, size);
        _kept = new byte[faces.Dataset.Images.Count][];
        _mayKeep = (budget ?? (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 3 / sharers)) / Bytes;
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
        var pixels = _kept[index] ?? Load(index);
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
        if (Interlocked.Increment(ref _keeping) <= _mayKeep)
        {
            _kept[index] = pixels;
        }

        return pixels;
    }
}

/// <summary>
/// The aligned pictures with their borders. Each is decoded once and kept, as far as the memory budget reaches; the rest is decoded
/// anew each time. Safe for several threads.
/// </summary>
internal sealed class FaceFrames
{
    private readonly AlignedFaces _faces;
    private readonly byte[]?[] _kept;
    private readonly long _mayKeep;
    private long _keeping;

    /// <summary>Makes an empty store.</summary>
    /// <param name="faces">The aligned faces.</param>
    /// <param name="sharers">How many processes share the memory.</param>
    /// <param name="budget">Bytes that may be kept; default a third of the memory that the process may use, parted among these.</param>
    public FaceFrames(AlignedFaces faces, int sharers = 1, long? budget = null)
    {
        ArgumentNullException.ThrowIfNull(faces);
        _faces = faces;
        _kept = new byte[faces.Dataset.Images.Count][];
        _mayKeep = (budget ?? (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 3 / sharers)) / Bytes;
    }

    private int Side => _faces.Manifest.Frame.Side;

    private int Bytes => Side * Side * 3;

    /// <summary>One aligned picture.</summary>
    /// <param name="index">Its place in the list.</param>
    /// <returns>BGR 8-bit, Side x Side, not to be changed; the caller disposes it.</returns>
    /// <exception cref="FaceDistillException">The picture is damaged or not of the manifest's size.</exception>
    public Mat Open(int index)
    {
        if (_kept[index] is { } pixels)
        {
            return Mat.FromPixelData(Side, Side, MatType.CV_8UC3, pixels);
        }

        var picture = _faces.ReadFrame(index);
        if (Interlocked.Increment(ref _keeping) <= _mayKeep)
        {
            var copy = new byte[Bytes];
            Marshal.Copy(picture.Data, copy, 0, copy.Length);
            _kept[index] = copy;
        }

        return picture;
    }
}
