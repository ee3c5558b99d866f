using FaceDistill.Files;
using OpenCvSharp;

namespace FaceDistill.Faces;

/// <summary>Reads and writes picture files.</summary>
/// <remarks>
/// What a picture takes is known from its header before anything is decoded: at most <see cref="MostPixels"/> pixels are decoded, and <see cref="MostBytes"/>
/// of memory spent. A JPEG of more pixels is decoded at a half, a quarter or an eighth of its size; any other is not read.
/// </remarks>
public static class PictureFile
{
    /// <summary>2^26 (8192 x 8192) pixels: 201 MB decoded.</summary>
    internal const int MostPixels = 1 << 26;

    /// <summary>640 MiB: file, decoder and picture, which may be there twice while it is turned upright.</summary>
    internal const long MostBytes = 640L << 20;

    /// <summary>The reason of what is damaged or of no format that is known.</summary>
    internal const string NoPicture = "not readable as a picture";

    /// <summary>The reason of what is another picture than was expected.</summary>
    private const string Changed = "changed";

    /// <summary>How the reason of what the disk did not give begins.</summary>
    internal const string NotRead = "not to be read: ";

    // More than a phone's or a camera's photo takes, for each core.
    private static readonly PictureRoom s_room = new(Math.Max(MostBytes, Environment.ProcessorCount * (128L << 20)));

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

    /// <summary>Reads a picture, turned upright as its EXIF data says: JPEG, PNG, BMP, WebP, TIFF, PBM, PGM, PPM or GIF, whatever its name ends in.</summary>
    /// <returns>BGR 8-bit, which the caller disposes; null where the file is no whole picture, or larger than is decoded.</returns>
    public static Mat? TryRead(string path) => TryRead(path, out _);

    /// <summary>Reads a picture that has to be there.</summary>
    /// <returns>BGR 8-bit, which the caller disposes.</returns>
    /// <exception cref="FaceDistillException">The file is no whole picture, or larger than is decoded; the message says which.</exception>
    public static Mat Read(string path) => Read((FilePlace)path);

    /// <summary>As <see cref="Read(string)"/>, also within a file of many.</summary>
    internal static Mat Read(FilePlace place) => TryRead(place, out string reason) ?? throw new FaceDistillException($"{place} is {reason}; {place.Remedy}");

    /// <summary>As <see cref="Read(string)"/>, of a file whose content is known: the bytes that are decoded are the ones that are compared.</summary>
    /// <param name="place">Where the picture lies.</param>
    /// <param name="content">What it holds.</param>
    /// <exception cref="FaceDistillException">It holds something else, is no whole picture, or larger than is decoded.</exception>
    internal static Mat Read(FilePlace place, ContentHash content)
    {
        using var file = OpenPicture.Of(place);
        var picture = file.Decode(out string reason, content);
        return picture ?? throw new FaceDistillException(reason == Changed
            ? $"{place} was changed while the faces were read; run the same again"
            : $"{place} is {reason}; {place.Remedy}");
    }

    /// <summary>As <see cref="TryRead(string)"/>, with the reason where there is no picture.</summary>
    internal static Mat? TryRead(FilePlace place, out string reason)
    {
        using var file = OpenPicture.Of(place);
        return file.Decode(out reason);
    }

    /// <summary>
    /// Reads a picture and does something with it. Of all that are read so at one time, the large ones wait for one another, so that together they take no
    /// more memory than <see cref="MostBytes"/>, or 128 MiB a core where that is more.
    /// </summary>
    /// <param name="place">Where it lies.</param>
    /// <param name="use">
    /// Given the picture, with what the decoder complained of ("" for nothing, see <see cref="NativeComplaints"/>), or null and the reason; reads no other
    /// picture this way.
    /// </param>
    internal static T Use<T>(FilePlace place, Func<Mat?, string, T> use)
    {
        ArgumentNullException.ThrowIfNull(use);
        using var file = OpenPicture.Of(place);
        using var held = s_room.Enter((long)file.Bytes);
        using var picture = file.Decode(out string reason);
        return use(picture, reason);
    }

    /// <summary>A picture file whose header was read, or why it is not to be decoded.</summary>
    private sealed class OpenPicture : IDisposable
    {
        private readonly Stream? _file;
        private readonly ImreadModes _mode = ImreadModes.Color;
        private readonly string? _refused;

