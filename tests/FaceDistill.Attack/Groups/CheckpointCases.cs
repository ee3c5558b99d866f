using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;

namespace FaceDistill.Attack.Groups;

/// <summary>Broken checkpoints and run folders.</summary>
internal static class CheckpointCases
{
    private const string Best = "student.best.safetensors", Whole = "checkpoint.safetensors";

    /// <summary>What is wrong with the bytes.</summary>
    private static readonly (string Name, Func<byte[], byte[]> Break)[] Bytes =
    [
        ("empty", _ => []),
        ("7 bytes", b => b[..7]),
        ("truncated half", b => b[..(b.Length / 2)]),
        ("truncated 1", b => b[..^1]),
        ("trailing byte", b => [.. b, 0]),
        ("garbage", b => [.. b.Select((_, i) => (byte)((i * 31) ^ (i >> 5)))]),
        ("header length 2^63", b => [0, 0, 0, 0, 0, 0, 0, 0x80, .. b[8..]]),
        ("header length 2^63-1", b => [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, .. b[8..]]),
        ("header length 99999999", b => Long(b, 99_999_999)),
        ("header 0", b => Long(b, 0)),
        ("header not JSON", b => Header(b, "{not json")),
        ("header is a list", b => Header(b, "[1, 2, 3]")),
        ("header deep nesting", b => Header(b, new string('[', 100_000))),
        ("header string", b => Header(b, "\"text\"")),
        ("NaN weight", b => Weight(b, Tensor(b), float.NaN)),
        ("Inf weight", b => Weight(b, Tensor(b), float.PositiveInfinity)),
        ("negative running variance", b => Weight(b, "running_var", -5)),
        ("one weight byte edited (no checksum?)", b =>
        {
            b[^1000] ^= 0x10;
            return b;
        }),
    ];

    /// <summary>What is wrong with one tensor's entry in the header.</summary>
    private static readonly (string Name, Action<JsonObject, string> Change)[] Entries =
    [
        ("negative offset", (h, t) => h[t]!["data_offsets"]![0] = -4),
        ("offset 2^62", (h, t) => h[t]!["data_offsets"]![1] = 1L << 62),
        ("offset float", (h, t) => h[t]!["data_offsets"]![0] = 0.5),
        ("offsets 3", (h, t) => h[t]!["data_offsets"]!.AsArray().Add(7)),
        ("offsets string", (h, t) => h[t]!["data_offsets"] = "0,4"),
        ("shape 2^62 x 4", (h, t) => h[t]!["shape"] = new JsonArray(1L << 62, 4)),
        ("shape negative", (h, t) => h[t]!["shape"] = new JsonArray(-1, -1)),
        ("shape permuted", (h, t) => h[t]!["shape"] = new JsonArray([.. h[t]!["shape"]!.AsArray().Reverse().Select(v => v!.DeepClone())])),
        ("dtype F16 claim", (h, t) => h[t]!["dtype"] = "F16"),
        ("dtype I32", (h, t) => h[t]!["dtype"] = "I32"),
        ("dtype X9", (h, t) => h[t]!["dtype"] = "X9"),
        ("dtype null", (h, t) => h[t]!["dtype"] = null),
        ("tensor renamed", (h, t) => Rename(h, t)),
        ("tensor is a number", (h, t) => h[t] = 5),
        ("metadata missing", (h, _) => h.Remove("__metadata__")),
        ("metadata not strings", (h, _) => h["__metadata__"] = new JsonObject { ["format"] = 1 }),
        ("metadata null", (h, _) => h["__metadata__"] = null),
        ("format other", (h, _) => h["__metadata__"]!["format"] = "pt"),
        ("description not JSON", (h, _) => h["__metadata__"]!["description"] = "{student"),
        ("description targetScale 1e999", (h, _) => h["__metadata__"]!["description"] = System.Text.RegularExpressions.Regex.Replace(
            (string)h["__metadata__"]!["description"]!, "\"targetScale\": [^,]*", "\"targetScale\": 1e999")),
    ];

