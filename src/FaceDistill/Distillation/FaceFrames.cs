using FaceDistill.Datasets;
using OpenCvSharp;

namespace FaceDistill.Distillation;

/// <summary>
/// The aligned pictures with their borders. Each is decoded once and kept, as far as the memory budget reaches; the rest is decoded
/// anew each time. Safe for several threads.
/// </summary>
public sealed class FaceFrames
{
    private readonly AlignedFaces _faces;
    private readonly byte[]?[] _kept;
    private readonly long _mayKeep;
    private long _keeping;

    /// <summary>Makes an empty store.</summary>
    /// <param name="faces">The aligned faces.</param>
    /// <param name="budget">Bytes that may be kept; default a third of the memory that the process may use.</param>
    public FaceFrames(AlignedFaces faces, long? budget = null)
    {
        ArgumentNullException.ThrowIfNull(faces);
        _faces = faces;
        _kept = new byte[faces.Dataset.Images.Count][];
        _mayKeep = (budget ?? (GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 3)) / Bytes;
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
            System.Runtime.InteropServices.Marshal.Copy(picture.Data, copy, 0, copy.Length);
            _kept[index] = copy;
        }

        return picture;
    }
}
