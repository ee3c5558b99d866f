namespace FaceDistill.Attack.Groups;

/// <summary>Read-only folders: outputs are refused with a line, and what only reads needs no writing.</summary>
internal static class ReadOnlyCases
{
    private static readonly (string Name, Func<Trial, string, string[]> Line)[] Writing =
    [
        ("align", (t, o) => ["align", "--data", t.Bases.Photos, "--output", o]),
        ("embed", (t, o) => ["embed", "--data", t.Bases.Few, "--teacher", t.Bases.Card, "--output", o]),
        ("distill", (t, o) => [.. t.Bases.Distill, "--data", t.Bases.More, "--output", o]),
        ("bench", (t, o) => ["bench", "--model", t.Bases.Model, "--rounds", "1", "--output", o]),
        ("table14", (t, o) => ["table14", "--recipe", t.Write("table.json", RecipeCases.Table(t.Bases.Card, t.Bases.Few)), "--smoke", "--output", o]),
        ("evaluate --report (own cache)", (t, o) => ["evaluate", "--model", t.Bases.Model, "--data", t.Bases.Few, "--resamples", "0", "--report", o]),
        ("export", (t, o) => ["export", "--model", t.Bases.Run, "--data", t.Bases.Few, "--output", Path.Combine(o, "x.onnx")]),
    ];

    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        .. Writing.Select(w => new Case(w.Name, t =>
        {
            string[] line = w.Line(t, Path.Combine(Folder(t, _ => { }), "o"));
            t.Refused(t.Run(line), "ro");
        })),
        new("align into existing",
            t => t.Refused(t.Run(
            "align", "--data", t.Bases.Photos, "--output", Path.Combine(Folder(t, f => Directory.CreateDirectory(Path.Combine(f, "e"))), "e")), "ro")),
        new("distill --resume", t => t.Refused(t.Run([.. t.Bases.Distill, "--data", t.Bases.More, "--output", Run(t), "--resume"]), "run")),
        new("export into run folder", t => t.Refused(t.Run("export", "--model", Run(t), "--data", t.Bases.Few), "run")),
        new("evaluate a read-only run (no output wanted)", t => t.Done(t.Run("evaluate", "--model", Run(t), "--data", t.Bases.Few, "--resamples", "0"))),
        new("export read-only run elsewhere", t => t.Done(t.Run("export", "--model", Run(t), "--data", t.Bases.Few, "--output", t["roex.onnx"]))),
        new("bench a read-only run", t => t.Done(t.Run("bench", "--model", Run(t), "--rounds", "1"))),
        new("read-only cache, aligned data, evaluate", t => t.Done(Cached(t, "evaluate", "--model", t.Bases.Model, "--data", t.Bases.Few, "--resamples", "0")),
            Short: true),
        // faces of this process
        new("read-only cache, raw data", t => t.Done(Cached(t, "evaluate", "--model", t.Bases.Model, "--data", t.Bases.Photos, "--resamples", "0"))),
        new("read-only cache, teachers pull", t =>
        {
            using var server = new Loopback((_, s) => Loopback.Whole(s, new byte[1000]));
            t.Write("c.json", CardCases.Url(server.Url()));
            t.Refused(Cached(t, "teachers", "pull", t["c.json"]), "ro");
        }),
    ];

    private static string Folder(Trial t, Action<string> fill)
    {
        Directory.CreateDirectory(t["ro"]);
        fill(t["ro"]);
        t.ReadOnly(t["ro"]);
        return t["ro"];
    }

    private static string Run(Trial t) => Path.Combine(Folder(t, f => Files.Copy(t.Bases.Run, Path.Combine(f, "run"))), "run");

    private static Outcome Cached(Trial t, params string[] line) => t.Run(new Launch(line) { Environment = { ["XDG_CACHE_HOME"] = Folder(t, _ => { }) } });
}

