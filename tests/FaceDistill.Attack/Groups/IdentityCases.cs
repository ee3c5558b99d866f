namespace FaceDistill.Attack.Groups;

/// <summary>Photos that change behind the back of what was computed from them: noticed, whatever their names, sizes and dates.</summary>
internal static class StaleCases
{
    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        new("raw photo replaced, same size+mtime: embed with warm cache", t =>
        {
            string photos = t.Copy(t.Bases.Photos, "raw");
            Embed(t, photos, "e1", "cache");
            Replace(Path.Combine(photos, "p0", "0.jpg"), sameDate: true);
            Embed(t, photos, "e2", "cache");
            Embed(t, photos, "e3", "fresh");
            t.Same("embeddings of a warm and of a fresh cache", t["e3"], t["e2"], Part);
            t.Expect(!Files.Hash(Path.Combine(t["e1"], "part-00000.parquet")).SequenceEqual(Files.Hash(Path.Combine(t["e2"], "part-00000.parquet"))),
                "old embeddings used silently");
        }),
        new("aligned face replaced, same mtime", t =>
        {
            string faces = t.Copy(t.Bases.Few, "al");
            Embed(t, faces, "e1", "cache");
            Replace(Path.Combine(faces, "id_00000", "0000.png"), sameDate: true, ".png", Bases.Side);
            Embed(t, faces, "e2", "cache");
            Embed(t, faces, "e3", "fresh");
            t.Same("embeddings of a warm and of a fresh cache", t["e3"], t["e2"], Part);
        }),
        new("align again after cp -p of an older photo", t => AlignAgain(t, photo => Replace(photo, sameDate: false, older: true))),
        new("align again after a newer photo", t => AlignAgain(t, photo => Replace(photo, sameDate: false))),
        new("align again after a photo was removed (refuse)", t =>
        {
            string photos = t.Copy(t.Bases.Photos, "raw");
            t.Works("align", "--data", photos, "--output", t["a"]);
            File.Delete(Path.Combine(photos, "p0", "0.jpg"));
            var outcome = t.Run("align", "--data", photos, "--output", t["a"]);
            t.DoneOrRefused(outcome, "a");
            t.Expect(outcome.Exit != 0 || !File.Exists(t["a/p0/0.jpg"]), "the face of a photo that is gone stays silently");
        }),
        new("photo became unreadable (older date): face kept?", t =>
        {
            string photos = t.Copy(t.Bases.Photos, "raw");
            t.Works("align", "--data", photos, "--output", t["a"]);
            string photo = Path.Combine(photos, "p0", "0.jpg");
            File.WriteAllText(photo, "no picture any more");
            File.SetLastWriteTimeUtc(photo, new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
            t.DoneOrRefused(t.Run("align", "--data", photos, "--output", t["a"]), "a");
            t.Expect(!File.Exists(t["a/p0/0.jpg"]) || t.Exits[^1] != 0, "the face of a photo that is no picture any more is kept");
        }),
        new("cached aligned face truncated (disk fault): heals or names a remedy",
            t => Damaged(t, face => File.WriteAllBytes(face, File.ReadAllBytes(face)[..100]))),
        new("cached aligned face deleted: silently fewer images?", t => Damaged(t, File.Delete)),
        new("photo added to a warm cache", t =>
        {
            string photos = t.Copy(t.Bases.Photos, "raw");
            Embed(t, photos, "e1", "cache");
            File.Copy(Path.Combine(photos, "p1", "0.jpg"), Path.Combine(photos, "p1", "7.jpg"));
            Embed(t, photos, "e2", "cache");
            Embed(t, photos, "e3", "fresh");
            t.Same("embeddings of a warm and of a fresh cache", t["e3"], t["e2"], Part);
        }),
    ];

    /// <summary>Puts another person's picture in a file's place.</summary>
    public static void Replace(string file, bool sameDate, string ending = ".jpg", int side = 0, bool older = false)
    {
        var date = File.GetLastWriteTimeUtc(file);
        long size = new FileInfo(file).Length;
        byte[] bytes = Pictures.Encoded(
            ending, (photo, to) => OpenCvSharp.Cv2.Resize(photo, to, side == 0 ? photo.Size() : new OpenCvSharp.Size(side, side)), person: 77);
        File.WriteAllBytes(file, [.. bytes, .. new byte[Math.Max(0, size - bytes.Length)]]); // what follows a picture's end is not read
        File.SetLastWriteTimeUtc(file, sameDate ? date : older ? date.AddYears(-10) : DateTime.UtcNow.AddMinutes(1));
    }

    private static bool Part(string file) => file.EndsWith(".parquet", StringComparison.Ordinal);

    private static void Embed(Trial t, string data, string output, string cache) => t.Done(t.Run(
        new Launch("embed", "--data", data, "--teacher", t.Bases.Card, "--output", t[output]) { Environment = { ["XDG_CACHE_HOME"] = t[cache] } }));

    private static void AlignAgain(Trial t, Action<string> change)
    {
        string photos = t.Copy(t.Bases.Photos, "raw");
        t.Works("align", "--data", photos, "--output", t["a"]);
        change(Path.Combine(photos, "p0", "0.jpg"));
        t.Works("align", "--data", photos, "--output", t["a"]);
        t.Works("align", "--data", photos, "--output", t["b"]);
        t.Same("faces of a warm and of a fresh folder", t["b"], t["a"], f => f.EndsWith(".jpg", StringComparison.Ordinal));
    }

