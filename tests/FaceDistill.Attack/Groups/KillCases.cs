namespace FaceDistill.Attack.Groups;

/// <summary>kill -9 at random moments: the same command then gives the same bytes, and nothing of the killed one is left.</summary>
internal static class KillCases
{
    private static readonly (string Name, int Count, string[] More)[] Trainings =
    [
        ("plain", 6, []),
        ("ema+aug+adamw+progressive", 3,
            ["--ema", "0.5", "--augment", "Mild", "--views", "1", "--optimizer", "AdamW", "--head", "Gap", "--progressive", "0.5"]),
        ("live+mixup+relational", 3, ["--targets", "Live", "--augment", "Mild", "--mixup", "0.2", "--loss-distance", "1", "--loss-angle", "1"]),
        ("arcface+squared+dim64", 3, ["--loss-arcface", "1", "--dimension", "8"]),
    ];

    private static readonly (string Format, string Ending)[] Formats =
        [("onnx", "onnx"), ("onnx-int8", "onnx"), ("safetensors", "safetensors"), ("ort", "ort")];

    /// <summary>What a server does with a second request.</summary>
    private static readonly string[] Servers = ["/ok", "/norange", "/changed"];

    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        .. Many(20, i => new($"align kill -9 #{i}", t => Align(t, i), Short: i == 0)),
        .. Trainings.SelectMany(r => Many(r.Count, i => new($"distill {r.Name} kill -9 #{i}", t => Distill(t, r.Name, r.More, i)))
            .Prepend(new($"distill {r.Name}: two plain runs same bytes", t => Twice(t, r.Name, r.More)))),
        .. Many(7, i => new($"embed kill -9 #{i}", t => Embed(t, i), Short: i == 0)),
        .. Formats.SelectMany(f => Many(3, i => new($"export {f.Format} kill -9 #{i}", t => Export(t, f.Format, f.Ending, i)))),
        .. Many(7, i => new($"evaluate --report kill -9 #{i}", t => Report(t, i))),
        .. Many(4, i => new($"table14 --smoke kill -9 #{i}", t => Table(t, i))),
        .. Many(3, i => new($"bench kill -9 #{i}", t => Bench(t, i))),
        .. Servers.SelectMany(s => new[] { 1, 2, 3 }.Select(kills => new Case($"download {s} kill -9 x{kills} then again", t => Download(t, s, kills)))),
    ];

    /// <summary>Aligns photos.</summary>
    public static void Align(Trial t, int seed)
    {
        string[] Line(string o) => ["align", "--data", t.Bases.Photos, "--output", o];
        KillAndGoOn(t, "align", Line, Line, seed, kills: 1 + (seed % 3), null);
    }

    /// <summary>Trains.</summary>
    public static void Distill(Trial t, string name, string[] more, int seed) => KillAndGoOn(
        t, $"distill-{name}", o => Training(t, more, o), o => [.. Training(t, more, o), .. Resume(o)], seed, kills: 1 + (seed % 3), f => f == "student.onnx");

    /// <summary>Embeds into a store.</summary>
    public static void Embed(Trial t, int seed)
    {
        string[] Line(string o) => ["embed", "--data", t.Bases.More, "--teacher", t.Bases.Card, "--mirrored", "--output", o];
        KillAndGoOn(t, "embed", Line, Line, seed, kills: 1, f => f.EndsWith(".parquet", StringComparison.Ordinal));
    }

    /// <summary>Exports over an older file.</summary>
    public static void Export(Trial t, string format, string ending, int seed)
    {
        string[] Line(string o) => ["export", "--model", t.Bases.Run, "--data", t.Bases.Few, "--format", format,
            .. format == "onnx-int8"
                ? ["--calibration", t.Bases.More]
                : Array.Empty<string>(), "--min-cosine", "0.1", "--output", Path.Combine(o, $"s.{ending}")];
        var (wanted, _) = t.Bases.Once($"export-{format}", Line);
        Files.Copy(wanted, t["out"]);
        foreach (string file in Files.Under(t["out"]))
        {
            File.WriteAllText(Path.Combine(t["out"], file), "old");
        }

        KillAndGoOn(t, $"export-{format}", Line, Line, seed, kills: 1, f => f == $"s.{ending}", outcome =>
            t.Expect(!outcome.Signalled || Files.Under(wanted).All(f => File.Exists(Path.Combine(t["out"], f))), "a file of the older export is gone"));
    }

    /// <summary>Writes a report over an older one.</summary>
    public static void Report(Trial t, int seed)
    {
        string[] Line(string o) => ["evaluate", "--model", t.Bases.Model, "--data", t.Bases.Few, "--resamples", "0", "--report", o];
        KillAndGoOn(t, "report", Line, Line, seed, kills: 1, f => f == "report.csv");
    }

    /// <summary>Tries a table of one row.</summary>
    public static void Table(Trial t, int seed)
    {
        // The recipe's path stands in no file, so that two folders can be compared.
        string recipe = t.Bases.Once("recipe", o =>
        {
            Directory.CreateDirectory(o);
            File.WriteAllText(Path.Combine(o, "table.json"), RecipeCases.Table(t.Bases.Card, t.Bases.Few));
            return ["--version"];
        }).Folder;
        string[] Line(string o) => ["table14", "--recipe", Path.Combine(recipe, "table.json"), "--smoke", "--output", o];
        KillAndGoOn(t, "table14", Line, Line, seed, kills: 1 + (seed % 2), f => f.EndsWith(".onnx", StringComparison.Ordinal));
    }

    /// <summary>Measures latencies.</summary>
    public static void Bench(Trial t, int seed)
    {
        string[] Line(string o) => ["bench", "--model", t.Bases.Model, "--rounds", "30", "--output", o];
        KillAndGoOn(t, "bench", Line, Line, seed, kills: 1, null, sameBytes: false);
    }

    /// <summary>The first trial, of one epoch; the faces, which take a minute to draw, are there.</summary>
    public static void Quickstart(Trial t, int seed)
    {
        t.Bases.NeedsDlib();
        string[] Line(string o) => ["quickstart", "--epochs", "1", "--device", "cpu", "--output", o];
        var (wanted, _) = t.Bases.Once("quickstart", Line);
        Files.Copy(Path.Combine(wanted, "faces"), t["out/faces"]);
        KillAndGoOn(t, "quickstart", Line, Line, seed, kills: 1, f => f == "run/student.onnx");
    }

    private static IEnumerable<Case> Many(int count, Func<int, Case> one) => Enumerable.Range(0, count).Select(one);

    /// <summary>--resume, where there is a run to resume: one that was killed or refused before it took its folder is begun.</summary>
    public static string[] Resume(string run) =>
        new[] { ".lock", "run.json", "checkpoint.safetensors" }.Any(f => File.Exists(Path.Combine(run, f))) ? ["--resume"] : [];

    private static string[] Training(Trial t, string[] more, string output) => [.. t.Bases.Distill, "--data", t.Bases.More, .. more, "--output", output];

    /// <summary>Kills at moments of the time that it takes undisturbed, then lets it end.</summary>
    private static void KillAndGoOn(
        Trial t, string name, Func<string, string[]> first, Func<string, string[]> then, int seed, int kills, Func<string, bool>? counts,
        Action<Outcome>? killed = null, bool sameBytes = true)
    {
        var (wanted, time) = t.Bases.Once(name, first);
        var random = new Random(1000 + (seed * 31) + name.Length);
        string output = t["out"];
        for (int kill = 0; kill < kills; kill++)
        {
            var outcome = t.Run(new Launch(
                kill == 0 ? first(output) : then(output)) { SignalAfter = time * (0.1 + (0.95 * random.NextDouble())), Limit = TimeSpan.FromMinutes(5) });
            killed?.Invoke(outcome);
            if (!outcome.Signalled)
            {
                t.Done(outcome);
            }
        }

        t.Done(t.Run(new Launch(then(output)) { Limit = TimeSpan.FromMinutes(5) }));
        if (sameBytes)
        {
            t.Same("after the kill", wanted, output, counts);
        }

        string[] names = [.. Files.Under(wanted).Where(f => !f.Contains("tfevents", StringComparison.Ordinal))];
        string[] left = [.. Files.Under(output).Where(f => !f.Contains("tfevents", StringComparison.Ordinal)).Except(names)];
        t.Expect(left.Length == 0, $"left by the killed one: {string.Join(' ', left.Take(3))}");
        t.NoParts(t.Folder);
    }

    private static void Twice(Trial t, string name, string[] more)
    {
        var (wanted, _) = t.Bases.Once($"distill-{name}", o => Training(t, more, o));
        t.Done(t.Run(new Launch(Training(t, more, t["again"])) { Limit = TimeSpan.FromMinutes(5) }));
        t.Same("two runs", wanted, t["again"], f => f == "student.onnx");
    }

    /// <summary>Fetches a file from a slow server, is killed, and fetches again.</summary>
    private static void Download(Trial t, string path, int kills)
    {
        byte[] right = new byte[1_000_000];
        new Random(5).NextBytes(right);
        int requests = 0;
        using var server = new Loopback((head, stream) =>
        {
            int number = Interlocked.Increment(ref requests);
            string? range = path == "/norange"
                ? null
                : head.Split("\r\n").FirstOrDefault(l => l.StartsWith("Range: bytes=", StringComparison.OrdinalIgnoreCase));
            int from = range is null || (path == "/changed" && number == 2) ? 0 : int.Parse(range["Range: bytes=".Length..].TrimEnd('-'), null);
            string tag = path == "/changed" ? $"ETag: \"{number}\"\n" : "ETag: \"1\"\n";
            Loopback.Answer(stream, from == 0 ? "200 OK" : "206 Partial Content",
                $"{(from == 0 ? "" : $"Content-Range: bytes {from}-{right.Length - 1}/{right.Length}\n")}{tag}Content-Length: {right.Length - from}\n", []);
            for (int at = from; at < right.Length; at += 20_000)
            {
                stream.Write(right, at, Math.Min(20_000, right.Length - at));
                Thread.Sleep(number <= kills ? 15 : 0);
            }
        });
        string sha = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(right));
        t.Write("d.json", CardCases.Url(server.Url(), a => a["bytes"] = 2_000_000, sha));
        var random = new Random(kills);
        for (int kill = 0; kill < kills; kill++)
        {
            t.Run(new Launch("teachers", "pull", t["d.json"]) { SignalAfter = TimeSpan.FromMilliseconds(350 + random.Next(500)) });
        }

        // The bytes are no model, so the last step may be refused; they are right, and alone, all the same.
        t.DoneOrRefused(t.Run("teachers", "pull", t["d.json"]), "m.onnx");
        string folder = Path.Combine(t.Cache, "facedistill", "models", "c");
        t.Expect(File.Exists(Path.Combine(folder, "m.onnx")) && File.ReadAllBytes(Path.Combine(folder, "m.onnx")).SequenceEqual(right), "not the right bytes");
        t.Expect(Files.Under(folder).Length == 1, $"left: {string.Join(' ', Files.Under(folder))}");
    }
}
