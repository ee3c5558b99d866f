using System.Text.Json.Nodes;

namespace FaceDistill.Attack.Groups;

/// <summary>Broken stores of embeddings.</summary>
internal static class StoreCases
{
    private const string Key = "store.json", Source = "source.json";

    private static readonly (string Name, Action<string> Break)[] Parts =
    [
        ("part truncated half", p => Change(p, b => b[..(b.Length / 2)])),
        ("part truncated 1", p => Change(p, b => b[..^1])),
        ("part empty", p => Change(p, _ => [])),
        ("part missing", File.Delete),
        ("part is a directory", p =>
        {
            File.Delete(p);
            Directory.CreateDirectory(p);
        }),
        ("part without seal (pure parquet)",
            p => Change(p, b => [.. b[..b.AsSpan().LastIndexOf("FDSEAL01"u8)], .. b[(b.AsSpan().LastIndexOf("FDSEAL01"u8) + 40)..]])),
        ("footer length 2^32-1", p => Change(p, b =>
        {
            int end = b.AsSpan().LastIndexOf("PAR1"u8);
            b.AsSpan(end - 4, 4).Fill(0xff);
            return b;
        })),
        .. new[] { 0, 4, 100 }.Select(at => ($"edited byte @{at}", (Action<string>)(p => Change(p, b => Flip(b, at))))),
        .. new[] { 0.25, 0.5, 0.75 }.Select(
            at => ($"edited byte @{at:P0}".Replace(" ", "", StringComparison.Ordinal), (Action<string>)(p => Change(p, b => Flip(b, (int)(b.Length * at)))))),
        .. new[] { 500, 60, 20, 8, 4, 1 }.Select(at => ($"edited byte @-{at}", (Action<string>)(p => Change(p, b => Flip(b, b.Length - at))))),
    ];

    /// <summary>Values of store.json; a key that it no longer has is then an unknown one.</summary>
    private static readonly (string Key, string Value)[] Keys =
    [
        ("dimension", "0"), ("dimension", "64"), ("dimension", "2147483647"), ("imageCount", "0"), ("imageCount", "1000000"), ("imageCount", "95"),
            ("imageCount", "-1"),
        ("imagesPerPart", "0"), ("imagesPerPart", "1"), ("views", "[]"), ("views", "[\"original\", \"mirrored\"]"), ("views", "null"), ("formatVersion", "99"),
        ("teacher", "\"\""), ("teacher", "\"../../x\""), ("imagesHash", "\"x\""), ("evil", "1"),
    ];

    private static readonly (string Name, Func<string, string> Text)[] Texts =
    [
        ("syntax", s => s[..(s.Length / 2)]), ("empty", _ => ""),
            ("1e999", s => s.Replace("\"dimension\": 16", "\"dimension\": 1e999", StringComparison.Ordinal)),
        ("binary", _ => "\0\u0001\u0002"), ("null", _ => "null"),
    ];

    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        new("control", t => t.Works("evaluate", "--embeddings", t.Bases.Store, "--resamples", "0", "--report", t["report"])),
        .. Parts.Select((p, i) => new Case(p.Name, t => Refused(t, store => p.Break(Part(store)), p.Name is "part missing" or "part is a "
            + "directory" ? "st" : "part-"), Short: i is 0 or 8)),
        new("part swapped with other store", t =>
        {
            string other = t["other"];
            t.Works("embed", "--data", t.Bases.Few, "--teacher", t.Bases.Card, "--output", other);
            Refused(t, store => File.Copy(Part(other), Part(store), overwrite: true), Path.GetFileName(Part(t.Bases.Store)));
        }),
        .. Keys.Select((k, i) =>
            new Case($"store.json {k.Key}={k.Value.Trim('"')}", t => Refused(t, store => Edit(store, j => j[k.Key] = JsonNode.Parse(k.Value)), "st"),
            Short: i is 0)),
        .. Texts.Select(x => new Case($"store.json {x.Name}", t => Refused(t, store =>
            File.WriteAllText(Path.Combine(store, Key), x.Text(File.ReadAllText(Path.Combine(store, Key)))), Key))),
        new("store.json missing", t => Refused(t, store => File.Delete(Path.Combine(store, Key)), "st")),
        new("source.json junk", t => Either(t, store => File.WriteAllText(Path.Combine(store, Source), "{"))),
        new("source.json missing", t => Either(t, store => File.Delete(Path.Combine(store, Source)))),
        new("extra part file", t => Either(t, store => File.Copy(Part(store), Path.Combine(store, "part-99999.parquet")))),
        .. new (string Name, Action<string> Break)[] { ("truncated", p => Change(p, b => b[..(b.Length / 2)])), ("edited", p => Change(p, b => Flip(b, 500))),
            ("missing", File.Delete) }
            .Select(h => new Case($"re-embed heals: {h.Name}", t =>
            {
                string store = t.Copy(t.Bases.Store, "heal");
                h.Break(Part(store));
                t.Works("embed", "--data", t.Bases.More, "--teacher", t.Bases.Card, "--output", store);
                t.Same("the healed store", t.Bases.Store, store, f => f.EndsWith(".parquet", StringComparison.Ordinal));
            })),
    ];

    private static void Refused(Trial t, Action<string> change, string names)
    {
        string store = t.Copy(t.Bases.Store, "st");
        change(store);
        t.Refused(Evaluate(t, store), names, output: t["report"]);
    }

    private static void Either(Trial t, Action<string> change)
    {
        string store = t.Copy(t.Bases.Store, "st");
        change(store);
        t.DoneOrRefused(Evaluate(t, store), "st");
    }

    private static Outcome Evaluate(Trial t, string store) => t.Run("evaluate", "--embeddings", store, "--resamples", "0", "--report", t["report"]);

    private static string Part(string store) => Directory.GetFiles(store, "*.parquet").Order(StringComparer.Ordinal).First();

    private static void Change(string file, Func<byte[], byte[]> change) => File.WriteAllBytes(file, change(File.ReadAllBytes(file)));

    private static byte[] Flip(byte[] bytes, int at)
    {
        bytes[at] ^= 0x41;
        return bytes;
    }

    private static void Edit(string store, Action<JsonNode> change)
    {
        string file = Path.Combine(store, Key);
        var json = JsonNode.Parse(File.ReadAllText(file))!;
        change(json);
        File.WriteAllText(file, json.ToJsonString());
    }
}