    private static void Damaged(Trial t, Action<string> damage)
    {
        string photos = t.Copy(t.Bases.Photos, "raw");
        string[] line = ["evaluate", "--model", t.Bases.Model, "--data", photos, "--resamples", "0", "--json"];
        var before = t.Works(line);
        string aligned = Path.Combine(t.Cache, "facedistill", "aligned");
        damage(Path.Combine(aligned, Files.Under(aligned).First(f => f.EndsWith(".jpg", StringComparison.Ordinal))));
        var after = t.Run(line);
        if (after.Exit == 0)
        {
            t.Expect(Images(before) == Images(after), $"{Images(after)} images instead of {Images(before)}, without a word");
        }
        else
        {
            t.Refused(after, aligned);
        }
    }

    private static int Images(Outcome outcome)
    {
        using var json = System.Text.Json.JsonDocument.Parse(outcome.Output);
        return json.RootElement.GetProperty("models")[0].GetProperty("images").GetInt32();
    }
}

/// <summary>Runs that go on after their faces changed.</summary>
internal static class ResumeCases
{
    private static readonly (string Name, string[] More)[] Kinds =
    [
        ("", []), ("no-teacher (arcface) ", ["--loss-squared", "0", "--loss-arcface", "1"]), ("live targets ", ["--targets", "Live", "--augment", "Mild"]),
        ("cached views ", ["--augment", "Mild", "--views", "2"]),
    ];

    private static readonly (string Name, Action<string> Change)[] Changes =
    [
        ("picture added", d => File.Copy(Path.Combine(d, "id_00000", "0000.png"), Path.Combine(d, "id_00000", "0100.png"))),
        ("picture removed", d => File.Delete(Path.Combine(d, "id_00000", "0000.png"))),
        ("picture replaced", d => StaleCases.Replace(Path.Combine(d, "id_00000", "0000.png"), false, ".png", Bases.Side)),
        ("picture replaced same mtime", d => StaleCases.Replace(Path.Combine(d, "id_00000", "0000.png"), true, ".png", Bases.Side)),
    ];

    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        .. Changes.Select(c => new Case(c.Name, t => Resume(t, t.Bases.More, [], c.Change, refused: true))),
        .. Kinds[1..].Select(k => new Case($"{k.Name}picture replaced", t => Resume(t, t.Bases.More, k.More, Changes[2].Change, refused: true))),
        new("no-teacher (arcface) picture removed", t => Resume(t, t.Bases.More, Kinds[1].More, Changes[1].Change, refused: true)),
        new("raw photos: replaced, same size and mtime",
            t => Resume(t, Photos(t), [], d => StaleCases.Replace(Path.Combine(d, "p0", "0.jpg"), sameDate: true), refused: true)),
        new("moved folder date only (touch)", t => Resume(t, t.Bases.More, [], d =>
        {
            foreach (string file in Files.Under(d))
            {
                File.SetLastWriteTimeUtc(Path.Combine(d, file), DateTime.UtcNow);
            }
        }, refused: false)),
    ];

    private static string Photos(Trial t) => Bases.Draw(t["drawn"], 10, 4);

    private static void Resume(Trial t, string source, string[] more, Action<string> change, bool refused)
    {
        t.Bases.NeedsDetector("");
        string data = t.Copy(source, "cd");
        string[] line = ["distill", .. Bases.Brief, "--epochs", "40", "--teacher", t.Bases.Card, .. more, "--data", data, "--output", t["co"]];
        t.Run(new Launch(line) { SignalWhen = () => File.Exists(t["co/checkpoint.safetensors"]), Limit = TimeSpan.FromMinutes(2) });
        Files.Copy(t["co"], t["before"]);
        change(data);
        var outcome = t.Run(new Launch([.. line, "--resume"]) { SignalAfter = TimeSpan.FromSeconds(25), Limit = TimeSpan.FromMinutes(2) });
        if (refused)
        {
            t.Expect(!outcome.Signalled && outcome.Exit != 0, "resumed on other data without a word");
            if (!outcome.Signalled)
            {
                t.Refused(outcome);
                t.Same("a refused resume changes nothing", t["before"], t["co"], f => !f.Contains(".part", StringComparison.Ordinal)
                    && !f.EndsWith(".lock", StringComparison.Ordinal));
            }
        }
        else
        {
            t.Expect(outcome.Exit == 0 || outcome.Signalled, $"not resumed: {string.Join(' ', outcome.Own)}");
        }
    }
}

/// <summary>The same input gives the same bytes.</summary>
internal static class SameCases
{
    private static readonly (string Format, string File)[] Formats =
        [("onnx", "a.onnx"), ("onnx-fp16", "a16.onnx"), ("onnx-int8", "a8.onnx"), ("ort", "a.ort"), ("safetensors", "a.safetensors")];

    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() => Formats.Select(f => new Case($"export {f.Format} repeated gives the same bytes", t =>
    {
        for (int i = 0; i < 2; i++)
        {
            t.Works(["export", "--model", t.Bases.Run, "--data", t.Bases.Few, "--format", f.Format, .. f.Format == "onnx-int8" ? ["--calibration", t.Bases.More]
                : Array.Empty<string>(),
                "--min-cosine", "0.1", "--output", t[$"{i}/{f.File}"]]);
        }

        t.Same("two exports", t["0"], t["1"], x => x == f.File);
    }));
}