    /// <summary>What is wrong with the student's description. Where a checksum guards it, all are refused; where none does, the last three may pass.</summary>
    private static readonly (string Key, string Value, bool Harmless)[] Descriptions =
    [
        ("student", "\"mobilenet-v1:0.5@96\"", false), ("student", "\"x\"", false), ("student", "\"mobilenet-v1:1000@64\"", false),
            ("student", "\"mobilenet-v1:0.25@96\"", false),
        ("student", "null", false), ("dimension", "0", false), ("dimension", "-1", false), ("dimension", "2147483647", false), ("dimension", "64", false),
        ("head", "\"zz\"", false), ("head", "\"gap\"", false), ("contract", "null", false), ("teacher", "null", false),
            ("contract", Contract(100_000, "dlib"), false),
        ("contract", Contract(64, "zzz"), false), ("contract", Contract(64, "dlib", "[0, 0]"), false), ("targetScale", "0", true), ("targetScale", "-1", true),
        ("teacherHash", "\"x\"", true),
    ];

    /// <summary>What is wrong with a checkpoint that training is to go on from.</summary>
    private static readonly (string Name, Func<byte[], byte[]> Break)[] States =
    [
        ("truncated", b => b[..(b.Length / 2)]),
        ("empty", _ => []),
        ("edited header", b => Edited(b, h => h["__metadata__"]!["format"] = "x")),
        ("state epoch -1", b => State(b, s => s["epoch"] = -1)),
        ("state epoch 10^9", b => State(b, s => s["epoch"] = 1_000_000_000)),
        ("state step -5 epoch 1", b => State(b, s => (s["epoch"], s["step"]) = (1, -5))),
        ("state step 10^9", b => State(b, s => (s["epoch"], s["step"]) = (1, 1_000_000_000))),
        ("state log null", b => State(b, s => s["log"] = null)),
        ("state best epoch 99", b => State(b, s => s["best"]!["epoch"] = 99)),
        ("state unknown key", b => State(b, s => s["evil"] = 1)),
        ("NaN optimizer state, epoch 2", b => State(Weight(b, "optimizer.", float.NaN), s => s["epoch"] = 2)),
    ];

