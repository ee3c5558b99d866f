namespace FaceDistill.Attack.Groups;

/// <summary>Ctrl-C and SIGTERM in the middle of work: exit 130, one line, soon, nothing half.</summary>
internal static class SignalCases
{
    private const int Interrupt = 2, Terminate = 15;

    private static readonly (string Name, Func<Trial, string[]> Line, Func<Trial, bool> Busy, string? Output)[] Verbs =
    [
        ("align", t => ["align", "--data", Photos(t), "--output", t["a"]], t => Files.Under(t["a"]).Length > 2, null),
        ("embed", t => ["embed", "--data", t.Bases.More, "--teacher", Slow(t), "--mirrored", "--output", t["em"]], t => Directory.Exists(t["em"]), null),
        ("evaluate", t => ["evaluate", "--model", t.Bases.Model, "--data", Photos(t), "--resamples", "0", "--report", t["ev"]],
            t => Directory.Exists(Path.Combine(t.Cache, "facedistill", "aligned")), "ev"),
        ("export int8", t =>
            ["export", "--model", t.Bases.Run, "--data", t.Bases.Few, "--calibration", t.Bases.More, "--format", "onnx-int8", "--output", t["x/x.onnx"]],
            t => Directory.Exists(t["x"]) && Directory.EnumerateFileSystemEntries(t["x"]).Any(), "x"),
        ("table14", t => ["table14", "--recipe", t.Write("table.json", RecipeCases.Table(t.Bases.Card, t.Bases.Few)), "--smoke", "--output", t["t14"]],
            t => Directory.Exists(t["t14/faces/training"]), null),
        ("quickstart", t => ["quickstart", "--epochs", "1", "--output", t["qs"]], t => Directory.Exists(t["qs/faces/training"]), null),
        ("bench", t => ["bench", "--model", t.Bases.Model, "--rounds", "100000", "--output", t["b"]], _ => false, "b"),
        ("distill live", t => [.. t.Bases.Distill[..^4], "--epochs", "1000", "--teacher", t.Bases.Card, "--data", t.Bases.More, "--output", t["run"]],
            t => File.Exists(t["run/checkpoint.safetensors"]), null),
    ];

    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        .. new[] { ("SIGINT", Interrupt), ("SIGTERM", Terminate) }.SelectMany(
            s => Verbs.Select(v => new Case($"{v.Name} {s.Item1}", t => Stopped(t, v, s.Item2),
            Short: v.Name == "embed" && s.Item2 == Terminate))),
        .. new[] { ("SIGINT", Interrupt), ("SIGTERM", Terminate) }.Select(s => new Case($"distill {s.Item1} then --resume", t =>
        {
            string[] line = [.. t.Bases.Distill, "--data", t.Bases.More, "--output", t["run"]];
            var outcome = t.Run(Signalled(line, s.Item2) with { SignalWhen = () => File.Exists(t["run/checkpoint.safetensors"]) });
            t.Expect(outcome.Exit is 130 or 0, $"exit {outcome.Exit}");
            t.Done(t.Run([.. line, "--resume"]));
            t.Same("weights", t.Bases.Run, t["run"], f => f == "student.onnx");
            t.NoParts(t["run"]);
        })),
        .. new[] { ("SIGINT", Interrupt), ("SIGTERM", Terminate) }.Select(s => new Case($"embed {s.Item1} then again", t =>
        {
            string[] line = ["embed", "--data", t.Bases.More, "--teacher", Slow(t), "--output", t["em"]];
            t.Run(Signalled(line, s.Item2) with { SignalWhen = () => Directory.Exists(t["em"]) });
            t.Done(t.Run(line));
            t.Works(["embed", "--data", t.Bases.More, "--teacher", Slow(t), "--output", t["direct"]]);
            t.Same("store", t["direct"], t["em"], f => f.EndsWith(".parquet", StringComparison.Ordinal));
        })),
    ];

    // Whoever starts the attack in the background ignores SIGINT, and children inherit that.
    private static Launch Signalled(string[] line, int signal) =>
        new(line) { Signal = signal, Shell = "exec env --default-signal=INT \"$@\"", Limit = TimeSpan.FromMinutes(2) };

    private static void Stopped(Trial t, (string Name, Func<Trial, string[]> Line, Func<Trial, bool> Busy, string? Output) verb, int signal)
    {
        if (verb.Name == "quickstart")
        {
            t.Bases.NeedsDlib();
        }

        string[] line = verb.Line(t);
        TimeSpan? at = null;
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var outcome = t.Run(Signalled(line, signal) with
        {
            SignalWhen = () =>
            {
                bool now = verb.Busy(t) || (verb.Name == "bench" && watch.Elapsed > TimeSpan.FromSeconds(3));
                at ??= now ? watch.Elapsed : null;
                return now;
            },
        });
        if (!outcome.Signalled)
        {
            throw new SkipException("ended before the signal");
        }

        t.Expect(outcome.Exit == 130, $"exit {outcome.Exit} instead of 130");
        t.Expect(outcome.Own.Length == 1 && outcome.Own[0].StartsWith("facedistill: cancelled", StringComparison.Ordinal),
            "not the one line 'facedistill: cancelled'");
        t.Expect(watch.Elapsed - (at ?? default) < TimeSpan.FromSeconds(15) * Child.Slowness,
            $"stopped only after {(watch.Elapsed - (at ?? default)).TotalSeconds:0} s");
        t.NothingAt(verb.Output is null ? null : t[verb.Output]);
        t.NoParts(t.Folder);
    }

    /// <summary>120 photos.</summary>
    private static string Photos(Trial t)
    {
        for (int i = 0; i < 10; i++)
        {
            Files.Copy(t.Bases.Photos, t[$"photos/{i}"]);
        }

        return t["photos"];
    }

    /// <summary>A teacher that takes its time.</summary>
    public static string Slow(Trial t)
    {
        byte[] weights = Onnx.Floats([.. Enumerable.Range(0, 48 * 48 * 9).Select(i => ((i * 7919 % 200) - 100) / 20000f)]);
        var nodes = new List<Proto> { Onnx.Node("Conv", ["input", "first"], ["c0"], Onnx.Ints("pads", 1, 1, 1, 1)) };
        for (int i = 0; i < 10; i++)
        {
            nodes.Add(Onnx.Node("Conv", [$"c{i}", "w"], [$"d{i}"], Onnx.Ints("pads", 1, 1, 1, 1)));
            nodes.Add(Onnx.Node("Relu", [$"d{i}"], [$"r{i}"]));
            nodes.Add(Onnx.Node("Add", [$"r{i}", $"c{i}"], [$"c{i + 1}"]));
        }

        nodes.Add(Onnx.Node("GlobalAveragePool", ["c10"], ["p"]));
        nodes.Add(Onnx.Node("Flatten", ["p"], ["embedding"]));
        return Onnx.WriteCard(
            t["slow"], Onnx.Model(
            Onnx.Graph([.. nodes], [Onnx.Value("input", Onnx.Float, "batch", 3, 64, 64)], [Onnx.Value("embedding", Onnx.Float, "batch", 48)],
            Onnx.Tensor("w", [48, 48, 3, 3], weights), Onnx.Tensor("first", [48, 3, 3, 3], weights[..(48 * 27 * 4)]))), "slow");
    }
}

