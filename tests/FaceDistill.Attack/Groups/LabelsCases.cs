using System.Text;
using System.Text.Json;

namespace FaceDistill.Attack.Groups;

/// <summary>Labels that do not belong to the embeddings.</summary>
internal static class LabelsCases
{
    private static readonly string[] Rows = NpyCases.Labels().TrimEnd('\n').Split('\n');

    private static readonly (string Name, Func<byte[]> Bytes)[] Broken =
    [
        ("missing rows", () => Text(Rows[..39])),
        ("extra rows", () => Text([.. Rows, "person9"])),
        ("empty line in the middle", () => Text([.. Rows[..20], "", .. Rows[20..]])),
        ("empty line at the end (2 newlines)", () => Text([.. Rows, ""])),
        ("empty file", () => []),
        ("latin-1", () => Encoding.Latin1.GetBytes(string.Join('\n', Rows.Select(r => r + "é")))),
        ("binary", () => [.. Enumerable.Range(0, 2000).Select(i => (byte)(i * 37))]),
        ("one identity only", () => Text([.. Rows.Select(_ => "one")])),
        ("each its own identity", () => Text([.. Rows.Select((_, i) => $"p{i}")])),
        ("labels without embeddings: CSV header", () => Text(["label", .. Rows])),
        ("label 400 MB single line", () => [.. Enumerable.Repeat((byte)'a', 400_000_000)]),
    ];

    private static readonly (string Name, Func<byte[]> Bytes)[] Sound =
    [
        ("control json genuine 60", () => Text(Rows)),
        ("BOM", () => [0xef, 0xbb, 0xbf, .. Text(Rows)]),
        ("CRLF", () => Encoding.UTF8.GetBytes(string.Concat(Rows.Select(r => r + "\r\n")))),
        ("CR only (old Mac)", () => Encoding.UTF8.GetBytes(string.Concat(Rows.Select(r => r + "\r")))),
    ];

    private static readonly (string Name, Func<byte[]> Bytes)[] Odd =
    [
        ("UTF-16", () => [0xff, 0xfe, .. Encoding.Unicode.GetBytes(string.Join('\n', Rows))]),
        ("NUL bytes", () => Text([.. Rows.Select(r => r + "\0")])),
        ("label 1 MB long", () => Text([.. Rows[..36], .. Rows[36..].Select(_ => new string('x', 1 << 20))])),
    ];

    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        new("no labels given... labels missing file", t => Refused(t, t["nope.txt"], "nope.txt")),
        .. Broken.Select((b, i) =>
            new Case(b.Name, t => Refused(t, t.Write("l.txt", b.Bytes()), b.Name is "one identity only" or "each its own identity" ? null : "l.txt"),
            Short: i < 2)),
        .. Sound.Select(s => new Case(s.Name, t =>
        {
            var outcome = t.Run("evaluate", "--embeddings", Embeddings(t), "--labels", t.Write("l.txt", s.Bytes()), "--resamples", "0", "--json");
            t.Done(outcome);
            t.Expect(outcome.Exit != 0 || Genuine(outcome.Output) == 60, "not 60 genuine pairs");
        })),
        .. Odd.Select(o => new Case(o.Name, t => t.DoneOrRefused(Evaluate(t, t.Write("l.txt", o.Bytes())), "l.txt"))),
        new("labels is a directory", t => Refused(t, Directory.CreateDirectory(t["dir"]).FullName, "dir")),
        new("no --labels", t => t.Refused(t.Run("evaluate", "--embeddings", Embeddings(t), "--resamples", "0"), "--labels")),
        new("--labels with --model",
            t => t.RefusedOrUsage(t.Run("evaluate", "--model", t.Bases.Model, "--labels", t.Write("l.txt", Text(Rows)), "--data", t.Bases.Few))),
        new("--labels only", t => t.RefusedOrUsage(t.Run("evaluate", "--labels", t.Write("l.txt", Text(Rows))))),
    ];

    private static string Embeddings(Trial t) => t.Write("ok.npy", NpyCases.Good());

    private static Outcome Evaluate(Trial t, string labels) =>
        t.Run("evaluate", "--embeddings", Embeddings(t), "--labels", labels, "--report", t["report"], "--resamples", "0");

    private static void Refused(Trial t, string labels, string? names) => t.Refused(Evaluate(t, labels), names, output: t["report"]);

    private static byte[] Text(string[] rows) => Encoding.UTF8.GetBytes(string.Concat(rows.Select(r => r + "\n")));

    private static long Genuine(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.GetProperty("models")[0].GetProperty("genuinePairs").GetInt64();
    }
}

/// <summary>What stands in labels, and comes out in a report.</summary>
internal static class InjectCases
{
    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        new("identities in labels -> report", t =>
        {
            string[] evil = ["<script>alert(1)</script>", "=1+1", "a|b`c`", "\u001b[31mred", "${HOME}", "\"quoted\"", "../../x", "a,b;c", "é\u202egpj", "-x"];
            t.Write("l.txt", string.Concat(Enumerable.Range(0, 40).Select(i => evil[i / 4] + "\n")));
            t.Works("evaluate", "--embeddings", t.Write("ok.npy", NpyCases.Good()), "--labels", t["l.txt"], "--resamples", "0", "--report", t["report"]);
            Clean(t);
        }),
        new("a model's name -> report", t =>
        {
            string name = "<img src=x onerror=alert(1)>\u001b[31m.npy";
            t.Works("evaluate", "--embeddings", t.Write(name.Replace('/', '_'), NpyCases.Good()), "--labels", t.Write("l.txt", NpyCases.Labels()),
                "--resamples", "0",
                "--report", t["report"]);
            Clean(t);
        }),
    ];

    private static void Clean(Trial t)
    {
        t.Expect(Files.Under(t["report"]).Length == 4, "not four files of the report");
        foreach (string file in Files.Under(t["report"]))
        {
            string text = File.ReadAllText(Path.Combine(t["report"], file));
            string live = text.Replace("\\<", "", StringComparison.Ordinal); // what Markdown takes for itself
            bool data = Path.GetExtension(file) is ".json" or ".csv";
            t.Expect(data || (!live.Contains("<script>alert", StringComparison.Ordinal) && !live.Contains("<img src=x", StringComparison.Ordinal)),
                $"{file}: a label is markup");
            t.Expect(!text.Contains('\x1b', StringComparison.Ordinal), $"{file}: a control character");
            t.Expect(!file.EndsWith(".csv", StringComparison.Ordinal) || !text.Split('\n').SelectMany(l => l.Split(','))
                .Any(c => c.StartsWith("=1+1", StringComparison.Ordinal)),
                $"{file}: a formula");
        }
    }
}
