namespace FaceDistill.Attack.Groups;

/// <summary>Outputs that cannot be, or must not be overwritten.</summary>
internal static class OutputCases
{
    private static readonly (string Name, Func<Trial, string, string[]> Line)[] Verbs =
    [
        ("align", (t, o) => ["align", "--data", t.Bases.Photos, "--output", o]),
        ("embed", (t, o) => ["embed", "--data", t.Bases.Few, "--teacher", t.Bases.Card, "--output", o]),
        ("distill", (t, o) => ["distill", "--data", t.Bases.Few, "--teacher", t.Bases.Card, .. Bases.Brief, "--epochs", "1", "--output", o]),
        ("table14", (t, o) => ["table14", "--recipe", t.Write("table.json", RecipeCases.Table(t.Bases.Card, t.Bases.Few)), "--smoke", "--output", o]),
        ("quickstart", (_, o) => ["quickstart", "--epochs", "1", "--output", o]),
    ];

    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        .. Verbs.SelectMany((v, i) => new Case[]
        {
            new($"{v.Name} output is a file", t => Kept(t, v.Line(t, t.Write("afile", "mine")), "afile"), Short: i == 1),
            new($"{v.Name} output below a file", t => Kept(t, v.Line(t, Path.Combine(t.Write("afile", "mine"), "x")), "afile")),
            new($"{v.Name} output in /proc", t => Kept(t, v.Line(t, "/proc/fd_x"), "/proc")),
        }).Where(c => !c.Name.StartsWith("quickstart", StringComparison.Ordinal)),
        .. Verbs[4..].SelectMany(v => new Case[]
        {
            new($"{v.Name} output is a file", t => Quick(t, v.Line(t, t.Write("afile", "mine")))),
            new($"{v.Name} output below a file", t => Quick(t, v.Line(t, Path.Combine(t.Write("afile", "mine"), "x")))),
            new($"{v.Name} output in /proc", t => Quick(t, v.Line(t, "/proc/fd_x"))),
        }),
        .. Verbs[..2].Select(
            v => new Case($"{v.Name} output has other files", t => Kept(t, v.Line(t, Path.GetDirectoryName(t.Write("adir/mine.txt", "mine"))!), "adir"))),
        new("evaluate report is a file",
            t => Kept(t, ["evaluate", "--model", t.Bases.Model, "--data", t.Bases.Few, "--resamples", "0", "--report", t.Write("afile", "mine")], "afile")),
        new("bench output is a file", t => Kept(t, ["bench", "--model", t.Bases.Model, "--rounds", "1", "--output", t.Write("afile", "mine")], "afile")),
        new("export output is a dir",
            t => Kept(t, ["export", "--model", t.Bases.Run, "--data", t.Bases.Few, "--output", Path.GetDirectoryName(t.Write("adir/mine.txt", "mine"))!],
            "adir")),
        new("export output dir.onnx", t => Kept(t,
            ["export", "--model", t.Bases.Run, "--data", t.Bases.Few, "--output", Path.GetDirectoryName(t.Write("d.onnx/mine.txt", "mine"))!], "d.onnx")),
        new("align output inside input", t => Inside(t, t["in/out"])),
        new("align output = input", t => Inside(t, t["in"])),
        new("align output inside input through a symlink", t =>
        {
            Directory.CreateDirectory(t["in"]);
            File.CreateSymbolicLink(t["lnk"], t["in"]);
            Inside(t, t["lnk/out"]);
        }),
        new("align input through a symlink, output inside", t =>
        {
            t.Copy(t.Bases.Photos, "in");
            File.CreateSymbolicLink(t["lnk"], t["in"]);
            t.Refused(t.Run("align", "--data", t["lnk"], "--output", t["in/out"]), output: t["in/out"]);
        }),
        new("embed output inside aligned input", t =>
        {
            string data = t.Copy(t.Bases.Few, "al");
            t.DoneOrRefused(t.Run("embed", "--data", data, "--teacher", t.Bases.Card, "--output", Path.Combine(data, "store")), "store");
        }),
        new("distill output inside data", t =>
        {
            string data = t.Copy(t.Bases.Few, "al");
            t.DoneOrRefused(t.Run(Verbs[2].Line(t, Path.Combine(data, "run"))[..2] is [var verb, var option]
                ? [verb, option, data, "--teacher", t.Bases.Card, .. Bases.Brief, "--epochs", "1", "--output", Path.Combine(data, "run")] : []), "run");
        }),
        new("distill --resume of finished", t =>
        {
            string run = t.Copy(t.Bases.Run, "rr");
            t.Works([.. t.Bases.Distill, "--data", t.Bases.More, "--output", run, "--resume"]);
            t.Same("weights of a finished run", t.Bases.Run, run, f => f.EndsWith(".safetensors", StringComparison.Ordinal));
        }),
        new("distill over a run without --resume", t => Changed(t, [.. t.Bases.Distill, "--data", t.Bases.More])),
        new("--resume with other epochs",
            t => Changed(t, ["distill", "--resume", .. Bases.Brief, "--epochs", "4", "--teacher", t.Bases.Card, "--data", t.Bases.More])),
        new("--resume with other data", t => Changed(t, [.. t.Bases.Distill, "--resume", "--data", t.Bases.Few])),
        new("--resume with other teacher", t => Changed(t, ["distill", "--resume", .. Bases.Brief, "--epochs", "3", "--data", t.Bases.More, "--teacher",
            Onnx.WriteCard(t["t2"], Onnx.Tiny([Onnx.Node("Neg", ["embedding"], ["o"])], Onnx.Value("o", Onnx.Float, "batch", 16)), "tiny")])),
    ];

    /// <summary>Refused, and what was there is as it was.</summary>
    private static void Kept(Trial t, string[] line, string names)
    {
        t.Refused(t.Run(line), names);
        string[] mine = [.. new[] { "afile", "adir", "d.onnx" }.Where(f => File.Exists(t[f]) || Directory.Exists(t[f]))];
        foreach (string file in mine.SelectMany(m => Files.Under(t[m]).Select(f => File.Exists(t[m]) ? t[m] : Path.Combine(t[m], f))))
        {
            t.Expect(File.ReadAllText(file) == "mine", $"{Path.GetFileName(file)} was changed or added");
        }
    }

    private static void Quick(Trial t, string[] line)
    {
        t.Bases.NeedsDlib();
        Kept(t, line, line[^1].StartsWith("/proc", StringComparison.Ordinal) ? "/proc" : "afile");
    }

    private static void Inside(Trial t, string output)
    {
        t.Copy(t.Bases.Photos, "in");
        string[] before = Files.Under(t["in"]);
        t.Refused(t.Run("align", "--data", t["in"], "--output", output));
        t.Expect(before.SequenceEqual(Files.Under(t["in"])), "leftover in the input");
    }

    /// <summary>Refused, and the run is as it was.</summary>
    private static void Changed(Trial t, string[] line)
    {
        string run = t.Copy(t.Bases.Run, "rr");
        t.Refused(t.Run([.. line, "--output", run]));
        t.Same("the refused run", t.Bases.Run, run);
    }
}