/// <summary>Files and folders without the right to read or write them.</summary>
internal static class PermCases
{
    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        new("unreadable picture (mode 0) in align", t =>
        {
            string photos = t.Copy(t.Bases.Photos, "perm");
            Deny(Path.Combine(photos, "p0", "1.jpg"));
            t.Done(Nobody(t, "align", "--data", photos, "--output", Home(t, "pa")));
            t.Expect(File.Exists(t["nh/pa/skipped.csv"]) && File.ReadAllText(t["nh/pa/skipped.csv"]).Contains("1.jpg", StringComparison.Ordinal),
                "not in skipped.csv");
        }),
        new("unreadable sub-folder", t =>
        {
            string photos = t.Copy(t.Bases.Photos, "perm");
            Deny(Path.Combine(photos, "p0"));
            t.Refused(Nobody(t, "align", "--data", photos, "--output", Home(t, "pb")), "p0");
        }),
        new("run folder checkpoint mode 0", t =>
        {
            string run = t.Copy(t.Bases.Run, "pr");
            Deny(Path.Combine(run, "student.best.safetensors"));
            t.Refused(Nobody(t, "evaluate", "--model", run, "--data", t.Bases.Few, "--resamples", "0"), "student.best.safetensors");
        }),
        new("onnx mode 0", t =>
        {
            Deny(t.Copy(t.Bases.Model, "p.onnx"));
            t.Refused(Nobody(t, "evaluate", "--model", t["p.onnx"], "--data", t.Bases.Few, "--resamples", "0"), "p.onnx");
        }),
        new("recipe mode 0", t =>
        {
            Deny(t.Write("r.json", "{}"));
            t.Refused(Nobody(t, "distill", "--recipe", t["r.json"], "--output", Home(t, "x")), "r.json");
        }),
        new("store part mode 0", t =>
        {
            string store = t.Copy(t.Bases.Store, "pst");
            Deny(Directory.GetFiles(store, "*.parquet")[0]);
            t.Refused(Nobody(t, "evaluate", "--embeddings", store, "--resamples", "0"), "part-");
        }),
        new("aligned face mode 0", t =>
        {
            string faces = t.Copy(t.Bases.Few, "pal");
            Deny(Path.Combine(faces, "id_00001", "0001.png"));
            t.Refused(Nobody(t, "embed", "--data", faces, "--teacher", t.Bases.Card, "--output", Home(t, "y")), "0001.png", output: t["nh/y"]);
        }),
        new("output not writable", t => t.Refused(Nobody(t, "align", "--data", t.Bases.Photos, "--output", t["out"]), "out")),
        new("HOME not writable, no cache", t => t.Done(Nobody(t, new Launch("evaluate", "--model", t.Bases.Model, "--data", t.Bases.Photos, "--resamples", "0")
        {
            Environment = { ["HOME"] = Directory.CreateDirectory(t["rh"]).FullName, ["XDG_CACHE_HOME"] = null },
        }))),
        new("HOME unset, aligned data", t =>
        {
            t.Done(Nobody(t, new Launch("evaluate", "--model", t.Bases.Model, "--data", t.Bases.Few, "--resamples", "0")
            {
                Environment = { ["HOME"] = null, ["XDG_CACHE_HOME"] = null }, Folder = Directory.CreateDirectory(t["here"]).FullName,
            }));
            t.NothingAt(t["here"]);
        }),
        new("HOME unset, current folder writable: no cache in it", t =>
        {
            Home(t, "");
            t.DoneOrRefused(Nobody(t, new Launch("evaluate", "--model", t.Bases.Model, "--data", t.Bases.Few, "--resamples", "0")
            {
                Environment = { ["HOME"] = null, ["XDG_CACHE_HOME"] = null }, Folder = t["nh"],
            }), "");
            t.NothingAt(t["nh/.cache"]);
            t.NothingAt(t["nh/facedistill"]);
        }),
    ];

    private static void Deny(string path) => File.SetUnixFileMode(path, 0);

    private static void Refused(Trial t, Launch launch) => t.Refused(Nobody(t, launch), "rh");

    // A folder in which anybody may write.
    private static string Home(Trial t, string name)
    {
        File.SetUnixFileMode(Directory.CreateDirectory(t["nh"]).FullName, (UnixFileMode)0b111_111_111);
        return Path.Combine(t["nh"], name);
    }

    private static Outcome Nobody(Trial t, params string[] line) => Nobody(t, new Launch(line));

    // Root may do everything: nobody (65534) is asked instead.
    private static Outcome Nobody(Trial t, Launch launch)
    {
        bool root = Environment.UserName == "root";
        if (root && !File.Exists("/usr/bin/setpriv"))
        {
            throw new SkipException("root may read everything, and setpriv (util-linux) is not here");
        }

        File.SetUnixFileMode(t.Cache, (UnixFileMode)0b111_111_111);
        File.SetUnixFileMode(t["home"], (UnixFileMode)0b111_111_111);
        return t.Run(root ? launch with { Shell = "exec setpriv --reuid 65534 --regid 65534 --clear-groups \"$@\"" } : launch);
    }
}
