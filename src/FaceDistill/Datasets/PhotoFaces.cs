using FaceDistill.Files;

namespace FaceDistill.Datasets;

/// <summary>What became of a photo.</summary>
/// <param name="Photo">Its content; none where it could not be read.</param>
/// <param name="Face">The content of its aligned face; none where there is no face.</param>
/// <param name="File">Where the face lies; null where there is none.</param>
/// <param name="Reason">Why there is none; null where there is one.</param>
internal readonly record struct PhotoFace(ContentHash Photo, ContentHash Face, string? File, string? Reason)
{
    /// <summary>How many faces the photo shows; 0 where there is none, or nobody counted.</summary>
    public int Shown { get; init; }

    /// <summary>Whether nothing is known of its face yet.</summary>
    public bool IsToAlign => File is null && Reason is null;
}

/// <summary>Keeps the faces of photos, each known by its photo's content.</summary>
internal interface IPhotoFaces
{
    /// <summary>What is kept of a photo, read and compared with the content that it had when it was put there; null where there is nothing, or junk.</summary>
    /// <param name="index">The photo's place in its list.</param>
    /// <param name="photo">Its content.</param>
    PhotoFace? Find(int index, ContentHash photo);

    /// <summary>Keeps a photo's face, or that it shows none.</summary>
    /// <param name="index">The photo's place in its list.</param>
    /// <param name="photo">Its content.</param>
    /// <param name="faces">The face, and what else was asked for; null for none.</param>
    /// <param name="reason">Why there is none; not looked at where there is one.</param>
    /// <exception cref="FaceDistillException">It cannot be written.</exception>
    PhotoFace Put(int index, ContentHash photo, PhotoJpegs? faces, string reason);
}

/// <summary>The aligned faces of one photo.</summary>
/// <param name="Face">The face that the photo is of, as a JPEG file.</param>
/// <param name="Shown">How many faces the photo shows.</param>
/// <param name="Others">The other faces, from the largest to the smallest, where they are wanted.</param>
internal sealed record PhotoJpegs(byte[] Face, int Shown, IReadOnlyList<byte[]> Others);
