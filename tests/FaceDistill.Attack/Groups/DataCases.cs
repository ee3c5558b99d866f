using System.Text.Json.Nodes;

namespace FaceDistill.Attack.Groups;

/// <summary>Folders of faces that hold none, or broken ones.</summary>
internal static class DataCases
{
    private static readonly string[] Brief = ["--student", Bases.Student, "--epochs", "1", "--batch-size", "8", "--precision", "fp32", "--device", "cpu"];

    private static readonly (string Name, Action<string> Fill)[] Poor =
    [
        ("empty folder", _ => { }), ("only text files", d => File.WriteAllText(Path.Combine(d, "a.txt"), "text")),
        ("only unreadable pictures", d => File.WriteAllText(Path.Combine(d, "a.jpg"), "text")),
    ];

    private static readonly (string Name, Func<Trial, string, string[]> Line)[] Verbs =
    [
        ("align", (t, d) => ["align", "--data", d, "--output", t["out"]]),
        ("embed", (t, d) => ["embed", "--data", d, "--teacher", t.Bases.Card, "--output", t["out"]]),
        ("evaluate", (t, d) => ["evaluate", "--model", t.Bases.Model, "--data", d, "--resamples", "0", "--report", t["out"]]),
        ("distill", (t, d) => ["distill", "--data", d, "--teacher", t.Bases.Card, .. Brief, "--output", t["out"]]),
    ];

    private static readonly (string Name, Func<byte[]> Bytes)[] Faces =
    [
        ("truncated face", () => Pictures.Part(Pictures.Encoded(".png"), 0.3)), ("text face", () => [.. "text"u8]),
            ("other size face", () => Pictures.Encoded(".png")),
    ];

