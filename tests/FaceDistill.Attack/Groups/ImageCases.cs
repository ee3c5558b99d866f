using OpenCvSharp;
using static FaceDistill.Attack.Pictures;

namespace FaceDistill.Attack.Groups;

/// <summary>Pictures that are none, and names that are odd, beside one good photo each, which is to be aligned whatever the other is.</summary>
internal static class ImageCases
{
    /// <summary>By name: the file beside the good one, what it holds, and whether it is a picture with a face (null: either is right).</summary>
    private static readonly (string Name, string File, Func<byte[]> Bytes, bool? Taken)[] Contents =
    [
        ("jpeg truncated half", "x.jpg", () => Part(Jpeg(), 0.5), null),
        ("jpeg truncated 90%", "x.jpg", () => Part(Jpeg(), 0.9), null),
        ("jpeg truncated in header", "x.jpg", () => Jpeg()[..100], false),
        ("jpeg flipped bytes in scan", "x.jpg", () => Flipped(Jpeg(), 0.6, 97), null),
        ("0 bytes", "x.jpg", () => [], false),
        ("text named .jpg", "x.jpg", () => [.. "a text\n"u8], false),
        ("1x1 png", "x.png", () => Small(1, 1), false),
        ("2x2000 png", "x.png", () => Small(2, 2000), false),
        ("16-bit gray png", "x.png", () => Encoded(".png", (photo, to) =>
        {
            using var gray = photo.CvtColor(ColorConversionCodes.BGR2GRAY);
            gray.ConvertTo(to, MatType.CV_16UC1, 257);
        }), true),
        ("gray jpeg", "x.jpg", () => Encoded(".jpg", conversion: ColorConversionCodes.BGR2GRAY), true),
        ("RGBA png", "x.png", () => Encoded(".png", conversion: ColorConversionCodes.BGR2BGRA), true),
        ("png", "x.png", () => Encoded(".png"), true),
        ("webp", "x.webp", () => Encoded(".webp"), true),
        ("tiff", "x.tiff", () => Encoded(".tiff"), null),
        ("bmp", "x.bmp", () => Encoded(".bmp"), true),
        ("truncated png", "x.png", () => Part(Encoded(".png"), 0.5), null),
        ("png bad crc", "x.png", () => Flipped(Encoded(".png"), 0.5, 5003), null),
        ("truncated webp", "x.webp", () => Part(Encoded(".webp"), 0.5), null),
        ("truncated tiff", "x.tiff", () => Part(Encoded(".tiff"), 0.5), null),
        ("truncated bmp", "x.bmp", () => Part(Encoded(".bmp"), 0.5), null),
        ("animated gif named .jpg", "x.jpg", Gif, false),
        ("animated gif .gif", "x.gif", Gif, null),
        ("HEIC ext", "x.heic", () => [0, 0, 0, 24, .. "ftypheic\0\0\0\0mif1heic"u8], null),
        ("HEIC content named jpg", "x.jpg", () => [0, 0, 0, 24, .. "ftypheic\0\0\0\0mif1heic"u8], false),
        ("EXIF rotated 6", "x.jpg", () => Exif(Encoded(".jpg", (photo, to) => Cv2.Rotate(photo, to, RotateFlags.Rotate90Counterclockwise)), 6), true),
        ("EXIF orientation 9", "x.jpg", () => Exif(Jpeg(), 9), true),
        ("PNG bomb 30000x30000 real", "x.png", () => Png(30_000, 30_000, 30_000, whole: true), false),
        ("PNG claims 30000x30000, 1 row", "x.png", () => Png(30_000, 30_000, 1), false),
        ("PNG claims 2^31-1 square", "x.png", () => Png(int.MaxValue, int.MaxValue, 1), false),
        ("BMP claims 40000x40000", "x.bmp", () => Bmp(40_000, 40_000), false),
        ("PPM claims 30000x30000", "x.ppm", () => [.. "P6 30000 30000 255\n"u8, 1, 2, 3], null),
        ("PPM named .png", "x.png", () => [.. "P6 30000 30000 255\n"u8, 1, 2, 3], false),
        ("TIFF claims 60000x60000", "x.tiff", () => Tiff(60_000, 60_000), null),
        ("big 8000x6000 jpeg", "x.jpg", () => Encoded(".jpg", (photo, to) => Cv2.Resize(photo, to, new Size(8000, 6000))), null),
        ("CMYK jpeg", "x.jpg", () => Cmyk(), null),
        ("palette png alpha", "x.png", () => Palette(), true),
    ];

