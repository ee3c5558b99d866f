using FaceDistill.Faces;
using OpenCvSharp;

namespace FaceDistill.Teachers;

/// <summary>Draws a view of a face.</summary>
/// <param name="aligned">BGR 8-bit, frame.Side x frame.Side; not to be changed.</param>
/// <param name="frame">The picture's geometry.</param>
/// <param name="face">The face's <see cref="FaceDistill.Datasets.FaceImage.Key"/>.</param>
/// <param name="size">The wanted side in pixels.</param>
/// <returns>BGR 8-bit, size x size, continuous; the caller disposes it.</returns>
public delegate Mat FaceRendering(Mat aligned, AlignedFrame frame, long face, int size);

/// <summary>A view that is embedded, and kept under its name.</summary>
/// <param name="Name">The view's name in a store; another picture must have another name.</param>
/// <param name="Render">Draws it.</param>
public sealed record EmbeddedView(string Name, FaceRendering Render)
{
    /// <summary>The face as it was aligned, or mirrored.</summary>
    public static EmbeddedView Of(FaceView view) => new(EmbeddingRun.ViewName(view), (aligned, frame, _, size) =>
    {
        var picture = frame.View(aligned, size);
        if (view == FaceView.Mirrored)
        {
            Cv2.Flip(picture, picture, FlipMode.Y);
        }

        return picture;
    });
}
