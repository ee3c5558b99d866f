using FaceDistill.Faces;
using OpenCvSharp;

namespace FaceDistill.Views;

/// <summary>Draws a view of a face.</summary>
/// <param name="aligned">BGR 8-bit, frame.Side x frame.Side; not to be changed.</param>
/// <param name="frame">The picture's geometry.</param>
/// <param name="face">The face's <see cref="FaceDistill.Datasets.FaceImage.Key"/>.</param>
/// <param name="size">The wanted side in pixels.</param>
/// <returns>BGR 8-bit, size x size, continuous; the caller disposes it.</returns>
internal delegate Mat FaceRendering(Mat aligned, AlignedFrame frame, long face, int size);

/// <summary>A view that is embedded, and kept under its name.</summary>
/// <param name="Name">The view's name in a store; another picture must have another name.</param>
/// <param name="Render">Draws it.</param>
internal sealed record EmbeddedView(string Name, FaceRendering Render)
{
    /// <summary>A view's name in a store: original or mirrored.</summary>
    public static string NameOf(FaceView view) => view switch
    {
        FaceView.Original => "original",
        FaceView.Mirrored => "mirrored",
        _ => throw new ArgumentOutOfRangeException(nameof(view)),
    };

    /// <summary>The face as it was aligned, or mirrored.</summary>
    public static EmbeddedView Of(FaceView view) => new(NameOf(view), (aligned, frame, _, size) =>
    {
        var picture = frame.View(aligned, size);
        if (view == FaceView.Mirrored)
        {
            Cv2.Flip(picture, picture, FlipMode.Y);
        }

        return picture;
    });
}

/// <summary>A way to look at an aligned face; embeddings are kept by view, since a changed picture has another embedding.</summary>
internal enum FaceView
{
    /// <summary>The face as it was aligned.</summary>
    Original,

    /// <summary>Left and right exchanged.</summary>
    Mirrored,
}