    private static readonly string[] Names =
    [
        "with space.jpg", "quote\".jpg", "apos'.jpg", "comma,semi;.jpg", "new\nline.jpg", "tab\t.jpg", "\u00fcn\u00efc\u00f6d\u00e9-\u65e5\u672c.jpg",
            "-leading.jpg", "..dots.jpg",
        "back\\slash.jpg", "\u001b[31mred\u001b[0m.jpg", "=cmd|A1.jpg", "<script>alert(1)<_script>.jpg", "$(touch pwn).jpg", new string('a', 236) + ".jpg",
        string.Concat(Enumerable.Repeat("\u00e9", 118)) + ".jpg", "UPPER.JPG", "%2e%2e.jpg", "name:colon.jpg", "\u202egpj.exe.jpg",
    ];

    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        .. Contents.Select((c, i) => new Case(c.Name, t => Content(t, c.File, c.Bytes(), c.Taken), Short: i is 0 or 4 or 12)),
        .. Names.Select((n, i) => new Case($"name '{Shown(n)}'", t => Content(t, n, Jpeg(), taken: true), Short: i is 4)),
        new("directory named x.jpg", t => Content(t, "x.jpg/inner.txt", [.. "text"u8], taken: false)),
        new("symlink loop . (1 photo)", t => Link(t, 1, ("loop", "."))),
        new("two symlink loops (1 photo)", t => Link(t, 1, ("loop", "."), ("loop2", "."))),
        new("symlink to itself", t => Link(t, 1, ("x.jpg", "x.jpg"))),
        new("dangling symlink", t => Link(t, 1, ("x.jpg", "nowhere.jpg"))),
        new("symlink to /dev/zero", t => Link(t, 1, ("x.jpg", "/dev/zero"))),
        new("symlink to /dev/tty-like (/dev/random)", t => Link(t, 1, ("x.jpg", "/dev/random"))),
        new("fifo named .jpg", t =>
        {
            string folder = Good(t);
            t.Run(new Launch(Path.Combine(folder, "x.jpg")) { Program = ["mkfifo"] });
            Align(t, folder, 1);
        }),
        new("name not UTF-8 (good picture)", t =>
        {
            string folder = Good(t);
            t.Run(new Launch(folder, t.Write("face.jpg", Jpeg())) { Program = ["bash", "-c", "cp \"$1\" \"$0\"/$'bad\\xff\\xfe.jpg'"] });
            Align(t, folder, null);
            string skipped = Skipped(t);
            t.Expect(!skipped.Contains("not readable as a picture", StringComparison.Ordinal), $"a good picture is called unreadable: {skipped}");
        }),
        new("odd names in skipped.csv", t =>
        {
            string folder = Good(t);
            foreach (string name in new[] { "=1+1.jpg", "+1.jpg", "-1.jpg", "@x.jpg", "a,b.jpg", "q\"q.jpg", "n\nl.jpg" })
            {
                File.WriteAllBytes(Path.Combine(folder, name), []);
            }

            Align(t, folder, 1);
            string skipped = Skipped(t);
            foreach (char first in "=+-@")
            {
                t.Expect(!skipped.Split('\n').Any(l => l.TrimStart('"').StartsWith($"{first}", StringComparison.Ordinal)), $"CSV formula {first} unescaped");
            }
        }),
        new("24 photos + 1 with a name of 244 bytes: align", t =>
        {
            string folder = t.Copy(t.Bases.Photos, "photos");
            File.WriteAllBytes(Path.Combine(folder, new string('n', 240) + ".jpg"), Jpeg());
            Align(t, folder, 13);
        }),
    ];

    private static string Shown(string name) => name.Length > 60 ? $"{name[..60]}... ({System.Text.Encoding.UTF8.GetByteCount(name)} bytes)" : name
        .Replace("\n", "\\n", StringComparison.Ordinal).Replace("\t", "\\t", StringComparison.Ordinal).Replace("\u001b", "\\x1b", StringComparison.Ordinal)
        .Replace("\u202e", "\\u202e", StringComparison.Ordinal);

    /// <summary>A folder with one good photo.</summary>
    private static string Good(Trial t)
    {
        t.Bases.NeedsDetector("");
        File.Copy(Path.Combine(t.Bases.Photos, "p0", "0.jpg"), Path.Combine(Directory.CreateDirectory(t["photos"]).FullName, "good.jpg"));
        return t["photos"];
    }

    private static string Skipped(Trial t) => File.Exists(t["out/skipped.csv"]) ? File.ReadAllText(t["out/skipped.csv"]) : "";

    private static void Content(Trial t, string name, byte[] bytes, bool? taken)
    {
        string folder = Good(t);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, name))!);
        File.WriteAllBytes(Path.Combine(folder, name), bytes);
        Align(t, folder, taken is null ? null : taken.Value ? 2 : 1);
        t.Expect(!File.Exists(t["pwn"]), "a name was run");
    }

    private static void Link(Trial t, int faces, params (string Name, string To)[] links)
    {
        string folder = Good(t);
        foreach (var (name, to) in links)
        {
            File.CreateSymbolicLink(Path.Combine(folder, name), to);
        }

        Align(t, folder, faces);
    }

    /// <summary>Aligns; null where one face or two are right.</summary>
    private static void Align(Trial t, string folder, int? faces)
    {
        var outcome = t.Run("align", "--data", folder, "--output", t["out"]);
        t.Done(outcome);
        int found = Files.Under(t["out"]).Count(f => f is not ("alignment.json" or "skipped.csv" or "faces.csv"));
        t.Expect(outcome.Exit != 0 || (faces is null ? found is 1 or 2 : found == faces),
            $"{found} faces in the output instead of {faces?.ToString() ?? "1 or 2"}");
    }

    private static byte[] Small(int width, int height)
    {
        using var mat = new Mat(height, width, MatType.CV_8UC3, Scalar.Gray);
        return mat.ImEncode(".png");
    }

    // Four components where three stood: the frame's and the scan's headers claim one more.
    private static byte[] Cmyk()
    {
        byte[] jpeg = Jpeg();
        int frame = jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xff, 0xc0]);
        byte[] header = [.. jpeg[frame..(frame + 2)], 0, (byte)(jpeg[frame + 3] + 3), .. jpeg[(frame + 4)..(frame + 9)], 4, .. jpeg[(frame + 10)..(frame + 19)],
            4, 0x11, 0];
        return [.. jpeg[..frame], .. header, .. jpeg[(frame + 19)..]];
    }
}