        private OpenPicture(Stream? file, PictureHeader? header, string? refused)
        {
            (_file, _refused) = (file, refused);
            if (file is null || header is not { } h)
            {
                return;
            }

            (double pixels, int shrunk) = (h.Pixels, 1);
            for (; pixels > MostPixels && h.IsJpeg && shrunk < 8; shrunk *= 2)
            {
                pixels /= 4;
            }

            _mode = shrunk switch
            {
                1 => ImreadModes.Color, 2 => ImreadModes.ReducedColor2, 4 => ImreadModes.ReducedColor4, _ => ImreadModes.ReducedColor8,
            };
            Bytes = file.Length + Math.Max(h.Buffered + (3 * pixels), 6 * pixels);
            _refused = pixels > MostPixels ? InvariantText.Of($"a picture of {h.Width} x {h.Height} pixels, where at most {MostPixels} are decoded")
                : Bytes > MostBytes
                    ? InvariantText.Of($"a picture of {h.Width} x {h.Height} pixels that takes {Bytes / 1e6:0} MB to decode, where {MostBytes / 1e6:0} MB "
                        + $"are spent")
                : null;
            Bytes = _refused is null ? Bytes : 0;
        }

        /// <summary>The most memory that decoding takes, and the picture after it.</summary>
        public double Bytes { get; }

        public static OpenPicture Of(FilePlace place)
        {
            Stream? file = null;
            try
            {
                if (FileKinds.Of(place.File) is not FileKind.File and var kind)
                {
                    return new OpenPicture(null, null, kind == FileKind.Missing ? "not there" : kind == FileKind.Folder ? "a folder" : "not a file");
                }

                file = place.Open();
                var header = PictureHeader.Read(file);
                return new OpenPicture(file, header, header is null ? NoPicture : null);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
            {
                file?.Dispose();
                return new OpenPicture(null, null, CannotRead(e));
            }
        }

        // Null for other bytes than those of a given content.
        public Mat? Decode(out string reason, ContentHash content = default)
        {
            reason = _refused ?? NoPicture;
            if (_refused is not null)
            {
                return null;
            }

            OpenCvNative.EnsureLoaded();
            Mat? picture = null;
            try
            {
                using var bytes = new Mat(1, (int)_file!.Length, MatType.CV_8UC1); // freed at once, where an array would wait for the collector
                _file.Position = 0;
                Span<byte> held;
                unsafe
                {
                    held = new Span<byte>(bytes.DataPointer, bytes.Cols);
                }

                _file.ReadExactly(held);
                if (!content.IsNone && ContentHash.Of(held) != content)
                {
                    reason = Changed;
                    return null;
                }

                (picture, string? complaint) = NativeComplaints.Of(() => Cv2.ImDecode(bytes, _mode));
                if (!picture.Empty())
                {
                    reason = complaint ?? "";
                    return picture;
                }
            }
            catch (Exception e) when (e is OpenCVException or OpenCvSharpException)
            {
                // Damaged; named by the caller, which knows what the picture was for.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                reason = CannotRead(e);
            }

            picture?.Dispose();
            return null;
        }

        public void Dispose() => _file?.Dispose();

        private static string CannotRead(Exception e) => e is ArgumentException ? NoPicture
            : e is UnauthorizedAccessException ? NotRead + "permission denied" : NotRead + e.Message;
    }
}

/// <summary>A bound on what several threads hold together; whoever wants more than is left waits his turn, and alone may have any amount.</summary>
/// <param name="most">How much there is.</param>
internal sealed class PictureRoom(long most)
{
    private readonly object _turn = new(), _gate = new();
    private long _held;

    /// <summary>Takes a part; it is given back when what is returned is disposed.</summary>
    public IDisposable Enter(long part)
    {
        lock (_turn) // who wants little does not overtake who wants much
        {
            lock (_gate)
            {
                while (_held > 0 && _held + part > most)
                {
                    Monitor.Wait(_gate);
                }

                _held += part;
            }
        }

        return new Part(this, part);
    }

    private void Leave(long part)
    {
        lock (_gate)
        {
            _held -= part;
            Monitor.PulseAll(_gate);
        }
    }

    private sealed class Part(PictureRoom room, long part) : IDisposable
    {
        public void Dispose() => room.Leave(part);
    }
}