    private static readonly (string File, string Text, bool Matters)[] Documents =
    [
        ("run.json", "{", true), ("run.json", "{\"evil\": 1}", true), ("recipe.json", "{", true), ("export.json", "{", false), ("log.csv", "not,a\nlog", false),
        ("report.json", "[]", false),
    ];

    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        .. Bytes.Select((b, i) => new Case($"export: {b.Name}", t => Export(t, b.Break), Short: i is 2 or 17)),
        .. Entries.Select((e, i) => new Case($"export: {e.Name}", t => Export(t, b => Edited(b, h => e.Change(h, Tensor(b)))), Short: i is 4)),
        .. Descriptions.Select(d => new Case($"export: description {d.Key}={d.Value.Trim('"')}", t => Export(t, b => Edited(b, h =>
        {
            var description = JsonNode.Parse((string)h["__metadata__"]!["description"]!)!;
            description[d.Key] = JsonNode.Parse(d.Value);
            h["__metadata__"]!["description"] = description.ToJsonString();
        }), d.Harmless))),
        new("evaluate: evaluate: NaN weight", t => Evaluate(t, b => Weight(b, Tensor(b), float.NaN))),
        new("evaluate: evaluate: truncated", t => Evaluate(t, b => b[..(b.Length / 2)])),
        .. States.Select((s, i) => new Case($"resume: checkpoint {s.Name}", t => Resume(t, s.Break), Short: i is 0)),
        new("resume: checkpoint best used as checkpoint", t => Resume(t, _ => File.ReadAllBytes(Path.Combine(t.Bases.Run, Best)))),
        .. Documents.Select((d, i) => new Case($"export with damaged {d.File}{(i == 1 ? " (unknown key)" : "")}", t =>
        {
            string run = t.Copy(t.Bases.Run, "run");
            File.WriteAllText(Path.Combine(run, d.File), d.Text);
            var outcome = t.Run("export", "--model", run, "--output", t["o2.onnx"], "--data", t.Bases.Few);
            if (d.Matters)
            {
                t.Refused(outcome, d.File, output: t["o2.onnx"]);
            }
            else
            {
                t.DoneOrRefused(outcome, d.File, t["o2.onnx"]);
            }
        })),
        new("export with run.json aligned=/etc", t =>
        {
            string run = t.Copy(t.Bases.Run, "run");
            string file = Path.Combine(run, "run.json");
            var info = JsonNode.Parse(File.ReadAllText(file))!;
            info["aligned"] = "/etc";
            File.WriteAllText(file, info.ToJsonString());
            // Where the run's faces are known by their content, this path may not matter: but it is never read as faces.
            t.DoneOrRefused(t.Run("export", "--model", run, "--output", t["o3.onnx"]), "/etc", t["o3.onnx"]);
        }),
    ];

    private static void Export(Trial t, Func<byte[], byte[]> change, bool harmless = false)
    {
        string run = Broken(t, Best, change);
        var outcome = t.Run("export", "--model", run, "--output", t["out.onnx"], "--data", t.Bases.Few);
        if (harmless)
        {
            t.DoneOrRefused(outcome, Best, t["out.onnx"]);
        }
        else
        {
            t.Refused(outcome, Best, output: t["out.onnx"]);
        }
    }

    private static void Evaluate(Trial t, Func<byte[], byte[]> change) =>
        t.Refused(t.Run("evaluate", "--model", Broken(t, Best, change), "--data", t.Bases.Few, "--resamples", "0"), Best);

    private static void Resume(Trial t, Func<byte[], byte[]> change)
    {
        string run = Broken(t, Whole, change);
        Files.Copy(run, t["before"]);
        t.Refused(t.Run([.. t.Bases.Distill, "--data", t.Bases.More, "--output", run, "--resume"]), Whole);
        t.Same("a refused resume changes nothing", t["before"], run);
    }

    private static string Broken(Trial t, string file, Func<byte[], byte[]> change)
    {
        string run = t.Copy(t.Bases.Run, "run");
        string path = Path.Combine(run, file);
        File.WriteAllBytes(path, change(File.ReadAllBytes(path)));
        return run;
    }

    private static byte[] Long(byte[] bytes, long length)
    {
        BinaryPrimitives.WriteInt64LittleEndian(bytes, length);
        return bytes;
    }

    private static (string Header, byte[] Data) Split(byte[] bytes)
    {
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        return (Encoding.UTF8.GetString(bytes, 8, length), bytes[(8 + length)..]);
    }

    private static byte[] Header(byte[] bytes, string header)
    {
        byte[] text = Encoding.UTF8.GetBytes(header);
        return [.. BitConverter.GetBytes((long)text.Length), .. text, .. Split(bytes).Data];
    }

    private static byte[] Edited(byte[] bytes, Action<JsonObject> change)
    {
        var header = JsonNode.Parse(Split(bytes).Header)!.AsObject();
        change(header);
        return Header(bytes, header.ToJsonString());
    }

    private static byte[] State(byte[] bytes, Action<JsonNode> change) => Edited(bytes, h =>
    {
        var state = JsonNode.Parse((string)h["__metadata__"]!["state"]!)!;
        change(state);
        h["__metadata__"]!["state"] = state.ToJsonString();
    });

    /// <summary>The first weight matrix.</summary>
    private static string Tensor(byte[] bytes) =>
        JsonNode.Parse(Split(bytes).Header)!.AsObject().First(e => e.Key.StartsWith("model.", StringComparison.Ordinal)
        && e.Value!["shape"]!.AsArray().Count == 4 && e.Value["shape"]!.AsArray().Select(v => (long)v!).Distinct().Count() > 1).Key;

    /// <summary>Sets the first value of the first tensor whose name holds a part.</summary>
    private static byte[] Weight(byte[] bytes, string part, float value)
    {
        var (text, data) = Split(bytes);
        var header = JsonNode.Parse(text)!.AsObject();
        string name = header.First(e => e.Key.Contains(part, StringComparison.Ordinal) && (string?)e.Value!["dtype"] == "F32").Key;
        MemoryMarshal.Write(data.AsSpan((int)header[name]!["data_offsets"]![0]!), value);
        return [.. bytes[..^data.Length], .. data];
    }

    private static void Rename(JsonObject header, string tensor)
    {
        var entry = header[tensor]!.DeepClone();
        header.Remove(tensor);
        header["model.of.nobody"] = entry;
    }

    private static string Contract(int size, string template, string mean = "[127.5, 127.5, 127.5]") =>
        $$"""{"size": {{size}}, "template": "{{template}}", "colorOrder": "rgb", "layout": "nchw", "mean": {{mean}}, "std": [127.5, 127.5, 127.5]}""";
}
