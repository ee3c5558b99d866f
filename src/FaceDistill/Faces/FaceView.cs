namespace FaceDistill.Faces;

/// <summary>A way to look at an aligned face; embeddings are kept by view, since a changed picture has another embedding.</summary>
public enum FaceView
{
    /// <summary>The face as it was aligned.</summary>
    Original,

    /// <summary>Left and right exchanged.</summary>
    Mirrored,
}
