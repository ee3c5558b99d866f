using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace FaceDistill.Attack.Groups;

/// <summary>Cards that are none, lead elsewhere, or name a server that does not keep its word.</summary>
internal static class CardCases
{
    private const string Sha = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    private static readonly (string Name, string Text)[] Malformed =
    [
        ("syntax", "{\"name\": "), ("empty", ""), ("null", "null"), ("array", "[]"), ("unknown key", Card(c => c["evil"] = 1)),
            ("name ../../x", Card(c => c["name"] = "../../x")),
        ("name empty", Card(c => c["name"] = "")), ("name ..", Card(c => c["name"] = "..")), ("name null", Card(c => c["name"] = null)),
            ("name CON.", Card(c => c["name"] = "CON.")),
        .. new[] { "../../etc/x", "/etc/x", "..", "a/b", "a\\b", "", ".hidden", "x\n", new string('a', 300), "m.onnx." }.Select(file => (
            $"file '{(file.Length > 20 ? file[..20] : file.Replace("\n", "\\n", StringComparison.Ordinal))}'",
                Card(c => (c["assets"]![0]!["file"], c["model"]) = (file, file)))),
        ("assets empty", Card(c => c["assets"] = new JsonArray())), ("assets null", Card(c => c["assets"] = null)),
        ("two assets same file", Card(c => c["assets"]!.AsArray().Add(c["assets"]![0]!.DeepClone()))),
            ("asset missing file", Card(c => c["assets"]![0]!.AsObject().Remove("file"))),
        ("no sha for url", Url("https://localhost:1/m.onnx", a => a.Remove("sha256"))), ("http not https", Url("http://example.com/m.onnx")),
            ("ftp", Url("ftp://example.com/m.onnx")),
        ("file://", Url("file:///etc/passwd")), ("url userinfo trick http", Url("http://localhost@example.com/m.onnx")),
        ("http localhost.example.com", Url("http://localhost.example.com/m.onnx")), ("sha short", Url("https://localhost:1/m.onnx", a => a["sha256"] = "abc")),
        ("bytes -1", Url("https://localhost:1/m.onnx", a => a["bytes"] = -1)),
        ("bytes 1e999", Url("https://localhost:1/m.onnx", a => a["bytes"] = 7777).Replace("7777", "1e999", StringComparison.Ordinal)),
        ("two sources", Url("https://localhost:1/m.onnx", a => a["source"]!["path"] = "m.onnx")),
            ("npm option injection", Npm("--registry=http://127.0.0.1:1@1.0.0", "m.onnx")),
        ("npm shell", Npm("x@1.0.0;touch pwned", "m.onnx")), ("npm member ..", Npm("x@1.0.0", "../../m.onnx")), ("npm range", Npm("x@^1.0.0", "m.onnx")),
        ("contract size 0", Card(c => c["contract"]!["size"] = 0)), ("contract std 0", Card(c => c["contract"]!["std"] = new JsonArray(0, 0, 0))),
        ("contract null", Card(c => c["contract"] = null)), ("convert evil", Card(c => c["convert"] = "sh")),
            ("model not asset", Card(c => c["model"] = "other.onnx")),
    ];

    /// <summary>What a server does; the card wants 4 bytes of a hash that none of it has.</summary>
    private static readonly (string Name, Action<Loopback, string, NetworkStream> Answer)[] Servers =
    [
        ("sha mismatch", (_, _, s) => Loopback.Whole(s, [1, 2, 3, 4])),
        ("404", (_, _, s) => Loopback.Answer(s, "404 Not Found", "Content-Length: 0\n", [])),
        ("redirect to file://", (_, _, s) => Loopback.Answer(s, "302 Found", "Location: file:///etc/passwd\nContent-Length: 0\n", [])),
        ("redirect loop", (l, _, s) => Loopback.Answer(s, "302 Found", $"Location: {l.Url()}\nContent-Length: 0\n", [])),
        ("endless body above bytes", (_, _, s) =>
        {
            Loopback.Answer(s, "200 OK", "", []);
            for (byte[] block = new byte[1 << 16]; ;)
            {
                s.Write(block);
            }
        }),
        ("content-length 1e15", (_, _, s) => Loopback.Answer(s, "200 OK", "Content-Length: 1000000000000000\n", [1, 2, 3, 4])),
        ("html login page", (_, _, s) => Loopback.Answer(s, "200 OK", "Content-Type: text/html\n", "<html>log in</html>"u8)),
    ];