/// <summary>Two at once.</summary>
internal static class TwoCases
{
    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        new("distill into one run folder", t => OneRefused(t, [.. t.Bases.Distill, "--data", t.Bases.More, "--output", t["run"]], "run")),
        new("align into one folder", t => OneRefused(t, ["align", "--data", t.Bases.Photos, "--template", "dlib", "--output", t["al"]], "al")),
        new("embed into one folder", t => OneRefused(t, ["embed", "--data", t.Bases.More, "--teacher", SignalCases.Slow(t), "--output", t["em"]], "em")),
        new("two evaluates of raw photos, one cold cache",
            t => BothDone(t, _ => ["evaluate", "--model", t.Bases.Model, "--data", t.Bases.Photos, "--resamples", "0"])),
        new("two distills of raw photos (other outputs), one cold cache",
            t => BothDone(t, i => [.. t.Bases.Distill[..^4], "--epochs", "1", "--teacher", t.Bases.Card,
            "--data", Larger(t), "--output", t[$"run{i}"]])),
        new("two embeds of aligned faces, one cold cache", t => BothDone(t, _ => ["embed", "--data", t.Bases.More, "--teacher", SignalCases.Slow(t)])),
        new("export to one file", t => BothDone(t, _ => ["export", "--model", t.Bases.Run, "--data", t.Bases.Few, "--output", t["x.onnx"]])),
        new("evaluate --report to one folder",
            t => BothDone(t, _ => ["evaluate", "--model", t.Bases.Run, "--data", t.Bases.Few, "--resamples", "0", "--report", t["r"]])),
        new("two embeds convert the teacher at once", t =>
        {
            t.Bases.NeedsDlib();
            t.Works("align", "--data", t.Bases.Photos, "--template", "dlib", "--output", t["al"]);
            BothDone(t, i => ["embed", "--data", t["al"], "--teacher", "dlib-resnet", "--output", t[$"e{i}"]]);
        }),
        new("two pulls of one file", t =>
        {
            byte[] right = new byte[400_000];
            string sha = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(right));
            using var server = new Loopback((_, stream) =>
            {
                Loopback.Answer(stream, "200 OK", $"Content-Length: {right.Length}\n", []);
                for (int at = 0; at < right.Length; at += 20_000)
                {
                    stream.Write(right, at, 20_000);
                    Thread.Sleep(20);
                }
            });
            string card = t.Write("c.json", CardCases.Url(server.Url(), a => a["bytes"] = 1_000_000, sha));
            foreach (var outcome in Both(t, _ => ["teachers", "pull", card]))
            {
                t.DoneOrRefused(outcome, "m.onnx"); // zeros are no model
            }

            string folder = Path.Combine(t.Cache, "facedistill", "models", "c");
            t.Expect(Files.Under(folder) is ["m.onnx"] && File.ReadAllBytes(Path.Combine(folder, "m.onnx")).SequenceEqual(right), "not the right file alone");
        }),
    ];

    private static Outcome[] Both(Trial t, Func<int, string[]> line)
    {
        string[][] lines = [line(0), line(1)]; // what they need is made before they start
        var first = Task.Run(() => t.Run(new Launch(lines[0]) { Limit = TimeSpan.FromMinutes(3) }));
        var second = Task.Run(() => t.Run(new Launch(lines[1]) { Limit = TimeSpan.FromMinutes(3) }));
        return [first.Result, second.Result];
    }

    private static void BothDone(Trial t, Func<int, string[]> line)
    {
        foreach (var outcome in Both(t, line))
        {
            t.Done(outcome);
        }

        t.NoParts(t.Folder);
    }

    /// <summary>One is done, the other refused with a line that names the folder; or it waited and then found the work done.</summary>
    private static void OneRefused(Trial t, string[] line, string names)
    {
        var both = Both(t, _ => line);
        t.Expect(both.Any(o => o.Exit == 0), "none was done");
        foreach (var outcome in both)
        {
            t.DoneOrRefused(outcome, names);
        }
    }

    private static string Larger(Trial t)
    {
        for (int i = 0; i < 3; i++)
        {
            if (!Directory.Exists(t[$"photos/{i}"]))
            {
                Bases.Draw(t[$"photos/{i}"], 6, 2, (ulong)(20 + i));
            }
        }

        return t["photos"];
    }
}