    /// <summary>Values of alignment.json.</summary>
    private static readonly (string Key, string Value)[] Manifests =
    [
        ("size", "0"), ("size", "1000000000"), ("size", "-5"), ("pad", "-1"), ("pad", "1000000"), ("template", "\"x\""), ("template", "null"),
            ("complete", "false"),
        ("formatVersion", "99"), ("evil", "1"), ("size", "\"x\""),
    ];

    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        .. Verbs.SelectMany(v => Poor.Select((p, i) => new Case($"{v.Name} {p.Name}", t =>
        {
            t.Bases.NeedsDetector("");
            string folder = Directory.CreateDirectory(t["data"]).FullName;
            p.Fill(folder);
            t.Refused(t.Run(v.Line(t, folder)), "data", output: v.Name == "align" ? null : t["out"]); // aligning lists what it left out
        }, Short: i == 0 && v.Name == "embed"))),
        new("evaluate one identity", t => Evaluate(t, d => People(t, d, 1, 4), works: false)),
        new("evaluate one image each", t => Evaluate(t, d => People(t, d, 4, 1), works: false)),
        new("evaluate 2 identities 1 pair", t => Evaluate(t, d => People(t, d, 2, 2), works: true)),
        new("evaluate pictures in the root only", t => Evaluate(t, d =>
        {
            People(t, d, 1, 4);
            foreach (string file in Directory.GetFiles(Path.Combine(d, "id_00000")))
            {
                File.Move(file, Path.Combine(d, Path.GetFileName(file)));
            }

            Directory.Delete(Path.Combine(d, "id_00000"));
        }, works: false)),
        new("distill 3 faces", t =>
        {
            People(t, t["data"], 1, 3);
            t.Refused(t.Run(Verbs[3].Line(t, t["data"])));
        }),
        new("arcface without people",
            t => t.Refused(t.Run(["distill", "--data", Rooted(t), "--teacher", t.Bases.Card, .. Brief, "--loss-arcface", "1", "--output", t["out"]]))),
        new("duplicates across people", t => Evaluate(t, d =>
        {
            People(t, d, 3, 3);
            File.Copy(Path.Combine(d, "id_00000", "0000.png"), Path.Combine(d, "id_00001", "copy.png"));
        }, works: true)),
        new("same data named twice",
            t => t.Refused(t.Run(["distill", "--data", t.Bases.Few, "--data", t.Bases.Few, "--teacher", t.Bases.Card, .. Brief, "--output", t["out"]]),
            output: t["out"])),
        .. Verbs[1..].SelectMany(v => Faces.Select((f, i) => new Case($"aligned folder, {v.Name}: {f.Name}", t => Refused(t, d =>
        {
            Files.Copy(t.Bases.Few, d);
            File.WriteAllBytes(Path.Combine(d, "id_00002", "0001.png"), f.Bytes());
        }, v.Name, "0001.png"), Short: i == 0 && v.Name == "embed"))),
        .. Manifests.Select(m => new Case($"aligned folder, embed: alignment.json {m.Key}={m.Value.Trim('"')}", t => Refused(t, d =>
        {
            Files.Copy(t.Bases.Few, d);
            string file = Path.Combine(d, "alignment.json");
            var json = JsonNode.Parse(File.ReadAllText(file))!;
            json[m.Key] = JsonNode.Parse(m.Value);
            File.WriteAllText(file, json.ToJsonString());
        }, "embed", "data"))),
        .. new[] { ("syntax", "{\"size\": 64,"), ("empty", ""), ("null", "null") }.Select(
            x => new Case($"aligned folder, embed: alignment.json {x.Item1}", t => Refused(t, d =>
        {
            Files.Copy(t.Bases.Few, d);
            File.WriteAllText(Path.Combine(d, "alignment.json"), x.Item2);
        }, "embed", "alignment.json"))),
        new("aligned folder, embed: alignment.json removed -> raw", t =>
        {
            t.Bases.NeedsDetector("");
            string folder = t.Copy(t.Bases.Photos, "photos");
            t.Works("align", "--data", folder, "--output", t["al"]);
            File.Delete(t["al/alignment.json"]);
            t.Works("embed", "--data", t["al"], "--teacher", t.Bases.Card, "--output", t["out"]);
        }),
        new("photos without a face", t =>
        {
            t.Bases.NeedsDetector("");
            string folder = t.Copy(t.Bases.Photos, "photos");
            File.WriteAllBytes(Path.Combine(folder, "p1", "plain.png"), Pictures.Plain());
            var outcome = t.Works("evaluate", "--model", t.Bases.Model, "--data", folder, "--resamples", "0", "--report", t["out"]);
            t.Expect((outcome.Output + outcome.Error).Contains('1') && File.ReadAllText(t["out/report.md"])
                .Contains("no face was found in 1 of", StringComparison.Ordinal),
                "the report does not say that one photo was not acquired");
        }),
    ];

    private static void Evaluate(Trial t, Action<string> fill, bool works)
    {
        fill(t["data"]);
        var outcome = t.Run(Verbs[2].Line(t, t["data"]));
        if (works)
        {
            t.Done(outcome);
        }
        else
        {
            t.Refused(outcome, output: t["out"]);
        }
    }

    private static void Refused(Trial t, Action<string> fill, string verb, string? names)
    {
        fill(t["data"]);
        t.Refused(t.Run(Verbs.Single(v => v.Name == verb).Line(t, t["data"])), names, output: t["out"]);
    }

    /// <summary>Some of the aligned faces.</summary>
    private static void People(Trial t, string folder, int people, int images)
    {
        foreach (string file in Files.Under(t.Bases.Few).Where(f => !f.StartsWith("id_", StringComparison.Ordinal)
            || (int.Parse(f.AsSpan(3, 5), null) < people && int.Parse(f.AsSpan(9, 4), null) < images)))
        {
            Files.Copy(Path.Combine(t.Bases.Few, file), Path.Combine(folder, file));
        }
    }

    private static string Rooted(Trial t)
    {
        People(t, t["one"], 6, 4);
        foreach (string file in Files.Under(t["one"]).Where(f => f.Contains('/', StringComparison.Ordinal)))
        {
            File.Move(Path.Combine(t["one"], file), Path.Combine(t["one"], file.Replace('/', '_')));
        }

        foreach (string folder in Directory.GetDirectories(t["one"]))
        {
            Directory.Delete(folder);
        }

        return t["one"];
    }
}
