using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;

namespace FaceDistill.Attack.Groups;

/// <summary>2,000 files broken at random (fixed seeds), 250 of each kind: read, or refused with one line; no crash, hang, trace or more than 1 GB.</summary>
internal static class FuzzCases
{
    private const int PerKind = 250, PicturesAtOnce = 25;

    private static readonly string[] Endings = [".jpg", ".png", ".webp", ".tiff", ".bmp"];

    /// <summary>By kind: a sound file, where it goes, and the command line that reads it.</summary>
    private static readonly (string Kind, Func<Trial, byte[]> Sound, Func<Trial, byte[], string[]> Line)[] Kinds =
    [
        ("npy", _ => NpyCases.Good(),
            (t, b) => ["evaluate", "--embeddings", t.Write("x.npy", b), "--labels", t.Write("l.txt", NpyCases.Labels()), "--resamples", "0"]),
        ("store", t => File.ReadAllBytes(Directory.GetFiles(t.Bases.Store, "*.parquet")[0]), (t, b) =>
        {
            string store = t.Copy(t.Bases.Store, "st");
            File.WriteAllBytes(Directory.GetFiles(store, "*.parquet")[0], b);
            return ["evaluate", "--embeddings", store, "--resamples", "0"];
        }),
        ("checkpoint", t => File.ReadAllBytes(Path.Combine(t.Bases.Run, "student.best.safetensors")), (t, b) =>
        {
            string run = t.Copy(t.Bases.Run, "run");
            File.WriteAllBytes(Path.Combine(run, "student.best.safetensors"), b);
            return ["export", "--model", run, "--data", t.Bases.Few, "--output", t["x.onnx"]];
        }),
        ("onnx", t => Tail(t) ? Onnx.Tiny(metadata: (Onnx.ContractKey, Onnx.Contract().ToJsonString())) : File.ReadAllBytes(t.Bases.Model),
            (t, b) => ["embed", "--model", t.Write("x.onnx", b), "--data", t.Bases.Few, "--output", t["store"]]),
        ("recipe", t => File.ReadAllBytes(Path.Combine(t.Bases.Run, "recipe.json")), (t, b) =>
        {
            Directory.CreateDirectory(t["none"]); // a sound recipe fails here, soon
            return ["distill", "--recipe", t.Write("r.json", b), "--data", t["none"], "--teacher", t.Bases.Card, "--output", t["out"]];
        }),
        ("card", _ => Encoding.UTF8.GetBytes(CardCases.Card(_ => { })), (t, b) =>
        {
            t.Write("m.onnx", Onnx.Tiny());
            return ["teachers", "verify", t.Write("c.json", b)];
        }),
        ("archive", t => Tail(t) ? Zip() : Tgz(), (t, b) =>
        {
            string name = Tail(t) ? "a.zip" : "a.tgz";
            t.Write(name, b);
            return ["datasets", "pull", t.Write("d.json", new JsonObject
            {
                ["name"] = "d", ["description"] = "d", ["licence"] = "l", ["source"] = "s", ["layout"] = "identityFolders", ["images"] = "",
                    ["synthetic"] = false,
                ["archive"] = new JsonObject { ["file"] = name, ["source"] = new JsonObject { ["path"] = name } }, ["archiveFolder"] = "top",
            }.ToJsonString())];
        }),
    ];

    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        .. Enumerable.Range(0, PerKind / PicturesAtOnce).Select(i => new Case($"pictures #{i * PicturesAtOnce} to #{((i + 1) * PicturesAtOnce) - 1}", t =>
        {
            t.Bases.NeedsDetector("");
            string photos = t.Copy(t.Bases.Photos, "photos");
            for (int k = 0; k < PicturesAtOnce; k++)
            {
                int seed = (i * PicturesAtOnce) + k;
                string ending = Endings[seed % Endings.Length];
                File.WriteAllBytes(Path.Combine(photos, $"x{seed}{ending}"), Broken(Pictures.Encoded(ending), seed));
            }

            t.Works("align", "--data", photos, "--output", t["out"]);
            t.Expect(Files.Under(t["out"]).Count(f => f.StartsWith('p')) == 12, "a sound photo's face is missing");
        })),
        .. Kinds.SelectMany(k => Enumerable.Range(0, PerKind).Select(seed => new Case($"{k.Kind} #{seed}", t =>
        {
            var outcome = t.Run(k.Line(t, Broken(k.Sound(t), seed + k.Kind.Length)));
            t.Expect(outcome.Stopped || outcome.Exit is 0 or 1, $"exit {outcome.Exit}");
            t.Expect(outcome.Stopped || outcome.Own.Length == outcome.Exit, $"{outcome.Own.Length} lines of error with exit {outcome.Exit}");
        }))),
    ];

    /// <summary>One to three changes of a file.</summary>
    private static byte[] Broken(byte[] sound, int seed)
    {
        var random = new Random(seed);
        byte[] bytes = sound;
        for (int change = random.Next(1, 4); change > 0 && bytes.Length > 0; change--)
        {
            // Headers decide more than data: half of the places are among the first 512 bytes.
            int at = random.Next(random.Next(2) == 0 ? Math.Min(512, bytes.Length) : bytes.Length);
            int length = Math.Min(bytes.Length - at, 1 << random.Next(0, 8));
            bytes = random.Next(7) switch
            {
                0 => [.. bytes[..at], (byte)random.Next(256), .. bytes[(at + 1)..]],
                1 => [.. bytes[..at], (byte)(bytes[at] ^ (1 << random.Next(8))), .. bytes[(at + 1)..]],
                2 => bytes[..at],
                3 => [.. bytes[..at], .. bytes[(at + length)..]],
                4 => [.. bytes[..(at + length)], .. bytes[at..]],
                5 => [.. bytes[..at], .. Enumerable.Repeat((byte)(random.Next(2) * 255), length), .. bytes[(at + length)..]],
                _ => Number(bytes, at, random),
            };
        }

        return bytes;
    }

    /// <summary>Puts an extreme in the place of the next number in a text, or of four bytes.</summary>
    private static byte[] Number(byte[] bytes, int at, Random random)
    {
        int from = bytes.AsSpan(at).IndexOfAnyInRange((byte)'0', (byte)'9');
        string[] extremes = ["-1", "0", "2147483647", "4294967296", "9223372036854775807", "1e999", "1e-400", "null", "\"\"", "[]"];
        if (from < 0 || from > 200)
        {
            int end = Math.Min(bytes.Length, at + 4);
            return [.. bytes[..at], .. BitConverter.GetBytes(random.Next(2) == 0 ? int.MaxValue : -1)[..(end - at)], .. bytes[end..]];
        }

        int to = bytes.AsSpan(at + from).IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        return [.. bytes[..(at + from)], .. Encoding.ASCII.GetBytes(extremes[random.Next(extremes.Length)]),
            .. bytes[(to < 0 ? bytes.Length : at + from + to)..]];
    }

    // Two kinds of file in turns, by the case's folder.
    private static bool Tail(Trial t) => t.Folder[^1] % 2 == 0;

    private static byte[] Tgz()
    {
        using var memory = new MemoryStream();
        using (var zip = new GZipStream(memory, CompressionLevel.NoCompression))
        {
            ArchiveCases.Sound(zip);
        }

        return memory.ToArray();
    }

    private static byte[] Zip()
    {
        using var memory = new MemoryStream();
        using (var zip = new ZipArchive(memory, ZipArchiveMode.Create))
        {
            for (int i = 0; i < 3; i++)
            {
                using var stream = zip.CreateEntry($"top/a/{i}.png").Open();
                stream.Write("12345678"u8);
            }
        }

        return memory.ToArray();
    }
}

/// <summary>kill -9 at 100 random moments over all that takes long.</summary>
internal static class KillsCases
{
    private static readonly string[] Formats = ["onnx", "onnx-int8", "safetensors", "ort"];

    /// <summary>The cases; other moments than those of the group "kill".</summary>
    public static IEnumerable<Case> All() =>
    [
        .. Many("align", 16, KillCases.Align), .. Many("embed", 16, KillCases.Embed), .. Many("distill", 20, (t, i) => KillCases.Distill(t, "plain", [], i)),
        .. Many("export", 16, (t, i) => KillCases.Export(t, Formats[i % 4], Formats[i % 4] is "onnx-int8" ? "onnx" : Formats[i % 4], i)),
        .. Many("table14", 8, KillCases.Table), .. Many("evaluate --report", 12, KillCases.Report), .. Many("bench", 8, KillCases.Bench),
        .. Many("quickstart", 4, KillCases.Quickstart),
    ];

    private static IEnumerable<Case> Many(string verb, int count, Action<Trial, int> one) =>
        Enumerable.Range(0, count).Select(i => new Case($"{verb} kill -9 at moment {i}", t => one(t, 500 + i)));
}
