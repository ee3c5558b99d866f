using OpenCvSharp;

namespace FaceDistill.Faces;

/// <summary>
/// The geometry of an aligned picture: the template's square of <see cref="Size"/> pixels with a border of
/// <see cref="Pad"/> real pixels around it, so that a shifted or rotated view still shows the photo.
/// </summary>
/// <param name="Size">The side of the template's square, in pixels.</param>
/// <param name="Pad">The border on each side, in pixels.</param>
public readonly record struct AlignedFrame(int Size, int Pad)
{
    /// <summary>The side of the whole picture, in pixels.</summary>
    public int Side => Size + (2 * Pad);

    /// <summary>Makes a frame whose border is a fraction of its size.</summary>
    /// <param name="size">The side of the template's square: 32 to 1024 pixels.</param>
    /// <param name="margin">The border as a fraction of the size: 0 to 1.</param>
    /// <exception cref="FaceDistillException">A value is out of its range.</exception>
    public static AlignedFrame Of(int size, double margin)
    {
        if (size is < 32 or > 1024)
        {
            throw new FaceDistillException($"an aligned face is 32 to 1024 pixels wide, not {size}");
        }

        return margin is >= 0 and <= 1
            ? new AlignedFrame(size, (int)Math.Round(size * margin))
            : throw new FaceDistillException(FormattableString.Invariant($"the margin is a fraction from 0 to 1, not {margin}"));
    }

    /// <summary>
    /// Cuts the template's square out of an aligned picture and resizes it, by area when it shrinks, linearly when it grows.
    /// </summary>
    /// <param name="aligned">BGR 8-bit, <see cref="Side"/> x <see cref="Side"/>.</param>
    /// <param name="size">The wanted side in pixels.</param>
    /// <returns>BGR 8-bit, size x size; the caller disposes it.</returns>
    public Mat View(Mat aligned, int size)
    {
        ArgumentNullException.ThrowIfNull(aligned);
        using var square = new Mat(aligned, new Rect(Pad, Pad, Size, Size));
        var view = new Mat();
        Cv2.Resize(square, view, new Size(size, size), interpolation: size < Size ? InterpolationFlags.Area : InterpolationFlags.Linear);
        return view;
    }
}
