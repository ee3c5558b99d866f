using FaceDistill.Files;
using OpenCvSharp;

namespace FaceDistill.Faces;

/// <summary>Reads and writes picture files.</summary>
public static class PictureFile
{
    /// <summary>The endings, in lower case, of the files that are taken for pictures.</summary>
    public static IReadOnlyList<string> Extensions { get; } = [".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".pgm", ".tif", ".tiff"];

    /// <summary>JPEG quality 95 with full colour resolution: what aligned faces are kept in.</summary>
    internal static ImageEncodingParam[] JpegQuality95 { get; } =
    [
        new(ImwriteFlags.JpegQuality, 95),
        new((ImwriteFlags)7, 0x111111), // IMWRITE_JPEG_SAMPLING_FACTOR, IMWRITE_JPEG_SAMPLING_FACTOR_444 of OpenCV 4.7
    ];

    /// <summary>Whether a path ends like a picture's.</summary>
    public static bool IsPicture(string path) => Extensions.Contains(Path.GetExtension(path).ToLowerInvariant());

    /// <summary>Reads a picture, turned upright as its EXIF data says.</summary>
    /// <returns>BGR 8-bit, which the caller disposes; null where the file is no whole picture.</returns>
    public static Mat? TryRead(string path) => TryRead(path, out _);

    /// <summary>As <see cref="TryRead(string)"/>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="complaint">What the decoder said of it, where a program collects that (<see cref="NativeComplaints"/>); null for nothing.</param>
    internal static Mat? TryRead(string path, out string? complaint)
    {
        Mat? picture = null;
        complaint = null;
        try
        {
            byte[] file = File.ReadAllBytes(path);
            (picture, complaint) = NativeComplaints.Of(() => Cv2.ImDecode(file, ImreadModes.Color));
            if (!picture.Empty())
            {
                return picture;
            }
        }
        catch (Exception e) when (e is OpenCVException or OpenCvSharpException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            // Named by the caller, which knows what the picture was for.
        }

        picture?.Dispose();
        return null;
    }

    /// <summary>Reads a picture that has to be there.</summary>
    /// <returns>BGR 8-bit, which the caller disposes.</returns>
    /// <exception cref="FaceDistillException">The file is no whole picture.</exception>
    public static Mat Read(string path) => TryRead(path)
        ?? throw new FaceDistillException($"{path} is not a readable picture; take it out of the folder or align the photos again");
}