    /// <summary>The cases.</summary>
    public static IEnumerable<Case> All() =>
    [
        .. Malformed.Select((m, i) => new Case(m.Name, t =>
        {
            t.Write("m.onnx", Onnx.Tiny());
            Refused(t, "pull", m.Text, "c.json");
        }, Short: i is 0 or 5 or 25)),
        new("connection refused", t => Refused(t, "pull", Url("http://127.0.0.1:1/m.onnx"), "127.0.0.1:1")),
        new("card missing", t => t.Refused(t.Run("teachers", "pull", t["c.json"]), "c.json")),
        new("dimension -1", t =>
        {
            t.Write("m.onnx", Onnx.Tiny());
            t.Write("c.json", Card(c => c["dimension"] = -1));
            // Found when the card is read, or when its model is.
            t.Refused(t.Run("embed", "--data", t.Bases.Few, "--teacher", t["c.json"], "--output", t["store"]), output: t["store"]);
        }),
        new("path /etc/passwd as model, verify", t => Refused(t, "verify", Card(c => c["assets"]![0]!["source"]!["path"] = "/etc/passwd"), null)),
        new("manual", t => Refused(t, "pull", Card(c => c["assets"]![0]!["source"] = new JsonObject { ["manual"] = "ask for it" }), "ask for it")),
        .. Servers.Select((s, i) => new Case($"download: {s.Name}", t =>
        {
            Loopback? server = null;
            server = new Loopback((head, stream) => s.Answer(server!, head, stream));
            using (server)
            {
                Refused(t, "pull", Url(server.Url(), a => a["bytes"] = 1000), "m.onnx");
                t.NothingAt(Path.Combine(t.Cache, "facedistill", "models", "c", "m.onnx"));
            }
        }, Short: i is 0)),
    ];

    /// <summary>A card whose model lies beside it.</summary>
    public static string Card(Action<JsonObject> change)
    {
        var card = new JsonObject
        {
            ["name"] = "c", ["description"] = "d", ["licence"] = "l", ["source"] = "s",
            ["assets"] = new JsonArray(new JsonObject { ["file"] = "m.onnx", ["source"] = new JsonObject { ["path"] = "m.onnx" } }),
            ["model"] = "m.onnx", ["dimension"] = 16, ["contract"] = Onnx.Contract(),
        };
        change(card);
        return card.ToJsonString();
    }

    /// <summary>A card whose model is fetched.</summary>
    public static string Url(string url, Action<JsonObject>? change = null, string sha = Sha) => Card(c =>
    {
        var asset = c["assets"]![0]!.AsObject();
        (asset["sha256"], asset["source"]) = (sha, new JsonObject { ["url"] = url });
        change?.Invoke(asset);
    });

    private static string Npm(string package, string member) => Card(c =>
    {
        var asset = c["assets"]![0]!.AsObject();
        (asset["sha256"], asset["source"]) = (Sha, new JsonObject { ["npm"] = package, ["member"] = member });
    });

    private static void Refused(Trial t, string verb, string text, string? names)
    {
        t.Refused(t.Run(new Launch("teachers", verb, t.Write("c.json", text)) { Limit = TimeSpan.FromMinutes(2) }), names);
        t.Expect(!File.Exists(t["pwned"]), "the card's text was run");
    }
}
