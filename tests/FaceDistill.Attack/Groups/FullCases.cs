namespace FaceDistill.Attack.Groups;

/// <summary>A disk that is full: one clear line, what was there stays, and the same command goes on when there is room.</summary>
internal static class FullCases
{
    private static readonly (string Format, string File, int Kilobytes)[] Formats =
        [("onnx", "s.onnx", 500), ("onnx-int8", "s.onnx", 100), ("safetensors", "s.safetensors", 500), ("ort", "s.ort", 500), ("onnx-fp16", "s.onnx", 200)];

    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        new("align output 1 MB", t => Align(t, goesOn: false)),
        new("align after space is back", t => Align(t, goesOn: true)),
        new("embed output 64 KB", t => Embed(t, goesOn: false)),
        new("embed after space is back: same bytes", t => Embed(t, goesOn: true)),
        .. Formats.SelectMany(f => new Case[]
        {
            new($"export {f.Format} output {f.Kilobytes}k", t => Export(t, f.Format, f.File, f.Kilobytes, after: false)),
            new($"  old export intact ({f.Format})", t => Export(t, f.Format, f.File, f.Kilobytes, after: true)),
        }),
        .. new[] { 1, 16, 40, 80 }.Select(k => new Case($"evaluate report {k} KB", t =>
        {
            var disk = t.Disk("ts", 8);
            Old(t, disk, ["evaluate", "--embeddings", t.Bases.Store, "--resamples", "0", "--report", disk["r"]]);
            disk.Fill(k);
            Kept(t, disk, t.Run("evaluate", "--model", t.Bases.Model, "--data", t.Bases.Few, "--resamples", "0", "--report", disk["r"]), "ts/r", k > 20);
        }, Short: k == 16)),
        .. new[] { 1, 4, 12 }.Select(k => new Case($"bench output {k} KB", t =>
        {
            var disk = t.Disk("ts", 8);
            Old(t, disk, ["bench", "--model", t.Bases.Model, "--rounds", "1", "--output", disk["r"]]);
            disk.Fill(k);
            Kept(t, disk, t.Run("bench", "--model", t.Bases.Model, "--rounds", "2", "--output", disk["r"]), "ts/r", mayFit: true);
        })),
        new("cache 200 KB (align to cache)", t =>
        {
            string photos = t.Bases.Photos;
            Cached(t, 40, "evaluate", "--model", t.Bases.Model, "--data", photos, "--resamples", "0");
        }),
        new("cache 1 MB teachers pull", t =>
        {
            using var server = new Loopback((_, s) => Loopback.Whole(s, new byte[3 << 20]));
            t.Write("c.json", CardCases.Url(server.Url()));
            Cached(t, 1000, "teachers", "pull", t["c.json"]);
        }),
        new("cache 8 MB convert teacher", t =>
        {
            t.Bases.NeedsDlib();
            Cached(t, 8000, "embed", "--data", Dlib(t), "--teacher", "dlib-resnet", "--output", t["e"]);
        }),
        new("cache 16 KB: embed into the cache",
            t => Cached(t, 4, "evaluate", "--model", $"teacher:{t.Bases.Card}", "--data", t.Bases.More, "--resamples", "0")),
        new("TMPDIR full: export int8",
            t => Temporary(t, "export", "--model", t.Bases.Run, "--data", t.Bases.Few, "--calibration", t.Bases.More, "--format", "onnx-int8",
            "--min-cosine", "0.1", "--output", t["t8.onnx"])),
        new("TMPDIR full: distill", t => Temporary(t, [.. t.Bases.Distill, "--data", t.Bases.More, "--output", t["run"]])),
        new("TMPDIR full: teachers pull (npm)", t =>
        {
            t.Write("c.json", CardCases.Card(c => (c["assets"]![0]!["sha256"], c["assets"]![0]!["source"]) =
                (new string('a', 64), new System.Text.Json.Nodes.JsonObject { ["npm"] = "x@1.0.0", ["member"] = "m.onnx" })));
            t.Write("bin/npm", "#!/bin/sh\nhead -c 100000 /dev/zero > x-1.0.0.tgz || { echo 'npm error code ENOSPC' >&2; exit 1; }\n");
            File.SetUnixFileMode(t["bin/npm"], (UnixFileMode)0b111_101_101);
            var disk = t.Disk("tmp", 1);
            disk.Fill(0);
            t.Refused(t.Run(new Launch("teachers", "pull", t["c.json"])
            {
                Environment = { ["TMPDIR"] = disk.Folder, ["PATH"] = $"{t["bin"]}:{System.Environment.GetEnvironmentVariable("PATH")}" },
            }));
        }),
        new("TMPDIR missing", t => t.Done(t.Run(new Launch("evaluate", "--model", t.Bases.Model, "--data", t.Bases.Few, "--resamples", "0")
        {
            Environment = { ["TMPDIR"] = t["nowhere"] },
        }))),
        new("datasets pull synthetic 1 MB", t => Cached(t, 300, "datasets", "pull", "synthetic")), // drawing all of it takes minutes
        new("quickstart 3 MB", t =>
        {
            t.Bases.NeedsDlib();
            var disk = t.Disk("ts", 1);
            t.Refused(t.Run("quickstart", "--epochs", "1", "--output", disk["q"]), "ts");
        }),
        new("table14 smoke 3 MB", t =>
        {
            var disk = t.Disk("ts", 1);
            t.Refused(t.Run("table14", "--recipe", t.Write("table.json", RecipeCases.Table(t.Bases.Card, t.Bases.Few)), "--smoke", "--output", disk["q"]),
                "ts");
        }),
        .. new[] { 4, 100, 900, 1800, 2700, 3600, 6000 }.SelectMany(k => new Case[]
        {
            new($"distill output {k} KB", t => Distill(t, k, goesOn: false)),
            new($"distill after space is back ({k} KB): --resume same weights", t => Distill(t, k, goesOn: true)),
        }),
    ];

    private static void Align(Trial t, bool goesOn)
    {
        string[] line = ["align", "--data", t.Bases.Photos, "--output", t["ts/o"]];
        var disk = t.Disk("ts", 4);
        disk.Fill(40);
        t.Refused(t.Run(line), "ts");
        if (goesOn)
        {
            GoesOn(t, disk, line, t.Bases.Once("align", o => ["align", "--data", t.Bases.Photos, "--output", o]).Folder);
        }
    }

    private static void Embed(Trial t, bool goesOn)
    {
        string[] line = ["embed", "--data", t.Bases.More, "--teacher", t.Bases.Card, "--output", t["ts/o"]];
        var disk = t.Disk("ts", 1);
        disk.Fill(8);
        t.Refused(t.Run(line), "ts");
        if (goesOn)
        {
            GoesOn(t, disk, line, t.Bases.Store);
        }
    }

    private static void GoesOn(Trial t, Disk disk, string[] line, string wanted)
    {
        disk.Free();
        t.Done(t.Run(line));
        t.Same("after space is back", wanted, disk["o"], f => f != "source.json");
        t.NoParts(disk.Folder);
    }

    private static void Export(Trial t, string format, string file, int kilobytes, bool after)
    {
        var disk = t.Disk("ts", 16);
        string[] line = ["export", "--model", t.Bases.Run, "--data", t.Bases.Few, "--format", format, .. format == "onnx-int8" ? ["--calibration", t.Bases.More]
            : Array.Empty<string>(),
            "--min-cosine", "0.1", "--output", disk[file]];
        if (after)
        {
            Old(t, disk, line);
        }

        disk.Fill(Math.Min(kilobytes, 100));
        var outcome = t.Run(line);
        if (after)
        {
            Kept(t, disk, outcome, "ts", mayFit: true); // the same bytes may be left as they are
        }
        else
        {
            t.Refused(outcome, "ts");
            disk.Free();
            t.NothingAt(disk.Folder);
        }
    }

    /// <summary>What lies there already, with a copy beside the disk.</summary>
    private static void Old(Trial t, Disk disk, string[] line)
    {
        t.Done(t.Run(line));
        Files.Copy(disk.Folder, t["old"]);
    }

    /// <summary>Refused, and all that lay there is as it was; or there was room, and all is new.</summary>
    private static void Kept(Trial t, Disk disk, Outcome outcome, string names, bool mayFit)
    {
        disk.Free();
        if (mayFit && outcome.Exit == 0)
        {
            t.Done(outcome);
            return;
        }

        t.Refused(outcome, names);
        t.Same("what lay there", t["old"], disk.Folder);
    }

    private static void Cached(Trial t, int kilobytes, params string[] line)
    {
        var disk = t.Disk("full", 16);
        disk.Fill(kilobytes);
        t.Refused(t.Run(new Launch(line) { Environment = { ["XDG_CACHE_HOME"] = disk.Folder } }), "full");
        disk.Free();
        t.Done(line[1] == "pull" ? new Outcome(0, "", "", false, false, 0, default)
            : t.Run(new Launch(line) { Environment = { ["XDG_CACHE_HOME"] = t.Disk("room", 128).Folder }, Limit = TimeSpan.FromMinutes(3) }));
    }

    private static void Temporary(Trial t, params string[] line)
    {
        var disk = t.Disk("tmp", 1);
        disk.Fill(0);
        t.DoneOrRefused(t.Run(new Launch(line) { Environment = { ["TMPDIR"] = disk.Folder } }), "tmp");
    }

    // dlib's network wants larger faces than the suite's.
    private static string Dlib(Trial t)
    {
        t.Works("align", "--data", t.Bases.Photos, "--template", "dlib", "--output", t["al150"]);
        return t["al150"];
    }

    private static void Distill(Trial t, int kilobytes, bool goesOn)
    {
        var disk = t.Disk("ts", 32);
        string[] line = [.. t.Bases.Distill, "--data", t.Bases.More, "--output", disk["run"]];
        disk.Fill(kilobytes);
        t.DoneOrRefused(t.Run(line), "ts");
        if (goesOn)
        {
            disk.Free();
            t.Done(t.Run([.. line, .. KillCases.Resume(disk["run"])]));
            t.Same("weights", t.Bases.Run, disk["run"], f => f == "student.onnx");
            t.NoParts(disk.Folder);
        }
    }
}
