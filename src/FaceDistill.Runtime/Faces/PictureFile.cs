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
    public static Mat? TryRead(string path)
    {
        try
        {
            return TryDecode(FileBytes.Read(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // named by the caller, which knows what the picture was for
        }
    }

    /// <summary>Decodes a picture file's bytes, turned upright as its EXIF data says.</summary>
    /// <returns>BGR 8-bit, which the caller disposes; null where they are no whole picture.</returns>
    internal static Mat? TryDecode(byte[] file)
    {
        Mat? picture = null;
        try
        {
            picture = Cv2.ImDecode(file, ImreadModes.Color);
            if (!picture.Empty())
            {
                return picture;
            }
        }
        catch (Exception e) when (e is OpenCVException or OpenCvSharpException or ArgumentException)
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
